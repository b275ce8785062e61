// Light or dark: the system's, unless the person chose.

import { keep, kept } from "./kept";

export type Theme = "system" | "light" | "dark";

const KEY = "suda.theme";

class Appearance {
  #theme: Theme = $state(themeOf(kept(KEY)));

  get theme(): Theme {
    return this.#theme;
  }

  set theme(theme: Theme) {
    this.#theme = theme;
    keep(KEY, theme === "system" ? null : theme);
    this.apply();
  }

  /** The style sheet does the rest. */
  apply(): void {
    if (this.#theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = this.#theme;
  }
}

function themeOf(text: string | null): Theme {
  return text === "light" || text === "dark" ? text : "system";
}

export const appearance = new Appearance();

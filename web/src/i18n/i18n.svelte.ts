// The language: the browser's, unless the person chose another.

import { keep, kept } from "../ui/kept";
import { en, type Texts } from "./en";
import { ko } from "./ko";

export type Language = "ko" | "en";
export type Choice = Language | "system";

const KEY = "suda.language";

/** The first of the browser's languages that we have. */
export function preferred(languages: readonly string[]): Language {
  for (const language of languages) {
    const base = language.toLowerCase().split("-")[0];
    if (base === "ko" || base === "en") return base;
  }
  return "en";
}

class I18n {
  #choice: Choice = $state(choiceOf(kept(KEY)));
  language: Language = $derived(this.#choice === "system" ? preferred(navigator.languages) : this.#choice);
  t: Texts = $derived(this.language === "ko" ? ko : en);

  get choice(): Choice {
    return this.#choice;
  }

  set choice(choice: Choice) {
    this.#choice = choice;
    keep(KEY, choice === "system" ? null : choice);
  }

  /** A refusal in the reader's words, with the bound where it is of one. */
  error(name: string, limit = 0): string {
    const bounded = limit > 0 ? this.t.errorsOfLimit[name] : undefined;
    if (bounded) return bounded(limit);
    return this.t.errors[name] ?? this.t.otherError;
  }

  /** How this reader writes times. Of the browser's languages the one that is spoken here, for its region's habits. */
  get locale(): string {
    return navigator.languages.find((one) => one.toLowerCase().startsWith(this.language)) ?? this.language;
  }
}

function choiceOf(text: string | null): Choice {
  return text === "ko" || text === "en" ? text : "system";
}

export const i18n = new I18n();

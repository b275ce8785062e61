// What the Enter key means while an input method may be composing. Browsers disagree on the order of events:
//
//   Chrome, Firefox   keydown Enter (isComposing, keyCode 229) → compositionend → perhaps a line break, or a second keydown Enter
//   Safari            compositionend → keydown Enter (isComposing false, keyCode 229)
//
// In Korean the Enter that ends a syllable is the one that sends: nothing is chosen from a list, so the writer means "send". In
// Japanese and Chinese it takes a candidate and sends nothing. Which of them it was, the composed text tells. Sending waits for
// the end of the present events, when every browser has put the last syllable into the text; a second Enter for the same key
// press then finds nothing left to send.

/** What to do: nothing of ours; send now; or send once the browser is through with the composition. */
export type Decision = "leave" | "send" | "sendSoon";

export interface Key {
  key: string;
  keyCode: number;
  isComposing: boolean;
  shiftKey: boolean;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
}

/** Safari's keydown follows its compositionend within this; a person's next key doesn't. */
const SAME_KEY_PRESS_MS = 30;

export class EnterKey {
  /** An Enter went down within the present composition. */
  #enterDown = false;
  /** When the last composition ended, if with Korean. */
  #koreanEndedAt = Number.NEGATIVE_INFINITY;

  /** `send` also means: prevent the default. */
  keydown(key: Key, now: number): Decision {
    if (key.key !== "Enter" || key.shiftKey || key.ctrlKey || key.altKey || key.metaKey) return "leave";
    if (key.isComposing) {
      this.#enterDown = true;
      return "leave";
    }
    if (key.keyCode === 229) {
      return now - this.#koreanEndedAt <= SAME_KEY_PRESS_MS ? "sendSoon" : "leave";
    }
    return "send";
  }

  compositionStart(): void {
    this.#enterDown = false;
  }

  compositionEnd(data: string, now: number): Decision {
    const korean = endsInKorean(data);
    const send = this.#enterDown && korean;
    this.#enterDown = false;
    this.#koreanEndedAt = korean ? now : Number.NEGATIVE_INFINITY;
    return send ? "sendSoon" : "leave";
  }
}

function endsInKorean(text: string): boolean {
  return /\p{Script=Hangul}$/u.test(text);
}

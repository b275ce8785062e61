// What one is about to answer in each room: kept on the device beside the draft, until its message is in the outbox.

import { keep, kept } from "../ui/kept";

/** Characters of an answered message that are kept to be shown. */
const BEGINNING_CHARS_MAX = 200;

/** The message that is answered, and enough of it to show it where it is not loaded. */
export interface Quote {
  seq: number;
  authorName: string;
  /** How it begins. */
  text: string;
}

export class Replies {
  #quotes: ReadonlyMap<string, Quote | null> = $state.raw(new Map());

  constructor(readonly user: string) {}

  /** What the next message of this room answers. */
  get(room: string): Quote | null {
    const quote = this.#quotes.get(room);
    return quote === undefined ? parsed(kept(this.#key(room))) : quote;
  }

  set(room: string, quote: Quote | null): void {
    this.#show(room, quote && { ...quote, text: Array.from(quote.text).slice(0, BEGINNING_CHARS_MAX).join("") });
    this.sent(room);
  }

  /** Gives what the message that is being sent answers; the next one answers nothing. The device keeps it until `sent`. */
  take(room: string): Quote | null {
    const quote = this.get(room);
    this.#show(room, null);
    return quote;
  }

  /** The outbox has the message. */
  sent(room: string): void {
    const quote = this.get(room);
    keep(this.#key(room), quote && JSON.stringify(quote));
  }

  #show(room: string, quote: Quote | null): void {
    this.#quotes = new Map(this.#quotes).set(room, quote);
  }

  #key(room: string): string {
    return `suda.reply.${this.user}.${room}`;
  }
}

/** What other programs or versions left there is no quote. */
function parsed(json: string | null): Quote | null {
  try {
    const { seq, authorName, text } = JSON.parse(json ?? "null") ?? {};
    const isQuote = Number.isSafeInteger(seq) && seq > 0 && typeof authorName === "string" && typeof text === "string";
    return isQuote ? { seq, authorName, text } : null;
  } catch {
    return null;
  }
}

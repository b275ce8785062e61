// One open room: how far its entries were delivered, and whether the next one may be.

import type { Cursor, Entry } from "../protocol/types";
import { waitMs } from "./backoff";
import type { Event } from "./event";

export type Phase =
  | { kind: "closed"; notBefore: number }
  | { kind: "opening" }
  | { kind: "live" }
  /** The next page is to be asked for. */
  | { kind: "page" }
  | { kind: "paging" };

/** What an entry was: the next one, one delivered before, or one that doesn't follow: asking again from the cursor settles it. */
export type Step = "delivered" | "old" | "broken";

export class Stream {
  phase: Phase = { kind: "closed", notBefore: 0 };
  /** Openings in a row after which no entry came. */
  fruitless = 0;
  /** The top that the last heartbeat told and that was lacking. */
  lacked: number | null = null;
  /** Whether the last heartbeat did not list the room. */
  unlisted = false;
  /** Whether the owner asked for the room again while it was open: a removal on its way is of the membership before. */
  wantedAgain = false;
  readonly #fromBeginning: boolean;

  constructor(
    readonly room: string,
    /** The last entry that was delivered; none until the first opening tells where the stream starts. */
    public cursor: Cursor | null,
  ) {
    this.#fromBeginning = cursor?.seq === 0;
  }

  /** To be opened again: at once, unless that was in vain before or a wait was asked for. */
  reopen(now: number, random: () => number, waitMsMin = 0): void {
    const wait = Math.max(this.fruitless === 0 ? 0 : waitMs(this.fruitless, random), waitMsMin);
    this.fruitless += 1;
    this.lacked = null;
    this.unlisted = false;
    this.phase = { kind: "closed", notBefore: now + wait };
  }

  reset(now: number, random: () => number, events: Event[]): void {
    events.push({ kind: "reset", room: this.room });
    this.cursor = this.#fromBeginning ? { seq: 0, id: "" } : null;
    this.reopen(now, random);
  }

  /** Delivers the entry if it is the next one. */
  deliver(entry: Entry, events: Event[]): Step {
    const cursor = this.cursor;
    if (!cursor) return "broken";
    if (entry.seq === cursor.seq + 1) {
      this.cursor = { seq: entry.seq, id: entry.id };
      this.fruitless = 0;
      events.push({ kind: "entry", entry });
      return "delivered";
    }
    return entry.seq > cursor.seq || (entry.seq === cursor.seq && entry.id !== cursor.id) ? "broken" : "old";
  }
}

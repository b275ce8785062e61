// One room's timeline: what is loaded of it, what comes, and how far one has read.

import type { Cursor, Entry, Message } from "../protocol/types";
import { History } from "./history";

/** Messages that a room which nobody looks at keeps. */
const BACKGROUND_MESSAGES_MAX = 200;

/** Asks the server for a page of messages before a seq, newest first. */
export type Pager = (beforeSeq: number) => Promise<{ messages: Message[]; more: boolean }>;

export class Timeline {
  readonly #history = new History();
  #changes = $state(0);
  /** Whether older ones exist. */
  more = $state(true);
  loading = $state(false);
  /** The last entry that came, of any kind; null before the stream first opened. */
  cursor: Cursor | null = $state.raw(null);
  /** Where the room stood when its stream was first opened. */
  #openedAt = $state(0);
  /** Whether what was missed until then has come. */
  caughtUp: boolean = $derived(this.cursor !== null && this.cursor.seq >= this.#openedAt);
  /** Up to where one had read when the room was entered; null once there is no mark to show. */
  readSeq: number | null = $state(null);
  /** Whether somebody looks at it. */
  viewed = false;
  /** New with each reset and trim: a page asked for before would not fit any more. */
  #past = 0;

  constructor(readonly pager: Pager) {}

  /** Oldest first. The same array may come again with more at its end: whoever reads it is told of each change. */
  get messages(): readonly Message[] {
    this.#changes;
    return this.#history.messages;
  }

  /** The message of that seq, if it is loaded. */
  find(seq: number): Message | undefined {
    this.#changes;
    return this.#history.find(seq);
  }

  /** How many messages of others are loaded after a seq. */
  countAfter(seq: number, me: string): number {
    this.#changes;
    return this.#history.countAfter(seq, me);
  }

  /** The stream is open: entries after the cursor follow. */
  opened(after: Cursor, top: Cursor): void {
    if (this.cursor === null) {
      this.cursor = after;
      this.#openedAt = top.seq;
    }
  }

  entry(entry: Entry): void {
    this.cursor = { seq: entry.seq, id: entry.id };
    if (entry.what.kind !== "messagePosted") return;
    const { seq, id, author, authorName, atMs } = entry;
    this.#history.append({ seq, id, author, authorName, atMs, text: entry.what.text, replyTo: entry.what.replyTo });
    if (!this.viewed && this.#history.count > 2 * BACKGROUND_MESSAGES_MAX) {
      this.#history.trim(BACKGROUND_MESSAGES_MAX);
    }
    this.#publish();
  }

  /** What is here belongs to another past. */
  reset(): void {
    this.#past += 1;
    this.#history.clear();
    this.cursor = null;
    this.readSeq = null;
    this.loading = false;
    this.#publish();
  }

  /** Loads a page of older messages, unless one is on its way or there are none. */
  async loadOlder(): Promise<void> {
    if (this.loading || !this.more || !this.cursor) return;
    const past = this.#past;
    this.loading = true;
    try {
      const oldest = this.messages[0]?.seq ?? this.cursor.seq + 1;
      const page = await this.pager(oldest);
      if (past !== this.#past) return;
      this.#history.prepend(page.messages, page.more);
      this.#publish();
    } finally {
      if (past === this.#past) this.loading = false;
    }
  }

  /** Somebody looks at it now; they had read up to this seq, or all of it. */
  enter(readSeq: number | null): void {
    this.viewed = true;
    this.readSeq = readSeq;
  }

  /** Nobody looks at it any more. */
  leave(): void {
    this.viewed = false;
    this.readSeq = null;
    this.#past += 1;
    this.loading = false;
    this.#history.trim(BACKGROUND_MESSAGES_MAX);
    this.#publish();
  }

  #publish(): void {
    this.#changes += 1;
    this.more = this.#history.more;
  }
}

// From messages to rows: which message begins a day, which opens a group of one author, where one left off.

import type { Item } from "../outbox/item";
import type { Message } from "../protocol/types";

/** Messages of one author that follow one another within this stand under one name. */
const GROUP_MS = 5 * 60 * 1000;

export type Row =
  /** Above the oldest loaded message: older ones come, or this is the room's beginning. */
  | { kind: "top"; key: "top"; more: boolean }
  | {
      kind: "message";
      key: string;
      message: Message;
      /** Whether a day begins with it. */
      day: boolean;
      /** Whether it opens a group: the author's name and the time stand above it. */
      head: boolean;
      /** Whether one left off right before it. */
      unread: boolean;
      mine: boolean;
    }
  | { kind: "waiting"; key: string; item: Item; head: boolean; day: boolean };

export interface Facts {
  messages: readonly Message[];
  more: boolean;
  waiting: readonly Item[];
  me: string;
  /** The seq up to which one had read when the room was opened; null where there is no mark to show. */
  readSeq: number | null;
}

/** What all rows depend on: where it changes, they are made anew. */
type Frame = Omit<Facts, "messages" | "waiting">;

/** A room's rows, which grow with it: a message at the end costs one row, however many stand above it. */
export class Rows {
  #rows: Row[] = [];
  /** How many of the rows are messages: they follow the top, and what waits follows them. */
  #count = 0;
  #frame: Frame | undefined;
  #first: Message | undefined;
  #last: Message | undefined;
  #days = new Days();
  #marked = false;

  /** The rows of these facts: the same array as before, with more at its end, where only messages at the end are new. */
  of({ messages, waiting, ...frame }: Facts): readonly Row[] {
    if (!this.#continues(messages, frame)) this.#begin(frame);
    this.#rows.length = this.#count + 1;
    while (this.#count < messages.length) this.#add(messages[this.#count]!, frame);
    this.#first = messages[0];
    this.#wait(waiting, frame.me);
    return this.#rows;
  }

  /** Whether all that there was is there still. A stretch with the same ends is the same between them, says `History`. */
  #continues(messages: readonly Message[], { more, me, readSeq }: Frame): boolean {
    const before = this.#frame;
    if (!before || before.more !== more || before.me !== me || before.readSeq !== readSeq) return false;
    return this.#count === 0 || (messages[0] === this.#first && messages[this.#count - 1] === this.#last);
  }

  #begin(frame: Frame): void {
    this.#frame = frame;
    this.#rows = [{ kind: "top", key: "top", more: frame.more }];
    this.#count = 0;
    this.#last = undefined;
    this.#days = new Days();
    this.#marked = frame.readSeq === null;
  }

  #add(message: Message, { more, me, readSeq }: Frame): void {
    const after = !this.#marked && message.seq > readSeq!;
    // Where the oldest loaded message is unread already, the place where one left off is further up.
    const known = this.#last !== undefined || !more;
    const unread = after && known && message.author !== me;
    this.#marked ||= unread || (after && !known);
    const day = !this.#days.isSame(message.atMs);
    const head = day || unread || !grouped(this.#last, message.author, message.atMs);
    this.#rows.push({ kind: "message", key: message.id, message, day, head, unread, mine: message.author === me });
    this.#count += 1;
    this.#last = message;
  }

  #wait(waiting: readonly Item[], me: string): void {
    const days = this.#days.copy();
    let previous: { author: string; atMs: number } | undefined = this.#last;
    for (const item of waiting) {
      const day = !days.isSame(item.at);
      const head = day || !grouped(previous, me, item.at);
      this.#rows.push({ kind: "waiting", key: item.clientId, item, head, day });
      previous = { author: me, atMs: item.at };
    }
  }
}

function grouped(previous: { author: string; atMs: number } | undefined, author: string, atMs: number): boolean {
  return previous !== undefined && previous.author === author && atMs - previous.atMs < GROUP_MS;
}

/** The day of the last time that was asked for, in the reader's own time zone: its bounds, so that few dates are made for many rows. */
class Days {
  #start = 0;
  #end = 0;

  copy(): Days {
    const copy = new Days();
    copy.#start = this.#start;
    copy.#end = this.#end;
    return copy;
  }

  /** Whether it is the same day as the time before. */
  isSame(atMs: number): boolean {
    if (atMs >= this.#start && atMs < this.#end) return true;
    const date = new Date(atMs);
    this.#start = date.setHours(0, 0, 0, 0);
    this.#end = date.setDate(date.getDate() + 1);
    return false;
  }
}

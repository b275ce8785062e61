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

export function buildRows({ messages, more, waiting, me, readSeq }: Facts): Row[] {
  const rows: Row[] = [{ kind: "top", key: "top", more }];
  const days = new Days();
  let previous: Message | undefined;
  let marked = readSeq === null;
  for (const message of messages) {
    const after = !marked && message.seq > readSeq!;
    // Where the oldest loaded message is unread already, the place where one left off is further up.
    const known = previous !== undefined || !more;
    const unread = after && known && message.author !== me;
    marked ||= unread || (after && !known);
    const day = !days.isSame(message.atMs);
    const head = day || unread || !grouped(previous!, message.author, message.atMs);
    rows.push({ kind: "message", key: message.id, message, day, head, unread, mine: message.author === me });
    previous = message;
  }
  for (const item of waiting) {
    const day = !days.isSame(item.at);
    const head = day || !grouped(previous!, me, item.at);
    rows.push({ kind: "waiting", key: item.clientId, item, head, day });
    previous = { seq: 0, id: "", author: me, authorName: "", atMs: item.at, text: "", replyTo: 0 };
  }
  return rows;
}

function grouped(previous: Message, author: string, atMs: number): boolean {
  return previous.author === author && atMs - previous.atMs < GROUP_MS;
}

/** The day of the last time that was asked for, in the reader's own time zone: its bounds, so that few dates are made for many rows. */
class Days {
  #start = 0;
  #end = 0;

  /** Whether it is the same day as the time before. */
  isSame(atMs: number): boolean {
    if (atMs >= this.#start && atMs < this.#end) return true;
    const date = new Date(atMs);
    this.#start = date.setHours(0, 0, 0, 0);
    this.#end = date.setDate(date.getDate() + 1);
    return false;
  }
}

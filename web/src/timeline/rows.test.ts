import { describe, expect, it } from "vitest";
import type { Message } from "../protocol/types";
import { History } from "./history";
import { buildRows, type Row } from "./rows";

const NOON = new Date(2026, 10, 21, 12).getTime();
const MINUTE = 60_000;

function message(seq: number, minutes = seq, author = "a"): Message {
  return {
    seq,
    id: `id-${seq}`,
    author,
    authorName: author,
    atMs: NOON + minutes * MINUTE,
    text: `${seq}`,
    replyTo: 0,
  };
}

function rows(messages: Message[], readSeq: number | null = null): Extract<Row, { kind: "message" }>[] {
  const all = buildRows({ messages, more: false, waiting: [], me: "me", readSeq });
  return all.filter((row) => row.kind === "message");
}

describe("rows", () => {
  it("group what one author says within five minutes", () => {
    const heads = rows([message(1, 0), message(2, 1), message(3, 2, "b"), message(4, 3, "b"), message(5, 9, "b")]);
    expect(heads.map((row) => row.head)).toEqual([true, false, true, false, true]);
  });

  it("divide days where the reader is", () => {
    const days = rows([message(1, 0), message(2, 12 * 60 - 1), message(3, 12 * 60), message(4, 12 * 60 + 1)]);
    expect(days.map((row) => row.day)).toEqual([true, false, true, false]);
    expect(days[2]?.head).toBe(true);
  });

  it("mark where one left off, before the first message of somebody else", () => {
    const list = [message(1), message(2), message(3, 3, "me"), message(4), message(5)];
    expect(rows(list, 2).map((row) => row.unread)).toEqual([false, false, false, true, false]);
    expect(rows(list, 5).some((row) => row.unread)).toBe(false);
    expect(rows(list, null).some((row) => row.unread)).toBe(false);
  });

  it("show no mark while the place where one left off is not loaded", () => {
    const all = buildRows({ messages: [message(4), message(5)], more: true, waiting: [], me: "me", readSeq: 2 });
    expect(all.some((row) => row.kind === "message" && row.unread)).toBe(false);
  });

  it("keep their keys when older messages come", () => {
    const before = rows([message(3), message(4)]);
    const after = rows([message(1), message(2), message(3), message(4)]);
    expect(after.slice(2).map((row) => row.key)).toEqual(before.map((row) => row.key));
  });
});

describe("history", () => {
  const seqs = (history: History) => history.messages.map((one) => one.seq);

  it("grows at both ends without doubles", () => {
    const history = new History();
    history.append(message(5));
    history.append(message(5));
    history.append(message(6));
    expect(history.prepend([message(6), message(5), message(4), message(3)], true)).toBe(2);
    expect(seqs(history)).toEqual([3, 4, 5, 6]);
    expect(history.prepend([message(2), message(1)], false)).toBe(2);
    expect(seqs(history)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(history.more).toBe(false);
  });

  it("lets go of the oldest", () => {
    const history = new History();
    history.prepend([message(3), message(2), message(1)], false);
    history.trim(2);
    expect(seqs(history)).toEqual([2, 3]);
    expect(history.more).toBe(true);
  });
});

import { describe, expect, it } from "vitest";
import type { Item } from "../outbox/item";
import type { Message } from "../protocol/types";
import { History } from "./history";
import { type Facts, type Row, Rows } from "./rows";

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

const buildRows = (facts: Facts) => new Rows().of(facts);

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

describe("rows that grow", () => {
  const facts = (messages: readonly Message[], over: Partial<Facts> = {}): Facts => ({
    messages,
    more: false,
    waiting: [],
    me: "me",
    readSeq: null,
    ...over,
  });

  const waiting = (at: number): Item => ({
    clientId: `c-${at}`,
    user: "me",
    room: "room",
    text: "",
    replyTo: 0,
    at,
    state: { kind: "queued" },
  });

  it("look at a few messages for each that comes, however many there are", () => {
    let looks = 0;
    const watched = (seq: number) =>
      new Proxy(message(seq), {
        get(target, name, receiver) {
          looks += 1;
          return Reflect.get(target, name, receiver);
        },
      });
    const history = new History();
    const rows = new Rows();
    const HELD_MESSAGES = 10_000;
    const BURST_MESSAGES = 500;
    for (let seq = 1; seq <= HELD_MESSAGES; seq++) history.append(watched(seq));
    rows.of(facts(history.messages));
    looks = 0;
    for (let seq = 1; seq <= BURST_MESSAGES; seq++) {
      history.append(watched(HELD_MESSAGES + seq));
      rows.of(facts(history.messages));
      history.find(HELD_MESSAGES / 2);
      history.countAfter(HELD_MESSAGES + seq - 1, "me");
    }
    expect(looks / BURST_MESSAGES).toBeLessThan(100);
    expect(rows.of(facts(history.messages))).toHaveLength(1 + HELD_MESSAGES + BURST_MESSAGES);
  });

  it("are at each step what they would be if made anew", () => {
    const history = new History();
    const rows = new Rows();
    const same = (over: Partial<Facts> = {}) => {
      const now = facts(history.messages, { more: history.more, ...over });
      expect(rows.of(now)).toEqual(buildRows(now));
    };
    same();
    same({ waiting: [waiting(NOON)] });
    for (let seq = 10; seq < 16; seq++) {
      history.append(message(seq, seq * 200, seq % 3 ? "a" : "me"));
      same();
      same({ readSeq: 12 });
      same({ readSeq: 12, waiting: [waiting(NOON + seq * 200 * MINUTE), waiting(NOON + 24 * 60 * MINUTE)] });
      same({ readSeq: 12 });
    }
    history.prepend([message(9), message(8), message(7)], true);
    same({ readSeq: 12 });
    history.append(message(16, 3_300));
    same({ readSeq: 12 });
    history.prepend([message(6), message(5)], false);
    same({ readSeq: 5 });
    history.trim(4);
    same();
    history.clear();
    same();
    history.append(message(1));
    same();
  });

  it("stay the same objects, so that nothing that is shown is drawn again", () => {
    const history = new History();
    const rows = new Rows();
    for (let seq = 1; seq <= 3; seq++) history.append(message(seq));
    const before = [...rows.of(facts(history.messages))];
    history.append(message(4));
    const after = rows.of(facts(history.messages));
    expect(before.every((row, index) => row === after[index])).toBe(true);
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

  it("finds a message, and counts what others said after one", () => {
    const history = new History();
    for (const seq of [2, 3, 5, 9]) history.append(message(seq, seq, seq === 5 ? "me" : "a"));
    expect([1, 2, 4, 5, 9, 10].map((seq) => history.find(seq)?.seq)).toEqual([
      undefined,
      2,
      undefined,
      5,
      9,
      undefined,
    ]);
    expect([0, 2, 3, 4, 9].map((seq) => history.countAfter(seq, "me"))).toEqual([3, 2, 1, 1, 0]);
  });

  it("lets go of the oldest", () => {
    const history = new History();
    history.prepend([message(3), message(2), message(1)], false);
    history.trim(2);
    expect(seqs(history)).toEqual([2, 3]);
    expect(history.more).toBe(true);
  });
});

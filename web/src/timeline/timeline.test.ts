import { describe, expect, it } from "vitest";
import type { Entry, Message } from "../protocol/types";
import { Timeline } from "./timeline.svelte";

const cursor = (seq: number) => ({ seq, id: `id-${seq}` });

function message(seq: number): Message {
  return { seq, id: `id-${seq}`, author: "a", authorName: "하늘", atMs: seq, text: `${seq}`, replyTo: 0 };
}

function entry(seq: number): Entry {
  const { text, replyTo, ...rest } = message(seq);
  return { ...rest, room: "room", what: { kind: "messagePosted", text, replyTo } };
}

/** A server with messages 1 to `top`, whose answers come when the test says so. */
function timeline(top: number) {
  const answers: (() => void)[] = [];
  const made = new Timeline((beforeSeq) => {
    const seqs = Array.from({ length: Math.min(beforeSeq - 1, top, 100) }, (_, index) => beforeSeq - 1 - index);
    const page = { messages: seqs.map(message), more: (seqs.at(-1) ?? 1) > 1 };
    return new Promise((done) => answers.push(() => done(page)));
  });
  const seqs = () => made.messages.map((one) => one.seq);
  const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);
  return { made, answers, seqs, range };
}

describe("a timeline", () => {
  it("has caught up once it has what the room had when it was opened", () => {
    const { made, seqs } = timeline(5);
    expect(made.caughtUp).toBe(false);
    made.opened(cursor(3), cursor(5));
    expect(made.caughtUp).toBe(false);
    made.entry(entry(4));
    made.entry(entry(5));
    expect(made.caughtUp).toBe(true);
    expect(seqs()).toEqual([4, 5]);
  });

  it("loads older messages one page at a time, without a hole to what came meanwhile", async () => {
    const { made, answers, seqs, range } = timeline(300);
    made.enter(null);
    made.opened(cursor(300), cursor(300));
    const first = made.loadOlder();
    void made.loadOlder();
    made.entry(entry(301));
    expect(answers).toHaveLength(1);
    answers[0]?.();
    await first;
    expect(seqs()).toEqual(range(201, 301));
    const second = made.loadOlder();
    answers[1]?.();
    await second;
    expect(seqs()).toEqual(range(101, 301));
    expect(made.more).toBe(true);
  });

  it("takes no page that was asked for before it let go of messages, or before another past", async () => {
    for (const letGo of [(made: Timeline) => made.leave(), (made: Timeline) => made.reset()]) {
      const { made, answers, seqs } = timeline(900);
      made.enter(null);
      made.opened(cursor(600), cursor(600));
      for (let seq = 601; seq <= 900; seq++) made.entry(entry(seq));
      const asked = made.loadOlder();
      letGo(made);
      answers[0]?.();
      await asked;
      const left = seqs();
      expect(left).toEqual(left.length === 0 ? [] : Array.from({ length: 200 }, (_, index) => 701 + index));
      expect(made.loading).toBe(false);
    }
  });

  it("that nobody looks at stays small", () => {
    const { made, seqs } = timeline(0);
    made.opened(cursor(0), cursor(0));
    for (let seq = 1; seq <= 5_000; seq++) made.entry(entry(seq));
    expect(made.messages.length).toBeLessThanOrEqual(400);
    expect(seqs().at(-1)).toBe(5_000);
    expect(made.more).toBe(true);
  });
});

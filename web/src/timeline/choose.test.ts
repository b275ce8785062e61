import { describe, expect, it } from "vitest";
import type { Message } from "../protocol/types";
import { firstChoice, nextChoice } from "./choose";
import { beginning } from "./clean";

const messages = [2, 3, 6].map(
  (seq): Message => ({ seq, id: `${seq}`, author: "a", authorName: "하늘", atMs: seq, text: "", replyTo: 0 }),
);

describe("choosing a message to answer", () => {
  it("begins at the newest, or where one was", () => {
    expect(firstChoice(messages, null)?.seq).toBe(6);
    expect(firstChoice(messages, 3)?.seq).toBe(3);
    expect(firstChoice(messages, 5)?.seq).toBe(3);
    expect(firstChoice(messages, 1)?.seq).toBe(2);
    expect(firstChoice([], null)).toBeUndefined();
  });

  it("steps over the messages, and stays at the ends", () => {
    expect(nextChoice(messages, 6, "older")?.seq).toBe(3);
    expect(nextChoice(messages, 3, "newer")?.seq).toBe(6);
    expect(nextChoice(messages, 2, "older")?.seq).toBe(2);
    expect(nextChoice(messages, 6, "newer")?.seq).toBe(6);
  });
});

describe("how a message begins", () => {
  it("is its first line that has something to see", () => {
    expect(beginning("\n\u200B\n  저녁은요?  \n둘째 줄")).toBe("저녁은요?");
    expect(beginning("a\u202Eb")).toBe("ab");
    expect(beginning("\u200B\n")).toBe("");
  });
});

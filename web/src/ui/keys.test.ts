import { describe, expect, it } from "vitest";
import { actionOf, type Stroke } from "./keys";

const stroke = (over: Partial<Stroke>): Stroke => ({
  key: "",
  code: "",
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  isComposing: false,
  ...over,
});

describe("keys", () => {
  it("go by place, so that a Korean layout has them too", () => {
    expect(actionOf(stroke({ code: "KeyK", key: "ㅏ", ctrlKey: true }), true)).toBe("find");
    expect(actionOf(stroke({ code: "KeyK", key: "k", metaKey: true }), true)).toBe("find");
  });

  it("leave plain characters to whoever is writing, and everything to a composition", () => {
    expect(actionOf(stroke({ key: "?", code: "Slash" }), true)).toBeNull();
    expect(actionOf(stroke({ key: "?", code: "Slash" }), false)).toBe("help");
    expect(actionOf(stroke({ code: "ArrowDown", altKey: true, isComposing: true }), true)).toBeNull();
  });

  it("read back, and answer", () => {
    expect(actionOf(stroke({ code: "KeyR", key: "ㄱ", altKey: true }), true)).toBe("read");
    expect(actionOf(stroke({ code: "KeyR", key: "ㄲ", altKey: true, shiftKey: true }), true)).toBe("reply");
  });

  it("walk the rooms", () => {
    expect(actionOf(stroke({ code: "ArrowDown", altKey: true }), true)).toBe("nextRoom");
    expect(actionOf(stroke({ code: "ArrowUp", altKey: true }), true)).toBe("previousRoom");
    expect(actionOf(stroke({ code: "ArrowDown", altKey: true, shiftKey: true }), true)).toBe("nextUnread");
  });
});

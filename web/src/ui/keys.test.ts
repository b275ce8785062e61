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
    expect(actionOf(stroke({ code: "KeyK", key: "ㅏ", ctrlKey: true }), true, true)).toBe("find");
    expect(actionOf(stroke({ code: "KeyK", key: "k", metaKey: true }), true, true)).toBe("find");
  });

  it("leave plain characters to whoever is writing, and everything to a composition", () => {
    expect(actionOf(stroke({ key: "?", code: "Slash" }), true, true)).toBeNull();
    expect(actionOf(stroke({ key: "?", code: "Slash" }), false, false)).toBe("help");
    expect(actionOf(stroke({ code: "ArrowDown", altKey: true, isComposing: true }), true, true)).toBeNull();
  });

  it("leave AltGr to the layout, and the caret's keys to whoever is writing", () => {
    expect(actionOf(stroke({ code: "KeyM", key: "µ", ctrlKey: true, altKey: true }), true, true)).toBeNull();
    expect(actionOf(stroke({ code: "End", key: "End", ctrlKey: true }), true, true)).toBeNull();
    expect(actionOf(stroke({ code: "End", key: "End", ctrlKey: true }), true, false)).toBe("newest");
    expect(actionOf(stroke({ code: "End", key: "End", ctrlKey: true }), false, false)).toBe("newest");
  });

  it("read back, and answer", () => {
    expect(actionOf(stroke({ code: "KeyR", key: "ㄱ", altKey: true }), true, true)).toBe("read");
    expect(actionOf(stroke({ code: "KeyR", key: "ㄲ", altKey: true, shiftKey: true }), true, true)).toBe("reply");
  });

  it("walk the rooms", () => {
    expect(actionOf(stroke({ code: "ArrowDown", altKey: true }), true, true)).toBe("nextRoom");
    expect(actionOf(stroke({ code: "ArrowUp", altKey: true }), true, true)).toBe("previousRoom");
    expect(actionOf(stroke({ code: "ArrowDown", altKey: true, shiftKey: true }), true, true)).toBe("nextUnread");
  });
});

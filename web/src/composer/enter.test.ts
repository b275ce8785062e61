import { describe, expect, it } from "vitest";
import { EnterKey, type Key } from "./enter";

const enter: Key = {
  key: "Enter",
  keyCode: 13,
  isComposing: false,
  shiftKey: false,
  ctrlKey: false,
  altKey: false,
  metaKey: false,
};
const composing: Key = { ...enter, keyCode: 229, isComposing: true };
const safari: Key = { ...enter, keyCode: 229 };

describe("Enter", () => {
  it("sends, but with Shift it breaks the line", () => {
    const key = new EnterKey();
    expect(key.keydown(enter, 0)).toBe("send");
    expect(key.keydown({ ...enter, shiftKey: true }, 0)).toBe("leave");
    expect(key.keydown({ ...enter, key: "a", keyCode: 65 }, 0)).toBe("leave");
  });

  it("that ends a Korean syllable sends once it is whole (Chrome, Firefox)", () => {
    const key = new EnterKey();
    key.compositionStart();
    expect(key.keydown(composing, 0)).toBe("leave");
    expect(key.compositionEnd("요", 1)).toBe("sendSoon");
  });

  it("that ends a Korean syllable sends once it is whole (Safari)", () => {
    const key = new EnterKey();
    key.compositionStart();
    expect(key.compositionEnd("요", 100)).toBe("leave");
    expect(key.keydown(safari, 101)).toBe("sendSoon");
  });

  it("that takes a Japanese or Chinese candidate sends nothing", () => {
    for (const data of ["日本", "にほん", "漢字", ""]) {
      const chrome = new EnterKey();
      chrome.compositionStart();
      expect(chrome.keydown(composing, 0)).toBe("leave");
      expect(chrome.compositionEnd(data, 1)).toBe("leave");
      const other = new EnterKey();
      other.compositionStart();
      expect(other.compositionEnd(data, 100)).toBe("leave");
      expect(other.keydown(safari, 101)).toBe("leave");
    }
  });

  it("after a composition that a space or a click ended sends as always", () => {
    const key = new EnterKey();
    key.compositionStart();
    expect(key.compositionEnd("요", 0)).toBe("leave");
    expect(key.keydown(enter, 500)).toBe("send");
  });

  it("of an earlier composition is forgotten", () => {
    const key = new EnterKey();
    key.compositionStart();
    key.keydown(composing, 0);
    key.compositionEnd("日", 1);
    key.compositionStart();
    expect(key.compositionEnd("요", 2)).toBe("leave");
  });
});

// Which keys do what, everywhere on the page. `Shortcuts` tells people of them.

export type Action =
  | "find"
  | "nextRoom"
  | "previousRoom"
  | "nextUnread"
  | "write"
  | "read"
  | "reply"
  | "newest"
  | "help";

export interface Stroke {
  key: string;
  code: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
  isComposing: boolean;
}

/** What a key press means; `writing`: whether the focus is where text is typed, `typed`: whether some stands there. */
export function actionOf(stroke: Stroke, writing: boolean, typed: boolean): Action | null {
  if (stroke.isComposing) return null;
  // AltGr, which types characters on many layouts.
  if (stroke.ctrlKey && stroke.altKey) return null;
  // By place, not by letter: with a Korean layout the K key gives ㅏ.
  if (stroke.ctrlKey || stroke.metaKey) {
    if (stroke.code === "KeyK") return "find";
    if (stroke.code === "Slash") return "help";
    // In a text it is the caret's way to the end.
    if (stroke.code === "End" && !typed) return "newest";
    return null;
  }
  if (stroke.altKey) {
    if (stroke.code === "ArrowDown") return stroke.shiftKey ? "nextUnread" : "nextRoom";
    if (stroke.code === "ArrowUp") return stroke.shiftKey ? null : "previousRoom";
    if (stroke.code === "KeyR") return stroke.shiftKey ? "reply" : "read";
    if (stroke.code === "KeyW" || stroke.code === "KeyM") return "write";
    return null;
  }
  if (writing) return null;
  if (stroke.key === "?") return "help";
  if (stroke.key === "/" || stroke.code === "KeyI") return "write";
  return null;
}

// Text that somebody else wrote, made unable to disturb what stands around it: characters that turn the direction of
// neighbouring text, floods of invisible characters, towers of combining marks. What languages need of these stays.

/** Combining marks on one letter: Vietnamese and Hebrew need up to three or four. */
const MARKS_MAX = 4;

// Embeddings, overrides and isolates: what a browser does with `dir="auto"` and <bdi> replaces them.
const DIRECTION = /[\u202A-\u202E\u2066-\u2069]/gu;

// Controls but for line feed and tab; and what Unicode calls deprecated or not a character.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is to be found
const CONTROLS = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u206A-\u206F\uFFF9-\uFFFB\u{E0000}-\u{E0001}]/gu;

// Soft hyphen, joiners, fillers, direction marks, variation selectors: nothing to see of them.
const NOTHING =
  "\\u00AD\\u034F\\u061C\\u115F\\u1160\\u17B4\\u17B5\\u180E\\u200B-\\u200F\\u2060-\\u2064\\u3164\\uFE00-\\uFE0F\\uFEFF\\uFFA0";

// More than two in a row have no meaning in any script; emoji sequences use single joiners.
const INVISIBLE = new RegExp(`([${NOTHING}]{2})[${NOTHING}]+`, "gu");

const VISIBLE = new RegExp(`[^\\p{Z}\\p{C}${NOTHING}]`, "u");

const MARKS = new RegExp(`(\\p{M}{${MARKS_MAX}})\\p{M}+`, "gu");

/** A message's text. */
export function cleanText(text: string): string {
  return text
    .replace(/\r\n?/g, "\n")
    .replace(CONTROLS, "")
    .replace(DIRECTION, "")
    .replace(INVISIBLE, "$1")
    .replace(MARKS, "$1");
}

/** A name: one line. */
export function cleanName(name: string): string {
  return cleanText(name).replace(/\s+/gu, " ").trim();
}

/** Whether anybody could see something of it. */
export function isVisible(text: string): boolean {
  return VISIBLE.test(text);
}

/** How a text begins: its first line that has something to see. */
export function beginning(text: string): string {
  return cleanText(text).split("\n").find(isVisible)?.trim() ?? "";
}

// Markdown's subset for messages, as safe HTML: bold, italic, strikethrough, code, code blocks, links, quotes, lists. Everything
// else stays the text that it is. marked reads it, our renderer writes only what the subset has, DOMPurify has the last word.

import DOMPurify from "dompurify";
import { Marked, Tokenizer, type Tokens } from "marked";
import { cleanText } from "./clean";

/** Rendered messages that are kept: more than are ever on screen. */
const CACHE_MAX = 1_000;

/** How deep quotes, lists and emphasis may stand within each other; what is deeper is text. */
export const NESTING_MAX = 16;

/** Runs of `*`, `_` and `~` in one message: finding their pairs takes time with their square. With more, they are text. */
const EMPHASIS_MAX = 400;
const EMPHASIS = /[*_~]+/g;

let depth = 0;
let emphasises = true;

/** marked's own rule, but not within too many others: it calls itself for each level, and a message must not exhaust the stack. */
function bounded<Args extends unknown[], T>(rule: (this: Tokenizer, ...args: Args) => T) {
  return function (this: Tokenizer, ...args: Args): T | undefined {
    if (depth >= NESTING_MAX) return undefined;
    depth += 1;
    try {
      return rule.apply(this, args);
    } finally {
      depth -= 1;
    }
  };
}

const rules = Tokenizer.prototype;

const marked = new Marked({
  gfm: true,
  // A line break is one: people type chat, not paragraphs.
  breaks: true,
  tokenizer: {
    // Not of the subset: text, not markup.
    heading: () => undefined,
    lheading: () => undefined,
    hr: () => undefined,
    table: () => undefined,
    html: () => undefined,
    tag: () => undefined,
    def: () => undefined,
    reflink: () => undefined,
    blockquote: bounded(rules.blockquote),
    list: bounded(rules.list),
    emStrong: bounded(function (...args) {
      return emphasises ? rules.emStrong.apply(this, args) : undefined;
    }),
    del: bounded(function (...args) {
      return emphasises ? rules.del.apply(this, args) : undefined;
    }),
    link: bounded(rules.link),
  },
  renderer: {
    html: ({ text }) => escaped(text),
    text(token) {
      if ("tokens" in token && token.tokens) return this.parser.parseInline(token.tokens);
      // Once more: a character written as a reference (&#8238;) is one only now.
      return escaped(cleanText(token.text));
    },
    // A picture would be a request to somebody else's server: its link says enough.
    image: ({ href, text }) => link(href, escaped(text || href)),
    link(token: Tokens.Link) {
      return link(token.href, this.parser.parseInline(token.tokens));
    },
    code: ({ text }) => `<pre tabindex="0"><code>${escaped(text)}</code></pre>`,
    checkbox: ({ checked }) => (checked ? "☑ " : "☐ "),
  },
});

const SAFE_LINK = /^(?:https?:\/\/|mailto:)/i;

const POLICY = {
  ALLOWED_TAGS: ["p", "br", "strong", "em", "del", "code", "pre", "a", "blockquote", "ul", "ol", "li"],
  ALLOWED_ATTR: ["href", "target", "rel", "start", "tabindex"],
  ALLOWED_URI_REGEXP: SAFE_LINK,
  // What is no address is not to be measured as one.
  ADD_URI_SAFE_ATTR: ["target", "rel", "start", "tabindex"],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
};

const cache = new Map<string, string>();

/** HTML that is safe to put into the page. */
export function render(text: string): string {
  const known = cache.get(text);
  if (known !== undefined) return known;
  const html = DOMPurify.sanitize(toHtml(text), POLICY);
  if (cache.size >= CACHE_MAX) cache.clear();
  cache.set(text, html);
  return html;
}

/** The subset as HTML, before DOMPurify's word. */
export function toHtml(text: string): string {
  const clean = cleanText(text);
  emphasises = (clean.match(EMPHASIS)?.length ?? 0) <= EMPHASIS_MAX;
  return marked.parse(clean, { async: false });
}

function link(href: string, inner: string): string {
  if (!SAFE_LINK.test(href) || !URL.canParse(href)) return inner;
  return `<a href="${escaped(href)}" target="_blank" rel="noopener noreferrer nofollow ugc">${inner}</a>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

// Markdown's subset for messages, as safe HTML: bold, italic, strikethrough, code, code blocks, links, quotes, lists. Everything
// else stays the text that it is. marked reads it, our renderer writes only what the subset has, DOMPurify has the last word.

import DOMPurify from "dompurify";
import { Marked, type Tokens } from "marked";
import { cleanText } from "./clean";

/** Rendered messages that are kept: more than are ever on screen. */
const CACHE_MAX = 1_000;

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
  },
  renderer: {
    html: ({ text }) => escaped(text),
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
  return marked.parse(cleanText(text), { async: false });
}

function link(href: string, inner: string): string {
  if (!SAFE_LINK.test(href) || !URL.canParse(href)) return inner;
  return `<a href="${escaped(href)}" target="_blank" rel="noopener noreferrer nofollow ugc">${inner}</a>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

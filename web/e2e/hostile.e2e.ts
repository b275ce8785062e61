// What somebody else writes is text: it runs nothing, asks for nothing, and disturbs nothing around it.

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launch, Person } from "./support/browser";
import { Program } from "./support/program";
import { Server } from "./support/server";

let server: Server;
let browser: Browser;
let person: Person;
let other: Program;
let lobby: string;

beforeAll(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
  person = await Person.open(browser, server, "하늘");
  await person.setUp();
  await person.go("lobby");
  other = await Program.connect(server.url, await server.signUp("바다"));
  lobby = await other.join("lobby");
});

afterAll(async () => {
  other?.close();
  await browser?.close();
  await server?.remove();
});

const CASES: [name: string, text: string][] = [
  ["a script", "<script>window.hacked = 1</script>"],
  ["a picture with a handler", '<img src=x onerror="window.hacked = 1">'],
  ["a picture from elsewhere", "![x](https://evil.example/x.png)"],
  ["a drawing with a handler", '<svg onload="window.hacked = 1"><script>window.hacked = 1</script></svg>'],
  ["a frame", '<iframe src="https://evil.example"></iframe>'],
  ["a style", "<style>* { display: none }</style>"],
  ["a form", '<form action="https://evil.example"><button>여기</button></form>'],
  ["a javascript: link", "[누르세요](javascript:window.hacked=1)"],
  [
    "a javascript: link in disguise",
    "[누르세요](jAvAsCrIpT&colon;window.hacked=1) [x](&#106;avascript:window.hacked=1)",
  ],
  ["a link with a tab", "[x](java\tscript:window.hacked=1) <java\nscript:alert(1)>"],
  ["a data: link", "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)"],
  ["a link that breaks out", '[x](https://example.org/"onmouseover="window.hacked=1)'],
  ["a title that breaks out", "[x](https://example.org '\"><img src=x onerror=window.hacked=1>')"],
  ["code that breaks out", "```\n</code></pre><script>window.hacked = 1</script>\n```"],
  ["a language that breaks out", '```"><img/src=x/onerror=window.hacked=1>\nx\n```'],
  [
    "mutation",
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=window.hacked=1&gt;">',
  ],
  ["terminal escapes", "\u001b]0;제목\u0007\u001b[2J\u001b[31m빨강"],
  ["right-to-left overrides", "\u202Egnp.exe\u202C 다음 \u2067거꾸로"],
  ["a flood of nothing", `x${"\u200B\u200D\u2060".repeat(1_500)}y`],
  ["overrides by reference", "&#x202E;gpj.exe &#8238;x"],
  ["a flood of nothing by reference", `x${"&#8203;".repeat(2_000)}y`],
  ["a tower of marks by reference", `e${"&#769;".repeat(2_000)}`],
  ["only invisible characters", "\u200B\u2060\u3164"],
  ["a tower of marks", `e${"\u0301\u0323\u0489".repeat(1_500)}`],
  ["a very long word", "ㅋ".repeat(5_000)],
  ["a very wide emoji run", "🏳️‍🌈".repeat(800)],
  ["deep quotes", `${">".repeat(16_000)}깊다`],
  ["deep lists in a line", "- ".repeat(8_000)],
  ["deep emphasis", "*a_".repeat(5_000)],
  ["open brackets", "[".repeat(16_000)],
  ["deep lists", Array.from({ length: 100 }, (_, depth) => `${" ".repeat(depth * 2)}- ${depth}`).join("\n")],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: that is the attack
  ["template marks", "{{constructor.constructor('window.hacked=1')()}} ${window.hacked=1} {@html x}"],
];

describe("a hostile message", () => {
  it.each(CASES)("is harmless: %s", async (name, text) => {
    const title = await person.page.title();
    await other.post(lobby, text);
    await other.post(lobby, `그다음: ${name}`);
    const next = person.page.locator("article", { hasText: `그다음: ${name}` }).last();
    await next.waitFor();
    const found = await person.page.evaluate(() => {
      const bodies = [...document.querySelectorAll<HTMLElement>("article[data-seq] .body")];
      const body = bodies.at(-2)!;
      const frame = document.querySelector(".frame")!.getBoundingClientRect();
      const box = body.getBoundingClientRect();
      const elements = [...body.querySelectorAll("*")];
      return {
        tags: [...new Set(elements.map((one) => one.tagName.toLowerCase()))],
        handlers: elements
          .flatMap((one) => one.getAttributeNames())
          .filter((attribute) => /^on|style|src|id|class/.test(attribute)),
        links: [...body.querySelectorAll("a")].map((one) => one.protocol),
        rels: [...body.querySelectorAll("a")].map((one) => one.rel),
        text: body.innerText,
        within: box.left >= frame.left && box.right <= frame.right,
        hacked: (window as unknown as { hacked?: unknown }).hacked,
        wide: document.documentElement.scrollWidth > innerWidth,
      };
    });
    const allowed = ["p", "br", "strong", "em", "del", "code", "pre", "a", "blockquote", "ul", "ol", "li"];
    expect(found.tags.filter((tag) => !allowed.includes(tag))).toEqual([]);
    expect(found.handlers).toEqual([]);
    for (const link of found.links) expect(["http:", "https:", "mailto:"]).toContain(link);
    for (const rel of found.rels) expect(rel).toContain("noopener");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
    expect(found.text).not.toMatch(/[\u0000-\u0008\u001b\u202A-\u202E\u2066-\u2069]/);
    expect(found.text.trim()).not.toBe("");
    expect(found).toMatchObject({ within: true, hacked: undefined, wide: false });
    expect(await person.page.title()).toBe(title);
  });

  it("led to no request elsewhere and no breach of the page's policy", () => {
    expect(person.foreign).toEqual([]);
    expect(person.complaints).toEqual([]);
  });
});

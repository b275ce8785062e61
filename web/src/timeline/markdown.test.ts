import { describe, expect, it } from "vitest";
import { cleanName, cleanText, isVisible } from "./clean";
import { NESTING_MAX, toHtml } from "./markdown";

const line = (text: string) => toHtml(text).trim();

describe("the subset", () => {
  it.each([
    ["**굵게** *기울임*", "<p><strong>굵게</strong> <em>기울임</em></p>"],
    ["`code <b>`", "<p><code>code &lt;b&gt;</code></p>"],
    ["```rs\nlet a = 1 < 2;\n```", '<pre tabindex="0"><code>let a = 1 &#60; 2;</code></pre>'],
    ["> 인용", "<blockquote>\n<p>인용</p>\n</blockquote>"],
    ["- 하나\n- 둘", "<ul>\n<li>하나</li>\n<li>둘</li>\n</ul>"],
    ["한 줄\n다음 줄", "<p>한 줄<br>다음 줄</p>"],
    [
      "[suda](https://example.org/?a=1&b=2)",
      '<p><a href="https://example.org/?a=1&#38;b=2" target="_blank" rel="noopener noreferrer nofollow ugc">suda</a></p>',
    ],
  ])("%s", (text, html) => expect(line(text)).toBe(html));
});

describe("everything else is text", () => {
  it.each([
    ["# 제목", "<p># 제목</p>"],
    ["<script>alert(1)</script>", "<p>&#60;script&#62;alert(1)&#60;/script&#62;</p>"],
    ["<img src=x onerror=alert(1)>", "<p>&#60;img src=x onerror=alert(1)&#62;</p>"],
    ["[x](javascript:alert(1))", "<p>x</p>"],
    ["[x](data:text/html,hi)", "<p>x</p>"],
    ["---", "<p>---</p>"],
    ["| a |\n| - |\n| 1 |", "<p>| a |<br>| - |<br>| 1 |</p>"],
  ])("%s", (text, html) => expect(line(text)).toBe(html));

  it("a picture is a link", () => {
    expect(line("![나무](https://example.org/t.png)")).toContain('<a href="https://example.org/t.png"');
    expect(line("![나무](https://example.org/t.png)")).not.toContain("<img");
  });
});

describe("what is nested without end", () => {
  it.each([
    ["> ".repeat(8_000)],
    [">".repeat(16_000)],
    ["- ".repeat(8_000)],
    ["1. ".repeat(5_000)],
    ["[".repeat(16_000)],
    ["![".repeat(8_000)],
    ["*a_".repeat(5_000)],
    [`${"**a ".repeat(4_000)}x**`],
    [`${"*a **b ".repeat(2_000)}${"b** a*".repeat(2_000)}`],
    [`${"[".repeat(4_000)}x${"](https://example.org)".repeat(500)}`],
    [`${"*".repeat(8_000)}가${"*".repeat(8_000)}`],
    [`${"~~".repeat(4_000)}가${"~~".repeat(4_000)}`],
    ["`".repeat(16_000)],
    ["\n".repeat(16_000)],
  ])("ends in text: %.12s", (text) => {
    const html = toHtml(`${text}\n\n가`);
    expect(html).toContain("가");
    expect(html.split("<blockquote>").length).toBeLessThanOrEqual(NESTING_MAX + 1);
    expect(html.split("<ul>").length).toBeLessThanOrEqual(NESTING_MAX + 1);
  });

  it("leaves what people nest", () => {
    expect(toHtml("> > > 셋")).toContain("<blockquote>\n<blockquote>\n<blockquote>\n<p>셋</p>");
    expect(line("***a** b*")).toBe("<p><em><strong>a</strong> b</em></p>");
  });
});

describe("a character written as a reference", () => {
  it.each([
    ["&#x202e;gpj.exe", "<p>gpj.exe</p>"],
    [`a${"&#8203;".repeat(1_500)}b`, "<p>a\u200B\u200Bb</p>"],
    [`**e${"&#769;".repeat(1_500)}**`, `<p><strong>e${"\u0301".repeat(4)}</strong></p>`],
    // By name it stays what was typed.
    ["&zwj;&lt;b&gt;", "<p>&#38;zwj;&#38;lt;b&#38;gt;</p>"],
  ])("is harmless: %.12s", (text, html) => expect(line(text)).toBe(html));
});

describe("characters that disturb", () => {
  it("are taken out or bounded", () => {
    expect(cleanText("a\u202Eb\u2066c\u2069")).toBe("abc");
    expect(cleanText(`a${"\u200B".repeat(500)}b`)).toBe("a\u200B\u200Bb");
    expect(cleanText(`a${"\u0301".repeat(500)}`)).toBe(`a${"\u0301".repeat(4)}`);
    expect(cleanText("a\u0007\u001b[31mb")).toBe("a[31mb");
    expect(cleanName("a\nb\u202E  c ")).toBe("a b c");
  });

  it("that a language needs stay", () => {
    for (const text of ["👩‍👩‍👧‍👦 가족", "안녕하세요", "می‌خواهم", "Tiếng Việt", "한글 자모 ㅋㅋㅋ", "❤️"])
      expect(cleanText(text)).toBe(text);
  });

  it("alone are nothing to see", () => {
    expect(isVisible("\u200B\u200B \u3164")).toBe(false);
    expect(isVisible("ㅋ")).toBe(true);
    expect(isVisible("🙂")).toBe(true);
  });
});

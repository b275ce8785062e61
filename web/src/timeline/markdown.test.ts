import { describe, expect, it } from "vitest";
import { cleanName, cleanText, isVisible } from "./clean";
import { toHtml } from "./markdown";

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
    ["<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"],
    ["<img src=x onerror=alert(1)>", "<p>&lt;img src=x onerror=alert(1)&gt;</p>"],
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

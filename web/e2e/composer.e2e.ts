// Writing in Korean: the browser's own composition events, with the Enter that ends a syllable and without.

import type { Browser, CDPSession } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launch, Person } from "./support/browser";
import { Program } from "./support/program";
import { Server } from "./support/server";

let server: Server;
let browser: Browser;
let person: Person;
let keyboard: CDPSession;
let reader: Program;
let lobby: string;

beforeAll(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
  person = await Person.open(browser, server, "하늘");
  await person.setUp();
  await person.go("lobby");
  keyboard = await person.context.newCDPSession(person.page);
  reader = await Program.connect(server.url, await server.signUp("기록"));
  lobby = await reader.join("lobby");
});

afterAll(async () => {
  reader?.close();
  await browser?.close();
  await server?.remove();
});

/** What a Korean input method shows while 안녕하세요 is typed, syllable by syllable. */
const SYLLABLES = [
  ["ㅇ", "아", "안"],
  ["ㄴ", "녀", "녕"],
  ["ㅎ", "하"],
  ["ㅅ", "세"],
  ["ㅇ", "요"],
];

async function compose(text: string): Promise<void> {
  await keyboard.send("Input.imeSetComposition", { text, selectionStart: text.length, selectionEnd: text.length });
}

/** Ends the composition: the text becomes the field's. */
async function commit(text: string): Promise<void> {
  await keyboard.send("Input.insertText", { text });
}

/** A key as an input method leaves it: keyCode 229, no character of its own. */
async function processKey(code: string, key: string): Promise<void> {
  await keyboard.send("Input.dispatchKeyEvent", { type: "rawKeyDown", windowsVirtualKeyCode: 229, code, key });
}

async function typeAllButLast(): Promise<void> {
  for (const steps of SYLLABLES.slice(0, -1)) {
    for (const step of steps) await compose(step);
    await commit(steps.at(-1)!);
  }
  for (const step of SYLLABLES.at(-1)!) await compose(step);
}

/** Everything that was ever said, once nothing waits to be sent. */
async function said(): Promise<string[]> {
  await expect.poll(() => person.page.locator("[data-waiting]").count()).toBe(0);
  return reader.texts(lobby);
}

describe("안녕하세요 and Enter", () => {
  it("sends once and whole when the Enter comes after the composition", async () => {
    const before = (await said()).length;
    await typeAllButLast();
    await commit("요");
    await person.page.keyboard.press("Enter");
    await expect.poll(async () => (await said()).slice(before)).toEqual(["안녕하세요"]);
    expect(await person.field.inputValue()).toBe("");
  });

  it("sends once and whole when the Enter ends the composition", async () => {
    const before = (await said()).length;
    await typeAllButLast();
    await processKey("Enter", "Enter");
    await commit("요");
    await expect.poll(async () => (await said()).slice(before)).toEqual(["안녕하세요"]);
    expect(await person.field.inputValue()).toBe("");
  });

  it("sends once and whole when the browser tells of the Enter twice", async () => {
    const before = (await said()).length;
    await typeAllButLast();
    await processKey("Enter", "Enter");
    await commit("요");
    await person.page.keyboard.press("Enter");
    await expect.poll(async () => (await said()).slice(before)).toEqual(["안녕하세요"]);
    await person.say("그다음 말");
    await expect.poll(async () => (await said()).slice(before)).toEqual(["안녕하세요", "그다음 말"]);
  });

  it("sends once and whole in Safari's order: the composition ends, then the Enter comes", async () => {
    const before = (await said()).length;
    await person.field.focus();
    await person.page.evaluate(() => {
      const field = document.querySelector("textarea")!;
      field.dispatchEvent(new CompositionEvent("compositionstart", { bubbles: true }));
      field.value = "안녕하세요";
      field.dispatchEvent(new InputEvent("input", { bubbles: true, isComposing: true, data: "요" }));
      field.dispatchEvent(new CompositionEvent("compositionend", { bubbles: true, data: "요" }));
      field.dispatchEvent(
        new KeyboardEvent("keydown", { bubbles: true, cancelable: true, key: "Enter", keyCode: 229 }),
      );
    });
    await expect.poll(async () => (await said()).slice(before)).toEqual(["안녕하세요"]);
  });

  it("sends nothing while a Japanese candidate is taken", async () => {
    const before = (await said()).length;
    await person.field.focus();
    await compose("にほん");
    await compose("日本");
    await processKey("Enter", "Enter");
    await commit("日本");
    expect(await person.field.inputValue()).toBe("日本");
    await person.page.keyboard.press("Enter");
    await expect.poll(async () => (await said()).slice(before)).toEqual(["日本"]);
  });
});

describe("other keys", () => {
  it("Shift+Enter breaks the line, blank messages go nowhere", async () => {
    const before = (await said()).length;
    await person.field.focus();
    await person.page.keyboard.press("Enter");
    await person.page.keyboard.type("첫 줄");
    await person.page.keyboard.press("Shift+Enter");
    await person.page.keyboard.type("둘째 줄");
    await person.page.keyboard.press("Enter");
    await expect.poll(async () => (await said()).slice(before)).toEqual(["첫 줄\n둘째 줄"]);
  });

  it("a message that is too long is kept and said to be so", async () => {
    const before = (await said()).length;
    await person.field.fill("가".repeat(6_000));
    await person.page.getByText("바이트만큼 길어요").waitFor();
    await person.page.keyboard.press("Enter");
    expect((await person.field.inputValue()).length).toBe(6_000);
    await person.field.fill("");
    expect((await said()).slice(before)).toEqual([]);
  });
});

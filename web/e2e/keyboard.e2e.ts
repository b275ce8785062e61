// Everything by keyboard alone: from the door to every action and out again. No mouse, no element that the test itself focuses.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launch, Person } from "./support/browser";
import { Program } from "./support/program";
import { PASSWORD, Server } from "./support/server";

/** Presses of Tab after which a thing counts as out of reach. */
const TABS_MAX = 40;

let server: Server;
let browser: Browser;
let person: Person;
let page: Page;

beforeAll(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
  person = await Person.open(browser, server, "하늘");
  page = person.page;
});

afterAll(async () => {
  await browser?.close();
  await server?.remove();
});

const focused = () =>
  page.evaluate(() => {
    const at = document.activeElement as HTMLElement | null;
    const label = at?.getAttribute("aria-label") ?? (at as HTMLInputElement | null)?.name;
    const style = at ? getComputedStyle(at) : null;
    const parent = at?.parentElement ? getComputedStyle(at.parentElement) : null;
    const isMarked = style?.outlineStyle !== "none" || parent?.boxShadow !== "none";
    if (!at || at === document.body) return { name: "BODY", isMarked };
    return { name: label || at.innerText.trim(), isMarked };
  });

/** Tabs to what has this name; everything on the way shows that it is focused. */
async function tabTo(name: string | RegExp): Promise<void> {
  for (let count = 0; count < TABS_MAX; count++) {
    const at = await focused();
    if (typeof name === "string" ? at.name === name : name.test(at.name)) return;
    await page.keyboard.press("Tab");
    const next = await focused();
    expect(next.isMarked || next.name === "BODY", next.name).toBe(true);
  }
  throw new Error(`${name} can't be reached by Tab`);
}

const heading = () => page.locator("h1", { hasText: "#" }).innerText();

describe("by keyboard alone", () => {
  it("one becomes the administrator", async () => {
    await page.goto(`${server.url}/setup#${server.setupToken}`);
    await page.locator("form").waitFor();
    await tabTo("name");
    await page.keyboard.type("하늘");
    await tabTo("password");
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press("Enter");
    await person.online();
    await expect.poll(async () => (await focused()).name).toBe("lobby 방에 보낼 메시지");
  });

  it("one writes, makes rooms and walks between them", async () => {
    await page.keyboard.type("안녕하세요");
    await page.keyboard.press("Enter");
    await page.locator("article[data-seq]", { hasText: "안녕하세요" }).waitFor();
    for (const room of ["가", "나"]) {
      await page.keyboard.press("Control+k");
      await page.getByRole("combobox").waitFor();
      await page.keyboard.type(room);
      await page.getByRole("option", { name: `‘${room}’ 방 만들기` }).waitFor();
      await page.keyboard.press("Enter");
      await expect.poll(heading).toBe(`# ${room}`);
    }
    await page.keyboard.press("Alt+ArrowUp");
    await expect.poll(heading).toBe("# 가");
    await page.keyboard.press("Alt+ArrowDown");
    await expect.poll(heading).toBe("# 나");
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox").waitFor();
    await page.keyboard.type("lob");
    await page.getByRole("option", { name: "lobby" }).waitFor();
    await page.keyboard.press("Enter");
    await expect.poll(heading).toBe("# lobby");
  });

  it("one reads back and returns to writing", async () => {
    await page.keyboard.press("Alt+r");
    expect((await focused()).name).toBe("lobby 방의 대화");
    await page.keyboard.press("PageUp");
    await page.keyboard.press("Control+End");
    await page.keyboard.press("Alt+m");
    expect((await focused()).name).toBe("lobby 방에 보낼 메시지");
  });

  it("one sees the sheet of keys, and gets back to where one was", async () => {
    await page.keyboard.press("Control+/");
    await page.getByRole("dialog", { name: "단축키" }).waitFor();
    await person.escape();
    expect((await focused()).name).toBe("lobby 방에 보낼 메시지");
  });

  it("one finds somebody's room, goes to what is unread, and down to what is new", async () => {
    const sea = await Program.connect(server.url, await server.signUp("바다"));
    await sea.createRoom("바닷가");
    const lobby = await sea.enter("lobby");
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox").waitFor();
    await page.keyboard.type("바닷");
    await page.getByRole("option", { name: "바닷가" }).waitFor();
    await page.keyboard.press("Enter");
    await expect.poll(heading).toBe("# 바닷가");
    for (let count = 1; count <= 40; count++) await sea.post(lobby, `바다의 말 ${count}`);
    await page.locator("nav a", { hasText: "lobby" }).locator(".count").waitFor();
    await page.keyboard.press("Alt+Shift+ArrowDown");
    await expect.poll(heading).toBe("# lobby");
    await page.locator(".scroller.placed").waitFor();
    await page.keyboard.press("Alt+r");
    await page.keyboard.press("Home");
    await page.locator("article[data-seq]", { hasText: "안녕하세요" }).waitFor();
    await sea.post(lobby, "아래에 온 말");
    await page.getByRole("button", { name: /새 메시지/ }).waitFor();
    await tabTo(/새 메시지/);
    await page.keyboard.press("Enter");
    await page.locator("article[data-seq]", { hasText: "아래에 온 말" }).waitFor();
    sea.close();
  });

  it("one sends again what was refused, or gives it up, and connects at once", async () => {
    await person.context.setOffline(true);
    await server.down("SIGKILL");
    await server.up();
    await page.getByText("연결이 끊겼어요").first().waitFor();
    await page.keyboard.press("Alt+m");
    for (const text of ["다시 보낼 말", "버릴 말"]) {
      await page.keyboard.type(text);
      await page.keyboard.press("Enter");
    }
    await page.locator("[data-waiting=queued]").nth(1).waitFor();
    const device = await Program.connect(server.url, await server.signIn("하늘"));
    await device.ask({ kind: "leave", clientId: crypto.randomUUID(), room: await device.enter("lobby") });
    device.close();
    await tabTo("지금 연결");
    await person.context.setOffline(false);
    await page.keyboard.press("Enter");
    await person.online();
    await expect.poll(heading).not.toBe("# lobby");
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox").waitFor();
    await page.keyboard.type("lob");
    await page.getByRole("option", { name: "lobby" }).waitFor();
    await page.keyboard.press("Enter");
    await expect.poll(heading).toBe("# lobby");
    await page.locator("[data-waiting=failed]").nth(1).waitFor();
    await page.keyboard.press("Alt+r");
    await tabTo("다시 보내기");
    await page.keyboard.press("Enter");
    await page.locator("article[data-seq]", { hasText: "다시 보낼 말" }).waitFor();
    await expect.poll(() => page.locator("[data-waiting=failed]").count()).toBe(1);
    await page.keyboard.press("Alt+m");
    await page.keyboard.press("Alt+r");
    await tabTo("지우기");
    await page.keyboard.press("Enter");
    await page.locator("[data-waiting]").waitFor({ state: "detached" });
    await page.keyboard.press("Alt+m");
  });

  it("one leaves a room", async () => {
    await page.keyboard.press("Alt+ArrowDown");
    await expect.poll(heading).not.toBe("# lobby");
    const left = await heading();
    const rooms = await page.locator("nav a").count();
    await tabTo("방 나가기");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await tabTo("방 나가기");
    await page.keyboard.press("Enter");
    await expect.poll(heading).not.toBe(left);
    await expect.poll(() => page.locator("nav a").count()).toBe(rooms - 1);
  });

  it("one changes the looks and the language, and signs out", async () => {
    await tabTo("설정");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog", { name: "설정" }).waitFor();
    await tabTo(/시스템 설정에 맞춤/);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    await expect.poll(() => page.evaluate(() => document.documentElement.dataset.theme)).toBe("dark");
    await tabTo(/브라우저 설정에 맞춤/);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    await page.getByRole("dialog", { name: "Settings" }).waitFor();
    await tabTo("Sign out");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Sign in", exact: true }).waitFor();
    expect(await page.evaluate(() => document.documentElement.lang)).toBe("en");
  });

  it("and no rule of the page was broken", () => {
    expect(person.complaints).toEqual([]);
    expect(person.foreign).toEqual([]);
  });
});

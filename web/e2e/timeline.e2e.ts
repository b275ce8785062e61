// A long room: scrolling up through thousands of messages moves nothing that one is reading, and the page stays small.

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launch, Person } from "./support/browser";
import { fill, Program } from "./support/program";
import { Server } from "./support/server";

/** Messages in the room. */
const ROOM_MESSAGES = Number(process.env.SUDA_E2E_MESSAGES ?? 100_000);
/** Messages that are scrolled through. */
const SCROLLED_MESSAGES = 5_000;
/** Elements in the page, whatever was loaded. */
const ELEMENTS_MAX = 2_000;

let server: Server;
let browser: Browser;
let person: Person;
let other: Program;
let lobby: string;
let token: string;

beforeAll(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
  person = await Person.open(browser, server, "하늘");
  await person.setUp();
  await person.online();
  await person.page.goto("about:blank");
  token = await server.signUp("바다");
  other = await Program.connect(server.url, token);
  lobby = await other.join("lobby");
  await fill(server.url, token, lobby, ROOM_MESSAGES);
  await person.page.goto(server.url);
  await person.go("lobby");
}, 600_000);

afterAll(async () => {
  other?.close();
  await browser?.close();
  await server?.remove();
});

/** The message in the middle of the view, and where it stands. */
function anchor() {
  return person.page.evaluate(() => {
    const scroller = document.querySelector(".scroller")!;
    const middle = scroller.getBoundingClientRect().top + scroller.clientHeight / 2;
    const articles = [...document.querySelectorAll<HTMLElement>("article[data-seq]")];
    const found = articles.find((article) => article.getBoundingClientRect().bottom > middle)!;
    return { seq: Number(found.dataset.seq), top: found.getBoundingClientRect().top };
  });
}

const elements = () => person.page.evaluate(() => document.querySelectorAll("*").length);
const bottomGap = () =>
  person.page.evaluate(() => {
    const scroller = document.querySelector(".scroller")!;
    return scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
  });

describe("a long room", () => {
  it("opens at the newest message, and stays there when more come", async () => {
    const page = await other.ask({ kind: "messages", room: lobby, beforeSeq: 0, countMax: 1 });
    const newest = page.kind === "messagePage" ? page.messages[0]?.seq : undefined;
    expect(newest).toBeGreaterThan(ROOM_MESSAGES);
    await person.page.locator(`article[data-seq="${newest}"]`).waitFor();
    await expect.poll(bottomGap).toBeLessThanOrEqual(1);
    for (let count = 1; count <= 5; count++) await other.post(lobby, `더 온 말 ${count}\n둘째 줄`);
    await person.page.locator("article", { hasText: "더 온 말 5" }).waitFor();
    await expect.poll(bottomGap).toBeLessThanOrEqual(1);
  });

  it("moves nothing while older messages load above, and keeps the page small", async () => {
    const newest = (await anchor()).seq;
    let worst = 0;
    let loads = 0;
    // In the page itself, frame by frame: between two frames in which the reader does nothing, what is read stays where it is.
    for (let seq = newest; seq > newest - SCROLLED_MESSAGES; ) {
      await person.page.mouse.move(700, 400);
      await person.page.mouse.wheel(0, -2_400);
      const moved = await person.page.evaluate(async () => {
        const scroller = document.querySelector(".scroller")!;
        const frame = () => new Promise((done) => requestAnimationFrame(done));
        // The wheel's own movement comes first.
        for (let last = Number.NaN; last !== scroller.scrollTop; ) {
          last = scroller.scrollTop;
          await frame();
          await frame();
        }
        const middle = scroller.getBoundingClientRect().top + scroller.clientHeight / 2;
        const pick = () => [...document.querySelectorAll<HTMLElement>("article[data-seq]")];
        const at = pick().find((article) => article.getBoundingClientRect().bottom > middle)!;
        const seq = at.dataset.seq!;
        const before = at.getBoundingClientRect().top;
        const height = scroller.scrollHeight;
        let worst = 0;
        for (let count = 0; count < 12; count++) {
          await frame();
          const now = document.querySelector(`article[data-seq="${seq}"]`)!.getBoundingClientRect().top;
          worst = Math.max(worst, Math.abs(now - before));
        }
        return { worst, seq: Number(seq), loaded: scroller.scrollHeight !== height };
      });
      worst = Math.max(worst, moved.worst);
      if (moved.loaded) loads += 1;
      seq = moved.seq;
      expect(await elements()).toBeLessThan(ELEMENTS_MAX);
    }
    console.log(`moved by at most ${worst} px; the scroll grew ${loads} times while it was watched`);
    expect(loads).toBeGreaterThan(5);
    expect(worst).toBeLessThanOrEqual(1);
  });

  it("says what came below meanwhile, and goes there", async () => {
    const { seq } = await anchor();
    await other.post(lobby, "아래에서 온 말");
    await person.page.getByRole("button", { name: "새 메시지 1개" }).waitFor();
    expect((await anchor()).seq).toBe(seq);
    await person.page.getByRole("button", { name: "새 메시지 1개" }).click();
    await person.page.locator("article", { hasText: "아래에서 온 말" }).waitFor();
    await expect.poll(bottomGap).toBeLessThanOrEqual(1);
  });

  it("catches up after a long absence, without a hole", async () => {
    const MISSED_MESSAGES = 2_000;
    await person.context.setOffline(true);
    await server.down("SIGKILL");
    await server.up();
    await person.page.getByText("연결이 끊겼어요").first().waitFor();
    await fill(server.url, token, lobby, MISSED_MESSAGES);
    other = await Program.connect(server.url, token);
    await other.post(lobby, "이제 다 왔어요");
    await person.context.setOffline(false);
    await person.page.locator("article", { hasText: "이제 다 왔어요" }).waitFor();
    await expect.poll(bottomGap).toBeLessThanOrEqual(1);
    for (let count = 0; count < 10; count++) {
      const seqs = await person.page
        .locator("article[data-seq]")
        .evaluateAll((articles) => articles.map((one) => Number((one as HTMLElement).dataset.seq)));
      expect(seqs.length).toBeGreaterThan(5);
      // Every entry of this room from here on is a message, so the seqs follow one another.
      expect(seqs).toEqual(seqs.map((_, index) => seqs[0]! + index));
      await person.page.mouse.move(700, 400);
      await person.page.mouse.wheel(0, -3_000);
      await expect.poll(async () => (await anchor()).seq).toBeLessThan(seqs.at(-1)!);
    }
  });
});

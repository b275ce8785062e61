// Answering a message, in Korean: by mouse, by keyboard alone, from a draft, over a lost link; and finding what was answered.

import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { violations } from "./support/axe";
import { launch, Person } from "./support/browser";
import { Program } from "./support/program";
import { Server } from "./support/server";

let server: Server;
let browser: Browser;
let sky: Person;
let sea: Person;
let program: Program;
let lobby: string;

beforeAll(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
  sky = await Person.open(browser, server, "하늘");
  await sky.setUp();
  sea = await Person.open(browser, server, "바다");
  await sea.signUp();
  await sky.go("lobby");
  await sea.go("lobby");
  program = await Program.connect(server.url, await server.signUp("나무"));
  lobby = await program.join("lobby");
});

afterAll(async () => {
  program?.close();
  await browser?.close();
  await server?.remove();
});

/** The message itself, not one that quotes it. */
const row = (page: Page, text: string): Locator =>
  page.locator("article[data-seq]").filter({ has: page.locator(".body", { hasText: text }) });
const bar = (person: Person): Locator => person.page.locator("form #quote");
const focusedRow = (person: Person) =>
  person.page.evaluate(() => document.activeElement?.closest("article")?.querySelector(".body")?.textContent?.trim());

/** The text of what a message answers, as the server has it; null where it answers nothing. */
async function answeredBy(text: string): Promise<string | null> {
  const page = await program.ask({ kind: "messages", room: lobby, beforeSeq: 0, countMax: 0 });
  if (page.kind !== "messagePage") throw new Error(JSON.stringify(page));
  const answer = page.messages.filter((message) => message.text === text);
  expect(answer).toHaveLength(1);
  return page.messages.find((message) => message.seq === answer[0]?.replyTo)?.text ?? null;
}

describe("an answer", () => {
  it("is begun at a message, and both see what it answers", async () => {
    await sea.say("저녁은 뭐 먹을까요?");
    await sea.say("참, 우산 챙기세요.");
    await row(sky.page, "저녁은 뭐").hover();
    await row(sky.page, "저녁은 뭐").getByRole("button", { name: "바다 님에게 답장하기" }).click();
    expect(await bar(sky).innerText()).toMatch(/바다 님에게 답장하는 중\s*저녁은 뭐 먹을까요\?/);
    expect(await sky.page.evaluate(() => document.activeElement?.tagName)).toBe("TEXTAREA");
    await sky.page.keyboard.type("국수 어때요?");
    await sky.page.keyboard.press("Enter");
    await bar(sky).waitFor({ state: "detached" });
    for (const { page } of [sky, sea]) {
      const quote = row(page, "국수 어때요?").getByRole("button", { name: /바다 님에게 답장 저녁은 뭐 먹을까요\?/ });
      await quote.waitFor();
    }
    expect(await answeredBy("국수 어때요?")).toBe("저녁은 뭐 먹을까요?");
    await sky.say("그럼 이따 봐요.");
    await row(sea.page, "이따 봐요").waitFor();
    expect(await answeredBy("그럼 이따 봐요.")).toBeNull();
  });

  it("is chosen, written and sent by keyboard alone", async () => {
    const { keyboard } = sky.page;
    await keyboard.press("Alt+Shift+R");
    await expect.poll(() => focusedRow(sky)).toBe("그럼 이따 봐요.");
    expect(await violations(sky.page)).toEqual([]);
    await keyboard.press("ArrowUp");
    await expect.poll(() => focusedRow(sky)).toBe("국수 어때요?");
    await keyboard.press("ArrowUp");
    await expect.poll(() => focusedRow(sky)).toBe("참, 우산 챙기세요.");
    await keyboard.press("ArrowDown");
    await keyboard.press("ArrowUp");
    await expect.poll(() => focusedRow(sky)).toBe("참, 우산 챙기세요.");
    await keyboard.press("Enter");
    expect(await bar(sky).innerText()).toContain("참, 우산 챙기세요.");
    expect(await violations(sky.page)).toEqual([]);
    await keyboard.type("네, 챙길게요");
    await keyboard.press("Enter");
    await row(sea.page, "네, 챙길게요").waitFor();
    expect(await answeredBy("네, 챙길게요")).toBe("참, 우산 챙기세요.");
  });

  it("is given up with Escape, while choosing and while writing, and the words stay", async () => {
    const { keyboard } = sky.page;
    await sky.field.fill("쓰던 말");
    await keyboard.press("Alt+Shift+R");
    await sky.page.getByText("어느 메시지에 답장할까요?").waitFor();
    await keyboard.press("Escape");
    await sky.page.getByText("어느 메시지에 답장할까요?").waitFor({ state: "detached" });
    expect(await bar(sky).count()).toBe(0);
    await keyboard.press("Alt+Shift+R");
    await expect.poll(() => focusedRow(sky)).toBe("네, 챙길게요");
    await keyboard.press("Enter");
    await bar(sky).waitFor();
    await keyboard.press("Escape");
    await bar(sky).waitFor({ state: "detached" });
    expect(await sky.field.inputValue()).toBe("쓰던 말");
    await keyboard.press("Enter");
    await row(sea.page, "쓰던 말").waitFor();
    expect(await answeredBy("쓰던 말")).toBeNull();
  });

  it("is part of the draft, which a reload keeps", async () => {
    await row(sky.page, "우산 챙기세요").hover();
    await row(sky.page, "우산 챙기세요").locator("button.answer").click();
    await sky.field.fill("비가 온대요?");
    await sky.page.reload();
    await sky.page.locator(".scroller.placed").waitFor();
    expect(await bar(sky).innerText()).toContain("참, 우산 챙기세요.");
    expect(await sky.field.inputValue()).toBe("비가 온대요?");
    await sky.field.press("Enter");
    await row(sea.page, "비가 온대요?").waitFor();
    expect(await answeredBy("비가 온대요?")).toBe("참, 우산 챙기세요.");
    await sky.page.reload();
    await sky.page.locator(".scroller.placed").waitFor();
    expect(await bar(sky).count()).toBe(0);
  });

  it("waits for the link as one, and arrives as one", async () => {
    await server.down("SIGKILL");
    await sky.page.getByText("연결이 끊겼어요").first().waitFor();
    await row(sky.page, "우산 챙기세요").hover();
    await row(sky.page, "우산 챙기세요").locator("button.answer").click();
    await sky.page.keyboard.type("끊긴 동안의 답장");
    await sky.page.keyboard.press("Enter");
    await sky.page.locator("[data-waiting=queued]", { hasText: "바다 님에게 답장" }).waitFor();
    await server.up();
    await row(sea.page, "끊긴 동안의 답장").waitFor();
    program = await Program.connect(server.url, await server.signIn("나무"));
    expect(await answeredBy("끊긴 동안의 답장")).toBe("참, 우산 챙기세요.");
  });

  it("leads to what it answers, far above", async () => {
    const FAR_MESSAGES = 60;
    await program.post(lobby, "까마득한 옛말");
    await row(sky.page, "까마득한 옛말").waitFor();
    const seq = Number(await row(sky.page, "까마득한 옛말").getAttribute("data-seq"));
    for (let count = 1; count <= FAR_MESSAGES; count++) await program.post(lobby, `그 뒤의 말 ${count}\n둘째 줄`);
    await program.ask({ kind: "post", clientId: crypto.randomUUID(), room: lobby, text: "그때 그 말!", replyTo: seq });
    const quote = row(sky.page, "그때 그 말!").getByRole("button", { name: /까마득한 옛말/ });
    await quote.click();
    await expect.poll(() => focusedRow(sky)).toBe("까마득한 옛말");
    const { top, bottom } = await sky.page.locator(`article[data-seq="${seq}"]`).evaluate((article) => {
      const frame = article.closest(".scroller")!.getBoundingClientRect();
      const { top, bottom } = article.getBoundingClientRect();
      return { top: top - frame.top, bottom: frame.bottom - bottom };
    });
    expect(Math.min(top, bottom)).toBeGreaterThanOrEqual(0);
  });

  it("breaks no rule of the page", () => {
    for (const person of [sky, sea]) {
      expect(person.complaints).toEqual([]);
      expect(person.foreign).toEqual([]);
    }
  });
});

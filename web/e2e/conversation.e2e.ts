// Two people in two browsers, in Korean: each sees every message once, in one order, whatever happens to the server or the page.

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launch, Person } from "./support/browser";
import { Program } from "./support/program";
import { Server } from "./support/server";

let server: Server;
let browser: Browser;
let sky: Person;
let sea: Person;
let reader: Program;
let lobby: string;

beforeAll(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
  // So tall that the whole conversation is in the page: then what stands there can be compared with the log, word for word.
  const look = { height: 3_000 };
  sky = await Person.open(browser, server, "하늘", look);
  await sky.setUp();
  sea = await Person.open(browser, server, "바다", look);
  await sea.signUp();
  await sky.go("lobby");
  await sea.go("lobby");
  await connectReader(await server.signUp("기록"));
});

let readerToken = "";
async function connectReader(token = readerToken): Promise<void> {
  readerToken = token;
  reader?.close();
  reader = await Program.connect(server.url, token);
  lobby = await reader.join("lobby");
}

afterAll(async () => {
  reader?.close();
  await browser?.close();
  await server?.remove();
});

/** Both see what the server's log has, and nothing waits any more. */
async function allSee(...people: Person[]): Promise<string[]> {
  const log = await reader.texts(lobby);
  for (const person of people) {
    await expect.poll(() => person.texts(), { timeout: 30_000 }).toEqual(log);
    await expect.poll(() => person.page.locator("[data-waiting]").count()).toBe(0);
  }
  return log;
}

describe("a conversation", () => {
  it("reaches both, once and in one order", async () => {
    await sky.say("안녕하세요, 바다 님!");
    await sea.page.getByText("안녕하세요, 바다 님!").first().waitFor();
    await sea.say("반가워요 🙂");
    await Promise.all([
      (async () => {
        for (let count = 1; count <= 10; count++) await sky.say(`하늘의 말 ${count}`);
      })(),
      (async () => {
        for (let count = 1; count <= 10; count++) await sea.say(`바다의 말 ${count}`);
      })(),
    ]);
    await expect.poll(async () => (await reader.texts(lobby)).length).toBe(22);
    const log = await allSee(sky, sea);
    const own = (who: string) => log.filter((text) => text.startsWith(who));
    expect(own("하늘의 말")).toEqual(Array.from({ length: 10 }, (_, index) => `하늘의 말 ${index + 1}`));
    expect(own("바다의 말")).toEqual(Array.from({ length: 10 }, (_, index) => `바다의 말 ${index + 1}`));
  });

  it("survives a reload", async () => {
    await sky.page.reload();
    await sky.page.locator(".scroller.placed").waitFor();
    await allSee(sky, sea);
  });

  it.each(["SIGTERM", "SIGKILL"] as const)(
    "survives a restart of the server (%s), and what was written meanwhile arrives once",
    async (signal) => {
      await sky.say(`${signal} 전에`);
      await sea.page.getByText(`${signal} 전에`).first().waitFor();
      await server.down(signal);
      await sky.page.getByText("연결이 끊겼어요").first().waitFor();
      await sky.say(`${signal} 동안 하나`);
      await sky.say(`${signal} 동안 둘`);
      await sky.page.locator("[data-waiting=queued]").nth(1).waitFor();
      await server.up();
      await connectReader();
      await sea.page.getByText(`${signal} 동안 둘`).first().waitFor();
      const log = await allSee(sky, sea);
      expect(log.filter((text) => text.startsWith(signal))).toEqual([
        `${signal} 전에`,
        `${signal} 동안 하나`,
        `${signal} 동안 둘`,
      ]);
    },
  );

  it("keeps what was written without a connection over the end of the tab", async () => {
    await server.down("SIGKILL");
    await sky.say("탭을 닫아도 남는 말");
    await sky.page.locator("[data-waiting=queued]").waitFor();
    await sky.page.close();
    await server.up();
    await connectReader();
    sky.page = await sky.context.newPage();
    await sky.page.goto(server.url);
    await sky.page.locator(".scroller.placed").waitFor();
    await sea.page.getByText("탭을 닫아도 남는 말").first().waitFor();
    const log = await allSee(sky, sea);
    expect(log.filter((text) => text === "탭을 닫아도 남는 말")).toHaveLength(1);
  });

  it("goes on while the link is down for one of them", async () => {
    await sky.context.setOffline(true);
    // Chromium leaves open sockets alone when it goes offline: the server's side is cut instead, at the next restart.
    await server.down("SIGKILL");
    await server.up();
    await connectReader();
    await sky.page.getByText("연결이 끊겼어요").first().waitFor();
    await sky.say("끊긴 동안 쓴 말");
    await sea.online();
    await sea.say("그동안 바다는 계속 말해요");
    await expect.poll(async () => (await reader.texts(lobby)).at(-1)).toBe("그동안 바다는 계속 말해요");
    await sky.context.setOffline(false);
    await sea.page.getByText("끊긴 동안 쓴 말").first().waitFor();
    const log = await allSee(sky, sea);
    expect(log.slice(-2)).toEqual(["그동안 바다는 계속 말해요", "끊긴 동안 쓴 말"]);
  });

  it("says which message was refused, and sends it once when told to try again", async () => {
    await sky.context.setOffline(true);
    await server.down("SIGKILL");
    await server.up();
    await connectReader();
    await sky.page.getByText("연결이 끊겼어요").first().waitFor();
    await sky.say("거절될 말");
    // Meanwhile the same person leaves the room on another device.
    const device = await Program.connect(server.url, await server.signIn("하늘"));
    const left = await device.ask({ kind: "leave", clientId: crypto.randomUUID(), room: lobby });
    expect(left.kind).toBe("left");
    device.close();
    await sky.context.setOffline(false);
    await expect.poll(() => sky.page.locator("nav a").count()).toBe(0);
    await sky.go("lobby");
    await sky.page.getByText("보내지 못했어요").waitFor();
    expect(await reader.texts(lobby)).not.toContain("거절될 말");
    await sky.page.getByRole("button", { name: "다시 보내기" }).click();
    await sea.page.getByText("거절될 말").first().waitFor();
    const log = await allSee(sky, sea);
    expect(log.filter((text) => text === "거절될 말")).toHaveLength(1);
  });

  it("is the same in two tabs of one device, and each post goes out once", async () => {
    const second = await sky.context.newPage();
    await second.goto(server.url);
    await second.locator(".scroller.placed").waitFor();
    await second.locator("textarea").fill("둘째 탭에서 한 말");
    await second.locator("textarea").press("Enter");
    await sky.page.getByText("둘째 탭에서 한 말").first().waitFor();
    await sky.say("첫째 탭에서 한 말");
    await second.getByText("첫째 탭에서 한 말").first().waitFor();
    // The first one owned the outbox; the other inherits it.
    await sky.page.close();
    await second.locator("textarea").fill("물려받은 탭에서 한 말");
    await second.locator("textarea").press("Enter");
    await sea.page.getByText("물려받은 탭에서 한 말").first().waitFor();
    sky.page = second;
    const log = await allSee(sky, sea);
    expect(log.slice(-3)).toEqual(["둘째 탭에서 한 말", "첫째 탭에서 한 말", "물려받은 탭에서 한 말"]);
  });

  it("marks what is unread, and where one left off", async () => {
    await sky.go("회의 기록");
    await sea.say("읽지 않은 말 하나");
    await sea.say("읽지 않은 말 둘");
    const link = sky.page.locator("nav a", { hasText: "lobby" });
    await expect.poll(() => link.locator(".count").innerText()).toBe("2");
    await expect.poll(() => sky.page.title()).toMatch(/^\(2\)/);
    // Also after a reload.
    await sky.page.reload();
    await expect.poll(() => link.locator(".count").innerText()).toBe("2");
    await link.click();
    await sky.page.locator(".divider.unread").waitFor();
    const next = sky.page.locator("*:has(> .divider.unread) article");
    expect(await next.innerText()).toContain("읽지 않은 말 하나");
    await expect.poll(() => link.locator(".count").count()).toBe(0);
  });

  it("keeps a draft in each room", async () => {
    await sky.field.fill("쓰다 만 글");
    await sky.go("회의 기록");
    expect(await sky.field.inputValue()).toBe("");
    await sky.page.reload();
    await sky.go("lobby");
    expect(await sky.field.inputValue()).toBe("쓰다 만 글");
    await sky.field.fill("");
  });

  it("ends for a device that is signed out elsewhere, and for nobody else", async () => {
    const cookies = await sky.context.cookies();
    const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
    const signOut = (origin: string) =>
      fetch(`${server.url}/api/v1/sign-out`, { method: "POST", headers: { Cookie: cookie, Origin: origin } });
    expect((await signOut("https://evil.example")).status).toBe(403);
    expect((await signOut(server.url)).status).toBe(204);
    await sky.page.getByText("로그아웃되었어요").waitFor();
    await sea.online();
    await sky.fillIn();
    await sky.page.locator("button.primary").click();
    await sky.online();
  });

  it("has asked nothing of anybody else, and broke no rule of the page", () => {
    for (const person of [sky, sea]) {
      expect(person.foreign).toEqual([]);
      expect(person.complaints).toEqual([]);
    }
  });
});

// Every screen, light and dark, on a desk and on a phone: axe finds nothing, and a picture is kept in e2e/.out.

import { mkdirSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { violations } from "./support/axe";
import { launch, Person } from "./support/browser";
import { Program } from "./support/program";
import { Server } from "./support/server";

let server: Server;
let browser: Browser;

async function check(page: Page, name: string): Promise<void> {
  const found = await violations(page);
  // The pointer in a corner: no row looks as if somebody were about to touch it.
  await page.mouse.move(0, 0);
  await page.screenshot({ path: `e2e/.out/${name}.png` });
  expect(found, name).toEqual([]);
}

beforeAll(async () => {
  mkdirSync("e2e/.out", { recursive: true });
  [server, browser] = await Promise.all([Server.start(), launch()]);
});

afterAll(async () => {
  await browser?.close();
  await server?.remove();
});

async function open(name: string, look: Parameters<typeof Person.open>[3]): Promise<Person> {
  return Person.open(browser, server, name, look);
}

async function talk(): Promise<void> {
  const token = await server.signUp("바다");
  const sea = await Program.connect(server.url, token);
  const sky = await Program.connect(server.url, await server.signUp("하늘"));
  const lobby = await sea.join("lobby");
  await sky.join("lobby");
  await sea.post(lobby, "안녕하세요! 오늘 저녁에 다들 시간 괜찮으세요?");
  await sea.post(lobby, "을지로에 새로 생긴 **국숫집**이 있는데, 같이 가 보면 좋겠어요 🍜");
  await sky.post(lobby, "좋아요! 저는 7시 이후면 언제든 괜찮습니다.");
  await sky.post(
    lobby,
    '참, 어제 이야기한 설정은 이렇게 하면 돼요:\n\n```toml\nlisten = "0.0.0.0:7300"\npublic_url = "https://chat.example.org"\n```\n\n자세한 건 [문서](https://example.org/docs)에 있어요.',
  );
  await sea.post(lobby, "> 7시 이후면 언제든\n\n그럼 7시 반에 만나요. 준비물은\n- 튼튼한 배\n- 우산 (비 온대요)");
  await sky.post(lobby, "I’ll bring the umbrella. `see you there` 👍");
  await sea.ask({ kind: "createRoom", clientId: crypto.randomUUID(), name: "회의 기록" });
  await sea.ask({ kind: "createRoom", clientId: crypto.randomUUID(), name: "책 읽는 밤" });
  sea.close();
  sky.close();
}

describe("screens", () => {
  it("the administrator's first link, sign in and sign up", async () => {
    for (const scheme of ["light", "dark"] as const) {
      const person = await open("아무개", { scheme });
      await person.page.goto(`${server.url}/setup#${server.setupToken}`);
      await person.page.locator("form").waitFor();
      await check(person.page, `setup-${scheme}`);
      await person.page.goto(server.url);
      await person.page.locator("form").waitFor();
      await check(person.page, `sign-in-${scheme}`);
      await person.page.getByRole("button", { name: /가입하기/ }).click();
      await check(person.page, `sign-up-${scheme}`);
      await person.fillIn();
      await person.page.locator("button.primary").click();
      await person.page.getByRole("alert").waitFor();
      await check(person.page, `refused-${scheme}`);
      await person.close();
    }
  });

  it("rooms, timeline, composer and every sheet", async () => {
    const first = await open("나무", {});
    await first.setUp();
    await first.page.locator("textarea").waitFor();
    expect(new URL(first.page.url()).pathname).toBe("/");
    await check(first.page, "empty-room-light");
    await first.close();
    await talk();

    for (const scheme of ["light", "dark"] as const) {
      const person = await open("나무", { scheme });
      await person.signIn();
      await person.go("lobby");
      await person.page.getByText("umbrella").waitFor();
      if (scheme === "light") await person.say("저도 갈게요! 늦으면 먼저 드세요 😋");
      await person.page.getByText("먼저 드세요").first().waitFor();
      await person.page.locator("[data-waiting]").waitFor({ state: "detached" });
      await check(person.page, `room-${scheme}`);
      await person.page.keyboard.press("Control+k");
      await person.page.getByRole("option", { name: "회의 기록" }).waitFor();
      await check(person.page, `finder-${scheme}`);
      await person.escape();
      await person.page.keyboard.press("Control+/");
      await person.page.getByRole("dialog").waitFor();
      await check(person.page, `shortcuts-${scheme}`);
      await person.escape();
      await person.page.getByRole("button", { name: "설정" }).click();
      await person.page.getByRole("dialog").waitFor();
      await check(person.page, `settings-${scheme}`);
      await person.escape();
      await person.page.getByRole("button", { name: "방 나가기" }).click();
      await person.page.getByRole("dialog").waitFor();
      await check(person.page, `leave-${scheme}`);
      await person.escape();
      expect(person.complaints).toEqual([]);
      expect(person.foreign).toEqual([]);
      await person.close();
    }
  });

  it("on a phone, and in English", async () => {
    for (const scheme of ["light", "dark"] as const) {
      const person = await open("나무", {
        scheme,
        width: 390,
        height: 780,
        locale: scheme === "dark" ? "en-US" : "ko-KR",
      });
      await person.signIn();
      await person.page.locator("nav a").first().waitFor();
      await check(person.page, `phone-rooms-${scheme}`);
      await person.page.locator("nav a").first().click();
      await person.page.getByText("umbrella").waitFor();
      await check(person.page, `phone-room-${scheme}`);
      await person.close();
    }
  });

  it("without a connection", async () => {
    for (const scheme of ["light", "dark"] as const) {
      const person = await open("나무", { scheme });
      await person.signIn();
      await person.page.getByText("umbrella").waitFor();
      await server.down("SIGKILL");
      await person.page.getByText("연결이 끊겼어요").first().waitFor();
      await person.say("이건 나중에 보내 주세요");
      await person.page.locator("[data-waiting=queued]").waitFor();
      await check(person.page, `offline-${scheme}`);
      await server.up();
      await person.page.locator("[data-waiting]").waitFor({ state: "detached" });
      await person.close();
    }
  });

  it("what is new, what is too long, what was refused", async () => {
    for (const scheme of ["light", "dark"] as const) {
      const sea = await Program.connect(server.url, await server.signIn("바다"));
      const lobby = await sea.enter("lobby");
      const person = await open("나무", { scheme });
      const { page } = person;
      await person.signIn();
      await person.go("회의 기록");
      for (let count = 1; count <= 30; count++) await sea.post(lobby, `그사이에 한 말 ${count}`);
      await expect.poll(() => page.locator("nav a", { hasText: "lobby" }).locator(".count").innerText()).toBe("30");
      await check(page, `unread-room-${scheme}`);
      await person.go("lobby");
      await page.locator(".divider.unread").waitFor();
      await check(page, `unread-here-${scheme}`);

      await page.keyboard.press("Alt+r");
      await page.keyboard.press("Home");
      await page.getByText("안녕하세요! 오늘 저녁에").waitFor();
      await sea.post(lobby, "아래에 온 말");
      await page.getByRole("button", { name: /새 메시지/ }).waitFor();
      await check(page, `new-below-${scheme}`);

      await person.field.fill("가".repeat(6_000));
      await page.getByText("바이트만큼 길어요").waitFor();
      await check(page, `too-long-${scheme}`);
      await person.field.fill("");

      await person.context.setOffline(true);
      await server.down("SIGKILL");
      await server.up();
      await page.getByText("연결이 끊겼어요").first().waitFor();
      await person.say("거절될 말");
      const device = await Program.connect(server.url, await server.signIn("나무"));
      await device.ask({ kind: "leave", clientId: crypto.randomUUID(), room: lobby });
      device.close();
      await person.context.setOffline(false);
      await person.go("lobby");
      await page.getByText("보내지 못했어요").waitFor();
      await check(page, `not-sent-${scheme}`);
      sea.close();
      await person.close();
    }
  });

  it("no room, no session, no server, no way back", async () => {
    for (const scheme of ["light", "dark"] as const) {
      const person = await open(`구름 ${scheme}`, { scheme });
      const { page } = person;
      await person.signUp();
      await person.go("lobby");
      const device = await Program.connect(server.url, await server.signIn(person.name));
      await device.ask({ kind: "leave", clientId: crypto.randomUUID(), room: await device.enter("lobby") });
      device.close();
      await page.getByText("이야기할 방을 골라 주세요").waitFor();
      await check(page, `no-room-${scheme}`);

      // A close code that forbids coming back.
      await page.routeWebSocket(/\/ws$/, (socket) => socket.close({ code: 4503 }));
      await page.reload();
      await page.getByText("서버가 연결을 끝냈어요").waitFor();
      await check(page, `stopped-${scheme}`);

      await page.route("**/api/v1/me", (route) => route.abort());
      await page.reload();
      await page.getByText("서버에 연결할 수 없어요").waitFor();
      await check(page, `unreachable-${scheme}`);
      await page.unroute("**/api/v1/me");
      await person.close();

      const other = await open(person.name, { scheme });
      await other.signIn();
      await other.online();
      const cookie = (await other.context.cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
      await fetch(`${server.url}/api/v1/sign-out`, { method: "POST", headers: { Cookie: cookie, Origin: server.url } });
      await other.page.getByText("로그아웃되었어요").waitFor();
      await check(other.page, `session-over-${scheme}`);
      await other.close();
    }
  });
});

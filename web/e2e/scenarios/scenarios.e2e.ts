// One suite for both clients: every scenario in the browser and in the terminal, then both in one conversation; and the table of it.

import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { launch } from "../support/browser";
import { Link } from "../support/link";
import { Program } from "../support/program";
import { Server } from "../support/server";
import { BrowserClient } from "./browser";
import { type ChatClient, KINDS, type Kind } from "./client";
import { CONVERSATION, SCENARIOS, type Stage } from "./list";
import { document } from "./table";
import { TerminalClient } from "./terminal";

let browser: Browser;
const passed = new Map<string, Set<Kind>>();
let closers: (() => unknown)[] = [];

function pass(name: string, kind: Kind): void {
  passed.set(name, (passed.get(name) ?? new Set()).add(kind));
}

async function open(kind: Kind, link: Link, name: string): Promise<ChatClient> {
  return kind === "browser" ? BrowserClient.open(browser, link, name) : new TerminalClient(link, name);
}

async function close(): Promise<void> {
  for (const close of closers.reverse()) await close();
  closers = [];
}

beforeAll(async () => {
  browser = await launch();
});

afterAll(async () => {
  await browser?.close();
});

describe.each(KINDS)("in the %s", (kind) => {
  let server: Server;
  let link: Link;
  let client: ChatClient;
  let otherToken: string | undefined;

  beforeAll(async () => {
    server = await Server.start();
    link = await Link.to(server);
    client = await open(kind, link, "하늘");
  });

  afterEach(close);

  afterAll(async () => {
    await client?.close();
    link?.close();
    await server?.remove();
  });

  async function program(token: string): Promise<Program> {
    const program = await Program.connect(server.url, token);
    closers.push(() => program.close());
    return program;
  }

  for (const scenario of SCENARIOS) {
    if (scenario.lacks?.[kind] !== undefined) continue;
    it(scenario.name, async () => {
      const stage: Stage = {
        server,
        link,
        client,
        newcomer: async (name) => {
          const newcomer = await open(kind, link, name);
          closers.push(() => newcomer.close());
          return newcomer;
        },
        other: async () => {
          otherToken ??= await server.signUp("바다");
          return program(otherToken);
        },
        device: async () => program(await server.signIn("하늘")),
      };
      await scenario.play(stage);
      pass(scenario.name, kind);
    });
  }
});

describe("together", () => {
  afterEach(close);

  it(CONVERSATION.name, async () => {
    const server = await Server.start();
    closers.push(() => server.remove());
    const [skyLink, seaLink] = [await Link.to(server), await Link.to(server)];
    closers.push(
      () => skyLink.close(),
      () => seaLink.close(),
    );
    const sky = await BrowserClient.open(browser, skyLink, "하늘");
    const sea = new TerminalClient(seaLink, "바다");
    closers.push(
      () => sky.close(),
      () => sea.close(),
    );
    await sky.setUp();
    await sea.signUp();
    await sky.createRoom("수다방");
    await sea.openRoom("수다방");

    const say = async (client: ChatClient, text: string) => {
      await client.type(text);
      await client.send();
    };
    const token = await server.signUp("기록");
    /** What the room holds by now is so many messages, and both show it. */
    const bothSee = async (count: number): Promise<string[]> => {
      const reader = await Program.connect(server.url, token);
      const room = await reader.enter("수다방");
      await expect.poll(() => reader.texts(room)).toHaveLength(count);
      const log = await reader.texts(room);
      reader.close();
      for (const client of [sky, sea]) {
        await expect.poll(() => client.waiting()).toBe(0);
        await expect.poll(() => client.lines()).toEqual(log);
      }
      return log;
    };

    await say(sky, "안녕하세요, 바다 님!");
    await bothSee(1);
    await say(sea, "반가워요, 하늘 님. 점심은 드셨어요?");
    await bothSee(2);
    const each = [1, 2, 3, 4, 5];
    await Promise.all([
      (async () => {
        for (const number of each) await say(sky, `김밥이 ${number}줄 있어요`);
      })(),
      (async () => {
        for (const number of each) await say(sea, `라면은 ${number}개 있어요`);
      })(),
    ]);
    await bothSee(12);

    // The server is restarted in the middle, and both go on writing.
    await server.down("SIGKILL");
    await expect.poll(() => sky.isOffline()).toBe(true);
    await expect.poll(() => sea.isOffline()).toBe(true);
    await say(sky, "서버가 꺼졌나 봐요");
    await say(sea, "그러게요, 금방 켜지겠죠");
    await expect.poll(() => sky.waiting()).toBe(1);
    await expect.poll(() => sea.waiting()).toBe(1);
    await server.up();
    const restarted = await bothSee(14);
    expect(restarted.slice(-2).sort()).toEqual(["그러게요, 금방 켜지겠죠", "서버가 꺼졌나 봐요"]);

    // One's link is down, the other's is not: first the terminal's, then the browser's.
    for (const [away, awayLink, here, seen] of [
      [sea, seaLink, sky, 16],
      [sky, skyLink, sea, 18],
    ] as const) {
      awayLink.cut();
      await expect.poll(() => away.isOffline()).toBe(true);
      await say(away, "지하철이라 자꾸 끊기네요");
      await expect.poll(() => away.waiting()).toBe(1);
      await say(here, "천천히 오세요");
      await expect.poll(() => here.lines()).toHaveLength(seen - 1);
      await expect.poll(() => here.waiting()).toBe(0);
      awayLink.mend();
      const log = await bothSee(seen);
      expect(log.slice(-2)).toEqual(["천천히 오세요", "지하철이라 자꾸 끊기네요"]);
    }

    // Both end and come back: the conversation is there, as it was.
    const before = await bothSee(18);
    for (const client of [sky, sea]) {
      await client.end();
      await client.begin();
      await client.openRoom("수다방");
    }
    expect(await bothSee(18)).toEqual(before);
    expect(await sky.damage()).toEqual([]);
    expect(await sea.damage()).toEqual([]);
    for (const kind of KINDS) pass(CONVERSATION.name, kind);
  });

  it("docs/clients.md is what was shown", async () => {
    await expect(document(passed)).toMatchFileSnapshot("../../../docs/clients.md");
  });
});

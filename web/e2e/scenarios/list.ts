// The scenarios: each written once, for whichever client it is given. Texts and rooms are in Korean, as people write there.

import { expect } from "vitest";
import type { Link } from "../support/link";
import type { Program } from "../support/program";
import type { Server } from "../support/server";
import type { ChatClient, Kind } from "./client";

/** Where a scenario plays. */
export interface Stage {
  readonly server: Server;
  /** The way of all clients to the server. */
  readonly link: Link;
  /** The client of 하늘, who is the administrator. */
  readonly client: ChatClient;
  /** A client that is not signed in; it is closed when the scenario ends. */
  newcomer(name: string): Promise<ChatClient>;
  /** 바다, who talks to the server as a program does. */
  other(): Promise<Program>;
  /** 하늘 herself as a program: one more device of hers. */
  device(): Promise<Program>;
}

export interface Scenario {
  readonly name: string;
  /** What is shown, for the table. */
  readonly shows: string;
  /** Why a client does not play it. */
  readonly lacks?: Partial<Record<Kind, string>>;
  play(stage: Stage): Promise<void>;
}

/** More than several screens. */
const LONG_ROOM_MESSAGES = 200;

const polled = (client: ChatClient) => ({
  lines: (lines: readonly string[]) => expect.poll(() => client.lines()).toEqual(lines),
  online: () => expect.poll(() => client.isOnline()).toBe(true),
  offline: () => expect.poll(() => client.isOffline()).toBe(true),
  waiting: (count: number) => expect.poll(() => client.waiting()).toBe(count),
});

async function say(client: ChatClient, text: string): Promise<void> {
  await client.type(text);
  await client.send();
}

export const SCENARIOS: readonly Scenario[] = [
  {
    name: "first administrator",
    shows: "the link or the command that the server prints makes the first account",
    async play({ client }) {
      await client.setUp();
      expect(await client.isOnline()).toBe(true);
    },
  },
  {
    name: "sign up, sign in",
    shows: "a new account; another device of it signs in and finds its rooms",
    async play({ newcomer }) {
      const first = await newcomer("바람");
      await first.signUp();
      await first.createRoom("산책");
      const second = await newcomer("바람");
      await second.signIn();
      await expect.poll(() => second.rooms()).toContain("산책");
    },
  },
  {
    name: "join and leave",
    shows:
      "a room that somebody made is found and joined; left, it is gone from the list; joined again, its messages are there",
    async play({ client, other }) {
      const sea = await other();
      await sea.post(await sea.createRoom("여행"), "같이 가요");
      await client.openRoom("여행");
      await polled(client).lines(["같이 가요"]);
      expect(await client.rooms()).toContain("여행");
      await client.leaveRoom();
      await expect.poll(() => client.rooms()).not.toContain("여행");
      await client.openRoom("여행");
      await polled(client).lines(["같이 가요"]);
    },
  },
  {
    name: "post",
    shows:
      "안녕하세요 and Enter sends that, once; what is written next is another message; a message may have several lines",
    async play({ client, other }) {
      await client.createRoom("인사");
      await say(client, "안녕하세요");
      await say(client, "첫째 줄\n둘째 줄");
      await polled(client).lines(["안녕하세요", "첫째 줄", "둘째 줄"]);
      await polled(client).waiting(0);
      const sea = await other();
      expect(await sea.texts(await sea.enter("인사"))).toEqual(["안녕하세요", "첫째 줄\n둘째 줄"]);
    },
  },
  {
    name: "two people",
    shows: "both write at the same time; the client shows every message once, in the room's one order",
    async play({ client, other }) {
      await client.createRoom("둘이서");
      const sea = await other();
      const room = await sea.enter("둘이서");
      const each = Array.from({ length: 10 }, (_, index) => index + 1);
      await Promise.all([
        (async () => {
          for (const number of each) await say(client, `하늘 ${number}`);
        })(),
        (async () => {
          for (const number of each) await sea.post(room, `바다 ${number}`);
        })(),
      ]);
      await expect.poll(() => sea.texts(room)).toHaveLength(20);
      const log = await sea.texts(room);
      await polled(client).lines(log);
      expect(log.filter((text) => text.startsWith("하늘"))).toEqual(each.map((number) => `하늘 ${number}`));
    },
  },
  {
    name: "read back",
    shows: "a tab that is opened anew, a program that is started anew, shows what was said before and meanwhile",
    async play({ client, other }) {
      const sea = await other();
      const room = await sea.createRoom("어제");
      await client.openRoom("어제");
      await say(client, "가기 전에 한 말");
      await polled(client).lines(["가기 전에 한 말"]);
      await client.end();
      await sea.post(room, "없는 동안 온 말");
      await client.begin();
      await client.openRoom("어제");
      await polled(client).lines(["가기 전에 한 말", "없는 동안 온 말"]);
    },
  },
  {
    name: "scroll up",
    shows: `through ${LONG_ROOM_MESSAGES} messages to the first; what comes meanwhile is told of and moves nothing; then to the newest`,
    async play({ client, other }) {
      const sea = await other();
      const room = await sea.createRoom("긴 이야기");
      const texts = Array.from({ length: LONG_ROOM_MESSAGES }, (_, index) => `${index + 1}번째 말`);
      for (const text of texts) await sea.post(room, text);
      await client.openRoom("긴 이야기");
      await expect.poll(async () => (await client.lines()).at(-1)).toBe(texts.at(-1));
      expect(await client.lines()).not.toContain(texts[0]);
      // Up until nothing moves any more.
      let seen: string[] = [];
      await expect
        .poll(async () => {
          const before = seen;
          await client.scrollUp();
          seen = await client.lines();
          return seen[0] === texts[0] && seen.join() === before.join();
        })
        .toBe(true);
      expect(seen).toEqual(texts.slice(0, seen.length));
      await sea.post(room, "아래에 온 말");
      await expect.poll(() => client.newBelow()).toBe(1);
      expect(await client.lines()).toEqual(seen);
      await client.toNewest();
      await expect.poll(async () => (await client.lines()).at(-1)).toBe("아래에 온 말");
    },
  },
  {
    name: "unread",
    shows: "a number beside a room, also after the client's end; in the room, a mark where one left off",
    async play({ client, other }) {
      await client.createRoom("소식");
      await say(client, "읽은 말");
      await polled(client).lines(["읽은 말"]);
      await polled(client).waiting(0);
      await client.createRoom("딴 방");
      const sea = await other();
      const room = await sea.enter("소식");
      await sea.post(room, "새 소식 하나");
      await sea.post(room, "새 소식 둘");
      await expect.poll(() => client.unread("소식")).toBe(2);
      await client.end();
      await client.begin();
      await expect.poll(() => client.unread("소식")).toBe(2);
      await client.openRoom("소식");
      await expect.poll(() => client.firstUnreadLine()).toBe("새 소식 하나");
      await expect.poll(() => client.unread("소식")).toBe(0);
    },
  },
  {
    name: "draft kept",
    shows: "what is half written stays in its room, and over the client's end",
    async play({ client }) {
      await client.createRoom("초안");
      await client.type("쓰다 만 글");
      await client.createRoom("빈 방");
      expect(await client.draft()).toBe("");
      await client.openRoom("초안");
      await expect.poll(() => client.draft()).toBe("쓰다 만 글");
      await client.end();
      await client.begin();
      await client.openRoom("초안");
      await expect.poll(() => client.draft()).toBe("쓰다 만 글");
      await client.erase();
    },
  },
  {
    name: "lost link",
    shows:
      "says that the connection is lost; what is written then waits, and arrives once; what others said meanwhile is there",
    async play({ client, link, other }) {
      await client.createRoom("터널");
      const sea = await other();
      const room = await sea.enter("터널");
      await say(client, "들어가요");
      await polled(client).waiting(0);
      await expect.poll(() => sea.texts(room)).toEqual(["들어가요"]);
      link.cut();
      await polled(client).offline();
      await say(client, "터널 안에서");
      await polled(client).waiting(1);
      await sea.post(room, "여보세요?");
      link.mend();
      await polled(client).lines(["들어가요", "여보세요?", "터널 안에서"]);
      await polled(client).waiting(0);
      await polled(client).online();
      expect(await sea.texts(room)).toEqual(["들어가요", "여보세요?", "터널 안에서"]);
    },
  },
  {
    name: "server restart",
    shows:
      "the server is killed (`kill -9`) and starts again: nothing is lost, what was written meanwhile arrives once, in order",
    async play({ client, server, other }) {
      await client.createRoom("재시작");
      await say(client, "꺼지기 전에");
      await polled(client).lines(["꺼지기 전에"]);
      await polled(client).waiting(0);
      await server.down("SIGKILL");
      await polled(client).offline();
      await say(client, "꺼진 동안 하나");
      await say(client, "꺼진 동안 둘");
      await polled(client).waiting(2);
      await server.up();
      const all = ["꺼지기 전에", "꺼진 동안 하나", "꺼진 동안 둘"];
      await polled(client).lines(all);
      await polled(client).waiting(0);
      const sea = await other();
      expect(await sea.texts(await sea.enter("재시작"))).toEqual(all);
    },
  },
  {
    name: "end without a link",
    shows: "what could not be sent when the tab is closed, the program left, goes out the next time, once",
    async play({ client, link, other }) {
      await client.createRoom("막차");
      const sea = await other();
      const room = await sea.enter("막차");
      link.cut();
      await polled(client).offline();
      await say(client, "못 보낸 말");
      await polled(client).waiting(1);
      await client.end();
      link.mend();
      await client.begin();
      await expect.poll(() => sea.texts(room)).toEqual(["못 보낸 말"]);
      await client.openRoom("막차");
      await polled(client).lines(["못 보낸 말"]);
      await polled(client).waiting(0);
      expect(await sea.texts(room)).toEqual(["못 보낸 말"]);
    },
  },
  {
    name: "retry after failure",
    shows: "a message that the server refused says so, is not sent by itself, and arrives once when told to try again",
    async play({ client, link, other, device }) {
      await client.createRoom("거절");
      const sea = await other();
      const room = await sea.enter("거절");
      link.cut();
      await polled(client).offline();
      await say(client, "거절될 말");
      await polled(client).waiting(1);
      // Meanwhile the same person leaves the room on another device.
      const left = await (await device()).ask({ kind: "leave", clientId: crypto.randomUUID(), room });
      expect(left.kind).toBe("left");
      link.mend();
      await polled(client).online();
      await expect.poll(() => client.rooms()).not.toContain("거절");
      await client.openRoom("거절");
      await expect.poll(() => client.refused()).toBe(1);
      expect(await sea.texts(room)).toEqual([]);
      await client.retry();
      await polled(client).lines(["거절될 말"]);
      await expect.poll(() => client.refused()).toBe(0);
      expect(await sea.texts(room)).toEqual(["거절될 말"]);
    },
  },
  {
    name: "hostile text",
    shows:
      "scripts, handlers, terminal escapes, direction overrides and floods of nothing are text; everything around stays whole",
    async play({ client, other }) {
      const sea = await other();
      const room = await sea.createRoom("낯선 이");
      await client.openRoom("낯선 이");
      for (const text of [
        "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>",
        "[누르세요](javascript:window.hacked=1) ![x](https://evil.example/x.png)",
        "\u001b]0;제목\u0007\u001b[2J\u001b[H\u001b[31m빨강",
        "\u202Egnp.exe\u202C 다음 \u2067거꾸로",
        `가${"\u200B\u200D\u2060".repeat(1_000)}나`,
        "ㅋ".repeat(2_000),
      ]) {
        await sea.post(room, text);
      }
      await sea.post(room, "그래도 멀쩡해요");
      await expect.poll(async () => (await client.lines()).at(-1)).toBe("그래도 멀쩡해요");
      expect(await client.damage()).toEqual([]);
      await say(client, "정말이네요");
      await expect.poll(async () => (await client.lines()).at(-1)).toBe("정말이네요");
    },
  },
  {
    name: "search what is loaded",
    shows: "finds a word in the messages that are loaded",
    lacks: { browser: "not built; the browser's own search finds only what is near the screen" },
    async play({ client, other }) {
      const sea = await other();
      const room = await sea.createRoom("찾기");
      for (const text of ["사과 하나", "배 하나", "사과 둘"]) await sea.post(room, text);
      await client.openRoom("찾기");
      await polled(client).lines(["사과 하나", "배 하나", "사과 둘"]);
      expect(await client.search?.("사과")).toBe(2);
    },
  },
];

/** The last one, which both play together. */
export const CONVERSATION = {
  name: "a browser and a terminal",
  shows:
    "converse in Korean: each sees each message once, in one order; the server is restarted in the middle; what either writes while its link is down arrives once after it returns",
};

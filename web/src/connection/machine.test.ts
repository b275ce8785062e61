import { describe, expect, it } from "vitest";
import { LIMITS_STANDARD, type Mutation } from "../protocol/types";
import { BACKOFF_MAX_MS, HELLO_TIMEOUT_MS } from "./config";
import { cursor, entry, HEARTBEAT_MS, OTHER_ROOM, ROOM, refusal, room, Script } from "./script";

const post = (clientId: string, inRoom = ROOM): Mutation => ({
  kind: "post",
  clientId,
  room: inRoom,
  text: "안녕",
  replyTo: 0,
});
const posted = (seq: number) => ({ kind: "posted", room: ROOM, seq, id: `id-${seq}`, atMs: 1 }) as const;

describe("the connection", () => {
  it("waits longer after each failure, never longer than the bound, and never gives up", () => {
    const script = new Script();
    let longest = 0;
    for (let attempt = 0; attempt < 12; attempt++) {
      expect(script.machine.pollOrder()).toBe("connect");
      script.machine.handleDisconnected(script.now, null);
      const event = script.event();
      if (event.kind !== "offline") throw new Error(event.kind);
      expect(event.reason).toBe("unreachable");
      const wait = event.retryAt - script.now;
      expect(wait).toBeGreaterThanOrEqual(longest);
      expect(wait).toBeLessThanOrEqual(BACKOFF_MAX_MS);
      longest = wait;
      script.wake();
    }
    expect(longest).toBe(BACKOFF_MAX_MS);
  });

  it("counts a session that lasted as a fresh start", () => {
    const script = new Script();
    for (let attempt = 0; attempt < 5; attempt++) {
      script.machine.pollOrder();
      script.machine.handleDisconnected(script.now, null);
      script.event();
      script.wake();
    }
    script.goOnline();
    script.afterMs(20_000);
    script.machine.handleDisconnected(script.now, 1006);
    const event = script.event();
    expect(event.kind === "offline" && event.retryAt - script.now).toBeLessThanOrEqual(500);
  });

  it("is dropped when two heartbeats pass without a sound", () => {
    const script = Script.online();
    script.afterMs(HEARTBEAT_MS);
    script.heartbeat(null);
    script.afterMs(2 * HEARTBEAT_MS);
    script.noEvent();
    script.afterMs(1);
    expect(script.machine.pollOrder()).toBe("drop");
    expect(script.event()).toMatchObject({ kind: "offline", reason: "silent" });
  });

  it("is dropped when nobody greets", () => {
    const script = new Script();
    script.machine.pollOrder();
    script.machine.handleConnected(script.now);
    script.afterMs(HELLO_TIMEOUT_MS);
    expect(script.machine.pollOrder()).toBe("drop");
  });

  it("comes back when the server said, not before", () => {
    const script = Script.online();
    script.push({ kind: "goingAway", comeBackAfterMs: 7_000 });
    script.machine.handleDisconnected(script.now, 4000);
    expect(script.event()).toEqual({ kind: "offline", reason: "goingAway", retryAt: script.now + 7_000 });
  });

  it.each([
    [4501, "signedOut"],
    [4500, "signedOut"],
    [4502, "stopped"],
    [1008, "stopped"],
  ])("ends for good on close code %i", (code, kind) => {
    const script = Script.online();
    script.machine.handleDisconnected(script.now, code);
    expect(script.event()).toMatchObject({ kind });
    expect(script.machine.mutate(script.now, post("a"))).toBe(false);
    expect(script.machine.pollTimeout()).toBeNull();
  });

  it("ends when the session is refused, waits when it is refused for now", () => {
    const script = new Script();
    script.machine.pollOrder();
    script.machine.handleConnected(script.now);
    script.reply(script.command().id, { kind: "error", error: refusal(true, 9_000) });
    expect(script.machine.pollOrder()).toBe("drop");
    expect(script.event()).toMatchObject({ kind: "offline", reason: "refused", retryAt: script.now + 9_000 });
    script.wake();
    expect(script.machine.pollOrder()).toBe("connect");
    script.machine.handleConnected(script.now);
    script.reply(script.command().id, { kind: "error", error: refusal(false) });
    expect(script.event()).toEqual({ kind: "signedOut" });
  });

  it("ends when the session is another's by now, before anything is sent in their name", () => {
    const script = Script.online();
    script.machine.handleDisconnected(script.now, 1006);
    script.event();
    script.machine.mutate(script.now, post("a"));
    script.wake();
    expect(script.machine.pollOrder()).toBe("connect");
    script.machine.handleConnected(script.now);
    const user = { id: "somebody else", name: "바다", administrator: false };
    const hello = {
      kind: "hello",
      user,
      limits: LIMITS_STANDARD,
      heartbeatMs: HEARTBEAT_MS,
      nowMs: script.now,
    } as const;
    script.reply(script.command().id, hello);
    script.noCommand();
    expect(script.machine.pollOrder()).toBe("drop");
    expect(script.event()).toEqual({ kind: "signedOut" });
    script.noEvent();
    expect(script.machine.pollTimeout()).toBeNull();
  });

  it("can be asked to try at once", () => {
    const script = Script.online();
    script.machine.handleDisconnected(script.now, 1006);
    script.event();
    script.machine.connectNow(script.now);
    script.goOnline();
  });
});

describe("a room's stream", () => {
  it("gives each entry once and in order", () => {
    const script = Script.online();
    script.openLive(3);
    script.entries(4, 4, 3, 5);
    expect(script.seqs()).toEqual([4, 5]);
    script.noCommand();
  });

  it("without a cursor starts at the top", () => {
    const script = Script.online();
    script.machine.open(script.now, ROOM, null);
    script.opened(script.expectCommand({ kind: "open", room: ROOM, cursor: null }), 8);
    expect(script.event()).toMatchObject({ kind: "opened", after: cursor(8) });
    script.entries(9);
    expect(script.seqs()).toEqual([9]);
  });

  it("goes on from its cursor after a lost connection", () => {
    const script = Script.online();
    script.openLive(3);
    script.entries(4);
    expect(script.seqs()).toEqual([4]);
    script.comeBack();
    script.opened(script.expectCommand({ kind: "open", room: ROOM, cursor: cursor(4) }), 6);
    expect(script.event().kind).toBe("opened");
    script.entries(5, 6);
    expect(script.seqs()).toEqual([5, 6]);
  });

  it("asks again when an entry is missing, and when it lags", () => {
    const script = Script.online();
    script.openLive(3);
    script.entries(5);
    expect(script.seqs()).toEqual([]);
    script.opened(script.expectCommand({ kind: "open", room: ROOM, cursor: cursor(3) }), 5);
    script.event();
    script.entries(4, 5);
    expect(script.seqs()).toEqual([4, 5]);
    script.push({ kind: "lag", room: ROOM });
    script.expectCommand({ kind: "open", room: ROOM, cursor: cursor(5) });
  });

  it("pages when too much was missed, then opens again", () => {
    const script = Script.online({ resumeEntriesMax: 2 });
    script.machine.open(script.now, ROOM, cursor(1));
    script.opened(script.expectCommand({ kind: "open", room: ROOM, cursor: cursor(1) }), 9, "page");
    let log = script.expectCommand({ kind: "log", room: ROOM, after: cursor(1) });
    const page = (seqs: number[]) =>
      ({ kind: "logPage", entries: seqs.map((seq) => entry(seq)), top: cursor(9), continues: true }) as const;
    script.reply(log, page([2, 3, 4]));
    expect(script.seqs()).toEqual([2, 3, 4]);
    log = script.expectCommand({ kind: "log", room: ROOM, after: cursor(4) });
    script.reply(log, page([5, 6, 7]));
    expect(script.seqs()).toEqual([5, 6, 7]);
    script.opened(script.expectCommand({ kind: "open", room: ROOM, cursor: cursor(7) }), 9);
    script.event();
    script.entries(8, 9);
    expect(script.seqs()).toEqual([8, 9]);
  });

  it("is reset when the server has another past, told or noticed", () => {
    for (const [top, continuity] of [
      [9, "otherPast"],
      [2, "continues"],
    ] as const) {
      const script = Script.online();
      script.machine.open(script.now, ROOM, cursor(3));
      script.opened(script.command().id, top, continuity);
      expect(script.event()).toEqual({ kind: "reset", room: ROOM });
      script.expectCommand({ kind: "open", room: ROOM, cursor: null });
    }
  });

  it("is opened again when a heartbeat twice tells of an entry that never came, or of no stream", () => {
    const script = Script.online();
    script.openLive(3);
    script.heartbeat(cursor(4));
    script.noCommand();
    script.heartbeat(cursor(4));
    script.opened(script.expectCommand({ kind: "open", room: ROOM, cursor: cursor(3) }), 4);
    script.event();
    script.entries(4);
    expect(script.seqs()).toEqual([4]);
    script.heartbeat(null);
    script.noCommand();
    script.heartbeat(null);
    script.expectCommand({ kind: "open", room: ROOM, cursor: cursor(4) });
  });

  it("ends with a removal and with a refusal, and is not tried again", () => {
    const script = Script.online();
    script.openLive(3);
    script.push({ kind: "removed", room: ROOM });
    expect(script.event()).toEqual({ kind: "removed", room: ROOM });
    script.entries(4);
    script.noEvent();
    script.machine.open(script.now, OTHER_ROOM, null);
    script.reply(script.command().id, { kind: "error", error: refusal(false) });
    expect(script.event()).toMatchObject({ kind: "openRefused", room: OTHER_ROOM });
    script.comeBack();
    script.noCommand();
  });

  it("is tried again after a refusal for now, as late as the server asks", () => {
    const script = Script.online();
    script.machine.open(script.now, ROOM, null);
    script.reply(script.command().id, { kind: "error", error: refusal(true, 3_000) });
    script.noCommand();
    script.afterMs(2_999);
    script.noCommand();
    script.afterMs(1);
    script.expectCommand({ kind: "open", room: ROOM, cursor: null });
  });
});

describe("posts", () => {
  it("go one at a time in a room, side by side in several", () => {
    const script = Script.online();
    script.machine.mutate(script.now, post("a"));
    script.machine.mutate(script.now, post("b"));
    script.machine.mutate(script.now, post("c", OTHER_ROOM));
    const first = script.expectCommand(post("a"));
    script.expectCommand(post("c", OTHER_ROOM));
    script.noCommand();
    script.reply(first, posted(4));
    expect(script.event()).toMatchObject({ kind: "accepted", clientId: "a", outcome: { seq: 4 } });
    script.expectCommand(post("b"));
  });

  it("made offline are sent once the connection is there", () => {
    const script = new Script();
    script.machine.mutate(script.now, post("a"));
    script.noCommand();
    script.goOnline();
    script.expectCommand(post("a"));
    script.noCommand();
  });

  it("whose answer was lost are sent again with the same client id, and answered once", () => {
    const script = Script.online();
    script.machine.mutate(script.now, post("a"));
    script.expectCommand(post("a"));
    script.comeBack();
    const again = script.expectCommand(post("a"));
    script.reply(again, posted(4));
    expect(script.event()).toMatchObject({ kind: "accepted", clientId: "a" });
    script.reply(again, posted(4));
    script.noEvent();
    script.comeBack();
    script.noCommand();
  });

  it("refused for now wait and keep their place; refused for good leave it", () => {
    const script = Script.online();
    script.machine.mutate(script.now, post("a"));
    script.machine.mutate(script.now, post("b"));
    script.reply(script.expectCommand(post("a")), { kind: "error", error: refusal(true, 1_000) });
    script.noEvent();
    script.afterMs(999);
    script.noCommand();
    script.afterMs(1);
    script.reply(script.expectCommand(post("a")), { kind: "error", error: refusal(false) });
    expect(script.event()).toMatchObject({ kind: "refused", clientId: "a" });
    script.expectCommand(post("b"));
  });

  it("given twice with one client id wait once", () => {
    const script = Script.online();
    script.machine.mutate(script.now, post("a"));
    script.machine.mutate(script.now, post("a"));
    script.reply(script.expectCommand(post("a")), posted(4));
    script.noCommand();
  });

  it("let an opening wait for the join before it", () => {
    const script = Script.online();
    script.machine.mutate(script.now, { kind: "join", clientId: "j", room: ROOM });
    script.machine.open(script.now, ROOM, null);
    const join = script.expectCommand({ kind: "join", clientId: "j", room: ROOM });
    script.noCommand();
    script.reply(join, { kind: "joined", room: room(5) });
    expect(script.event().kind).toBe("accepted");
    script.expectCommand({ kind: "open", room: ROOM, cursor: null });
  });
});

describe("questions", () => {
  it("are asked again over the next connection and answered once", () => {
    const script = Script.online();
    const id = script.machine.ask(script.now, { kind: "listRooms", mine: true, afterName: "" });
    script.command();
    script.comeBack();
    script.reply(script.command().id, { kind: "roomList", rooms: [room(1)], more: false });
    expect(script.event()).toMatchObject({ kind: "answer", id });
    script.noEvent();
  });

  it("refused for now are asked again, as late as the server asks; refused for good are answered", () => {
    const script = Script.online();
    const question = { kind: "messages", room: ROOM, beforeSeq: 9, countMax: 0 } as const;
    const id = script.machine.ask(script.now, question);
    script.reply(script.expectCommand(question), { kind: "error", error: refusal(true, 1_000) });
    script.noEvent();
    script.noCommand();
    expect(script.machine.pollTimeout()).toBe(script.now + 1_000);
    script.afterMs(999);
    script.noCommand();
    script.afterMs(1);
    // Without a word from the server, later each time.
    script.reply(script.expectCommand(question), { kind: "error", error: refusal(true) });
    script.noCommand();
    script.wake();
    script.reply(script.expectCommand(question), { kind: "error", error: refusal(false) });
    expect(script.event()).toMatchObject({ kind: "noAnswer", id });
    script.noCommand();
  });

  it("keep to the number of commands under way that the server allows", () => {
    const script = Script.online({ commandsInFlightMax: 2 });
    for (let count = 0; count < 3; count++) {
      script.machine.ask(script.now, { kind: "listRooms", mine: true, afterName: "" });
    }
    const first = script.command();
    script.command();
    script.noCommand();
    script.reply(first.id, { kind: "roomList", rooms: [], more: false });
    script.command();
  });
});

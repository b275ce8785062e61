import { afterEach, describe, expect, it, vi } from "vitest";
import { MemoryStore } from "../outbox/store";
import { LIMITS_STANDARD, type Room } from "../protocol/types";
import { Chat } from "./chat.svelte";
import type { Event } from "./event";
import { refusal } from "./script";

/** A driver without a connection: what the chat asks of it, and a way to tell the chat what happened. */
const fake = vi.hoisted(() => ({
  open: [] as string[],
  roomsMax: 2,
  tell: (_: unknown) => {},
  ask: () => Promise.reject(new Error("not asked for")) as Promise<unknown>,
}));

vi.mock("./driver", () => {
  class RefusedError extends Error {
    constructor(readonly error: { name: string }) {
      super(error.name);
    }
  }
  class Driver {
    machine = { limits: LIMITS_STANDARD };
    constructor(_url: string, _config: unknown, onEvent: (event: unknown) => void) {
      fake.tell = onEvent;
    }
    open(room: string) {
      if (fake.open.length >= fake.roomsMax) return false;
      fake.open.push(room);
      return true;
    }
    close(room: string) {
      fake.open = fake.open.filter((one) => one !== room);
    }
    ask() {
      return fake.ask();
    }
    stop() {}
  }
  return { Driver, RefusedError };
});

const user = { id: "me", name: "하늘", administrator: false };
const room = (id: string): Room => ({ id, name: id, top: { seq: 5, id: "id-5" }, memberCount: 1, member: true });
const online: Event = { kind: "online", user, nowMs: 0 };

function chat(): Chat {
  fake.open = [];
  return new Chat(user, {
    url: "",
    config: { device: "device", client: "test/1", random: () => 0 },
    store: new MemoryStore(),
    tabs: { own: () => {}, release: () => {}, tell: () => {}, listen: () => {}, close: () => {} },
    locale: () => "ko",
    signedOut: () => {},
  });
}

afterEach(() => {
  vi.useRealTimers();
});

describe("the rooms of a chat", () => {
  it("beyond what may be open at once are opened when one goes there, in place of the one least recently looked at", async () => {
    const made = chat();
    fake.ask = async () => ({ kind: "roomList", rooms: ["a", "b", "c", "d"].map(room), more: false });
    made.enter("c");
    fake.tell(online);
    await expect.poll(() => made.listed).toBe(true);
    expect(made.rooms.list.map((one) => one.id)).toEqual(["a", "b", "c", "d"]);
    expect(fake.open).toEqual(["b", "c"]);
    made.enter("b");
    made.enter("d");
    expect(fake.open).toEqual(["b", "d"]);
    fake.tell({ kind: "opened", room: room("d"), after: room("d").top });
    expect(made.timeline("d").caughtUp).toBe(true);
    made.enter("c");
    expect(fake.open).toEqual(["d", "c"]);
  });

  it("are asked for again when the server would not list them", async () => {
    vi.useFakeTimers();
    const shown = vi.spyOn(console, "error").mockImplementation(() => {});
    const made = chat();
    let asked = 0;
    fake.ask = async () => {
      asked += 1;
      if (asked === 1) throw Object.assign(new Error("internal"), { error: refusal(false) });
      return { kind: "roomList", rooms: [room("a")], more: false };
    };
    fake.tell(online);
    await vi.advanceTimersByTimeAsync(0);
    expect([asked, made.listed]).toEqual([1, false]);
    await vi.runAllTimersAsync();
    expect([asked, made.listed]).toEqual([2, true]);
    shown.mockRestore();
  });
});

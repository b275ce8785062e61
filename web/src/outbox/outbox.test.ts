import { IDBFactory } from "fake-indexeddb";
import { describe, expect, it } from "vitest";
import type { Mutation } from "../protocol/types";
import { waiting } from "./item";
import { Outbox } from "./outbox.svelte";
import { DiskStore, MemoryStore } from "./store";
import type { News, Tabs } from "./tabs";

/** A device: one disk, one lock, a channel, and the tabs that are open. */
class Device {
  readonly disk = new IDBFactory();
  #owners: { tab: object; owned: () => void }[] = [];
  #listeners = new Map<object, (news: News) => void>();

  tabs(): Tabs {
    const tab = {};
    return {
      own: (owned) => {
        this.#owners.push({ tab, owned });
        if (this.#owners.length === 1) owned();
      },
      tell: (news) => {
        for (const [other, heard] of this.#listeners) if (other !== tab) heard(structuredClone(news));
      },
      listen: (heard) => this.#listeners.set(tab, heard),
      release: () => this.#release(tab),
      close: () => {
        this.#listeners.delete(tab);
        this.#release(tab);
      },
    };
  }

  #release(tab: object) {
    const first = this.#owners[0];
    this.#owners = this.#owners.filter((one) => one.tab !== tab);
    if (first?.tab === tab) this.#owners[0]?.owned();
  }

  async open(user = "하늘"): Promise<{ outbox: Outbox; sent: Mutation[] }> {
    const sent: Mutation[] = [];
    const outbox = new Outbox(user, new DiskStore(this.disk), this.tabs(), (mutation) => {
      // As the machine does: each client id once.
      if (!sent.some((one) => one.clientId === mutation.clientId)) sent.push(mutation);
      return true;
    });
    await outbox.start();
    return { outbox, sent };
  }
}

const texts = (sent: Mutation[]) => sent.map((one) => (one.kind === "post" ? one.text : one.kind));

describe("the outbox", () => {
  it("sends in the order of writing and forgets what stands in the timeline", async () => {
    const { outbox, sent } = await new Device().open();
    await Promise.all([outbox.post("room", "하나"), outbox.post("room", "둘"), outbox.post("room", "셋")]);
    expect(outbox.items.map((item) => item.text)).toEqual(["하나", "둘", "셋"]);
    await expect.poll(() => texts(sent)).toEqual(["하나", "둘", "셋"]);
    await outbox.accepted(sent[0]!.clientId, 7);
    expect(outbox.items[0]?.state).toEqual({ kind: "sent", seq: 7 });
    outbox.shown("room", 6);
    expect(outbox.items).toHaveLength(3);
    outbox.shown("room", 7);
    expect(outbox.items.map((item) => item.text)).toEqual(["둘", "셋"]);
  });

  it("shows and sends a post once it is on disk, not before", async () => {
    const { outbox, sent } = await new Device().open();
    const put = outbox.store.put.bind(outbox.store);
    let write = () => {};
    const slow = new Promise<void>((resolve) => {
      write = resolve;
    });
    outbox.store.put = (item) => slow.then(() => put(item));
    const posted = outbox.post("room", "아직");
    expect(outbox.items).toEqual([]);
    write();
    await posted;
    expect(outbox.items.map((item) => item.text)).toEqual(["아직"]);
    expect(texts(sent)).toEqual(["아직"]);
    expect(await outbox.store.all("하늘")).toHaveLength(1);
  });

  it("survives a reload, and only the user's own", async () => {
    const device = new Device();
    const before = await device.open();
    await before.outbox.post("room", "남아라");
    const other = await device.open("바다");
    await other.outbox.post("room", "다른 사람");
    other.outbox.close();
    before.outbox.close();
    const after = await device.open();
    await expect.poll(() => texts(after.sent)).toEqual(["남아라"]);
    expect(after.sent[0]?.clientId).toBe(before.sent[0]?.clientId);
  });

  it("of two tabs is owned by one, shown by both, and inherited", async () => {
    const device = new Device();
    const first = await device.open();
    const second = await device.open();
    await second.outbox.post("room", "둘째 탭에서");
    await expect.poll(() => texts(first.sent)).toEqual(["둘째 탭에서"]);
    expect(second.sent).toEqual([]);
    expect(first.outbox.items.map((item) => item.text)).toEqual(["둘째 탭에서"]);
    await first.outbox.accepted(first.sent[0]!.clientId, 3);
    expect(second.outbox.items[0]?.state).toEqual({ kind: "sent", seq: 3 });
    await second.outbox.post("room", "물려받기");
    first.outbox.close();
    await expect.poll(() => texts(second.sent)).toEqual(["물려받기"]);
  });

  it("keeps what was refused until the person retries or discards it", async () => {
    const device = new Device();
    const { outbox, sent } = await device.open();
    await outbox.post("room", "너무 긴 글");
    const { clientId } = sent[0]!;
    await outbox.refused(clientId, { name: "text_too_long", limit: 16_384 });
    sent.length = 0;
    const reloaded = await device.open();
    expect(reloaded.outbox.items[0]?.state).toEqual({ kind: "failed", error: "text_too_long", limit: 16_384 });
    await outbox.retry(clientId);
    await expect.poll(() => texts(sent)).toEqual(["너무 긴 글"]);
    await outbox.discard(clientId);
    expect(outbox.items).toEqual([]);
    expect(await outbox.store.all("하늘")).toEqual([]);
  });

  it("keeps what a refused post answers, over a reload and a retry", async () => {
    const device = new Device();
    const { outbox, sent } = await device.open();
    await outbox.post("room", "저도요", 4);
    await outbox.refused(sent[0]!.clientId, { name: "not_a_member", limit: 0 });
    outbox.close();
    const reloaded = await device.open();
    expect(reloaded.sent).toEqual([]);
    await reloaded.outbox.retry(sent[0]!.clientId);
    await expect.poll(() => reloaded.sent).toMatchObject([{ kind: "post", text: "저도요", replyTo: 4 }]);
  });

  it("speaks on when the disk is full", async () => {
    const { outbox, sent } = await new Device().open();
    outbox.store.put = () => Promise.reject(new Error("QuotaExceededError"));
    const shown = console.error;
    console.error = () => {};
    await outbox.post("room", "그래도");
    console.error = shown;
    expect(texts(sent)).toEqual(["그래도"]);
  });

  it("sends what only this tab holds, whoever owns the outbox", async () => {
    const device = new Device();
    const owner = await device.open();
    const full = await device.open();
    full.outbox.store.put = () => Promise.reject(new Error("QuotaExceededError"));
    const shown = console.error;
    console.error = () => {};
    await full.outbox.post("room", "디스크 없이");
    console.error = shown;
    expect(texts(full.sent)).toEqual(["디스크 없이"]);
    expect(owner.sent).toEqual([]);

    const sent: Mutation[] = [];
    const memory = new Outbox("하늘", new MemoryStore(), device.tabs(), (mutation) => sent.push(mutation) > 0);
    await memory.start();
    await memory.post("room", "기억에만");
    expect(texts(sent)).toEqual(["기억에만"]);
  });

  it("passes to another tab when the owner's connection has stopped for good", async () => {
    const device = new Device();
    const stopped = await device.open();
    const healthy = await device.open();
    stopped.outbox.release();
    await stopped.outbox.post("room", "옆 탭이 보내 줘");
    await expect.poll(() => texts(healthy.sent)).toEqual(["옆 탭이 보내 줘"]);
    expect(stopped.sent).toEqual([]);
    await healthy.outbox.accepted(healthy.sent[0]!.clientId, 4);
    expect(stopped.outbox.items[0]?.state).toEqual({ kind: "sent", seq: 4 });
  });

  it("gives in order what the machine had no place for, as its places become free", async () => {
    const pending: Mutation[] = [];
    const sent: Mutation[] = [];
    const outbox = new Outbox("하늘", new DiskStore(new IDBFactory()), new Device().tabs(), (mutation) => {
      if (pending.length === 2) return false;
      pending.push(mutation);
      sent.push(mutation);
      return true;
    });
    await outbox.start();
    for (const text of ["하나", "둘", "셋", "넷", "다섯"]) await outbox.post("room", text);
    expect(texts(sent)).toEqual(["하나", "둘"]);
    await outbox.accepted(pending.shift()!.clientId, 1);
    expect(texts(sent)).toEqual(["하나", "둘", "셋"]);
    await outbox.refused(pending.shift()!.clientId, { name: "not_a_member", limit: 0 });
    expect(texts(sent)).toEqual(["하나", "둘", "셋", "넷"]);
    await outbox.accepted(pending.shift()!.clientId, 2);
    expect(texts(sent)).toEqual(["하나", "둘", "셋", "넷", "다섯"]);
  });

  it("is not misled by a reading of the disk that began before a post was sent or discarded", async () => {
    const { outbox, sent } = await new Device().open();
    await outbox.post("room", "보냈다");
    await outbox.post("room", "버렸다");
    const [accepted, discarded] = outbox.items.map((item) => item.clientId);
    const all = outbox.store.all.bind(outbox.store);
    let answer = () => {};
    const slow = new Promise<void>((resolve) => {
      answer = resolve;
    });
    outbox.store.all = async (user) => {
      const items = await all(user);
      await slow;
      return items;
    };
    // Starting again reads the disk again.
    const reloaded = outbox.start();
    await outbox.accepted(accepted!, 5);
    await outbox.discard(discarded!);
    sent.length = 0;
    answer();
    await reloaded;
    expect(outbox.items.map((item) => [item.text, item.state.kind])).toEqual([["보냈다", "sent"]]);
    expect(sent).toEqual([]);
  });
});

describe("what waits below the timeline", () => {
  const item = (clientId: string, state: { kind: "queued" } | { kind: "sent"; seq: number }) => ({
    clientId,
    user: "u",
    room: "room",
    text: "",
    replyTo: 0,
    at: 0,
    state,
  });

  it("leaves out what stands in it", () => {
    const items = [
      item("a", { kind: "sent", seq: 4 }),
      item("b", { kind: "sent", seq: 6 }),
      item("c", { kind: "queued" }),
    ];
    const ids = (cursor: number, echoed: string[] = []) =>
      waiting(items, "room", cursor, new Set(echoed)).map((one) => one.clientId);
    expect(ids(5)).toEqual(["b", "c"]);
    expect(ids(6, ["c"])).toEqual([]);
    expect(waiting(items, "other", 0, new Set())).toEqual([]);
  });
});

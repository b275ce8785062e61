// The posts that have no answer yet: on disk before anything is sent, shown by every tab, sent by the one that owns the outbox.

import type { Mutation } from "../protocol/types";
import { uuid } from "../ui/uuid";
import type { Item, ItemState } from "./item";
import type { Store } from "./store";
import type { Tabs } from "./tabs";

export class Outbox {
  /** Oldest first. */
  items: readonly Item[] = $state.raw([]);
  #isOwner = false;
  #lastAt = 0;
  /** What the disk did not take: reading it again must not lose them. */
  #unsaved = new Set<string>();
  /** What the machine has and hasn't answered. */
  #given = new Set<string>();
  /** What was sent or discarded: a reading of the disk that began before must not bring it back. */
  #settled = new Set<string>();

  constructor(
    readonly user: string,
    readonly store: Store,
    readonly tabs: Tabs,
    /** Gives a post to the machine, which takes each client id once; false where it takes no more for now. */
    readonly send: (mutation: Mutation) => boolean,
  ) {}

  async start(): Promise<void> {
    this.tabs.listen((news) => {
      if (news.kind === "changed") void this.#reload();
      else this.#settle(news.clientId, news.seq);
    });
    await this.#reload();
    const owned = () => {
      this.#isOwner = true;
      void this.#reload();
    };
    // What only this tab can see, nobody else can send.
    if (this.store.isShared) this.tabs.own(owned);
    else owned();
  }

  /** This tab's machine will send nothing any more: another tab may. */
  release(): void {
    this.#isOwner = false;
    this.tabs.release();
  }

  /** Shows the post, and resolves, once it is on disk: what is seen to wait survives the end of the tab. */
  async post(room: string, text: string, replyTo = 0): Promise<void> {
    this.#lastAt = Math.max(Date.now(), this.#lastAt + 1);
    const item: Item = {
      clientId: uuid(),
      user: this.user,
      room,
      text,
      replyTo,
      at: this.#lastAt,
      state: { kind: "queued" },
    };
    await this.#save(item);
  }

  /** Tries again what was refused. */
  async retry(clientId: string): Promise<void> {
    await this.#change(clientId, { kind: "queued" });
  }

  async discard(clientId: string): Promise<void> {
    this.#settled.add(clientId);
    this.items = this.items.filter((item) => item.clientId !== clientId);
    await this.store.remove(clientId);
    this.tabs.tell({ kind: "changed" });
  }

  /** The machine's word: the post is on the server's disk. */
  async accepted(clientId: string, seq: number): Promise<void> {
    const known = this.#find(clientId) !== undefined;
    this.#settle(clientId, seq);
    this.#give();
    if (!known) return;
    await this.store.remove(clientId);
    this.tabs.tell({ kind: "settled", clientId, seq });
  }

  /** The machine's word: the post will not be taken. */
  async refused(clientId: string, { name, limit }: { name: string; limit: number }): Promise<void> {
    await this.#change(clientId, { kind: "failed", error: name, limit });
    this.#given.delete(clientId);
    this.#give();
  }

  /** Forgets what was sent and stands in the timeline by now. */
  shown(room: string, cursorSeq: number): void {
    const gone = (item: Item) => item.room === room && item.state.kind === "sent" && item.state.seq <= cursorSeq;
    if (this.items.some(gone)) this.items = this.items.filter((item) => !gone(item));
  }

  close(): void {
    this.tabs.close();
  }

  #find(clientId: string): Item | undefined {
    return this.items.find((item) => item.clientId === clientId);
  }

  #settle(clientId: string, seq: number): void {
    this.#given.delete(clientId);
    this.#settled.add(clientId);
    this.items = this.items.map((item) =>
      item.clientId === clientId ? { ...item, state: { kind: "sent", seq } } : item,
    );
  }

  async #change(clientId: string, state: ItemState): Promise<void> {
    const item = this.#find(clientId);
    if (item) await this.#save({ ...item, state });
  }

  async #save(item: Item): Promise<void> {
    try {
      await this.store.put(item);
      this.#unsaved.delete(item.clientId);
    } catch (error) {
      // A full disk must not keep anybody from speaking; only a reload could lose this one.
      console.error(error);
      this.#unsaved.add(item.clientId);
    }
    if (this.#settled.has(item.clientId)) return;
    const others = this.items.filter((one) => one.clientId !== item.clientId);
    this.items = [...others, item].sort((a, b) => a.at - b.at);
    this.#give();
    this.tabs.tell({ kind: "changed" });
  }

  async #reload(): Promise<void> {
    const stored = (await this.store.all(this.user)).filter((item) => !this.#settled.has(item.clientId));
    const known = new Set(stored.map((item) => item.clientId));
    const kept = this.items.filter(
      (item) => !known.has(item.clientId) && (this.#unsaved.has(item.clientId) || item.state.kind === "sent"),
    );
    this.items = [...stored, ...kept].sort((a, b) => a.at - b.at);
    this.#give();
  }

  /** Gives the machine what is this tab's to send, in order, as far as it takes it: the rest goes with the next answer. */
  #give(): void {
    for (const { clientId, room, text, replyTo, state } of this.items) {
      const isOurs = this.#isOwner || this.#unsaved.has(clientId);
      if (state.kind !== "queued" || !isOurs || this.#given.has(clientId)) continue;
      if (!this.send({ kind: "post", clientId, room, text, replyTo })) return;
      this.#given.add(clientId);
    }
  }
}

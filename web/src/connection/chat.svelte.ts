// One signed-in person's chat: the connection, and where its events go. Knows the parts; the parts don't know each other.

import { Replies } from "../composer/replies.svelte";
import { waiting } from "../outbox/item";
import { Outbox } from "../outbox/outbox.svelte";
import type { Store } from "../outbox/store";
import type { Tabs } from "../outbox/tabs";
import type { Entry, Mutation, Room, User } from "../protocol/types";
import { Marks } from "../rooms/marks";
import { startOf } from "../rooms/rooms";
import { Rooms } from "../rooms/rooms.svelte";
import { Timeline } from "../timeline/timeline.svelte";
import { uuid } from "../ui/uuid";
import type { Config } from "./config";
import { Driver, RefusedError } from "./driver";
import type { Event, OfflineReason, Outcome } from "./event";

/** How old the list of one's rooms may be when one comes back to the page. */
const LIST_AGE_MS = 5_000;
/** Milliseconds until the list that the server would not tell is asked for again. */
const LIST_RETRY_MS = 5_000;

export type Connection =
  | { kind: "connecting" }
  | { kind: "online" }
  | { kind: "offline"; retryAt: number; reason: OfflineReason }
  | { kind: "stopped" };

export interface Setting {
  url: string;
  config: Omit<Config, "user">;
  store: Store;
  tabs: Tabs;
  locale: () => string;
  signedOut: () => void;
}

interface Waiting {
  resolve: (outcome: Outcome) => void;
  reject: (error: RefusedError) => void;
}

export class Chat {
  connection: Connection = $state.raw({ kind: "connecting" });
  /** Whether the list of rooms came once. */
  listed = $state(false);
  current: string | null = $state(null);
  /** The newest message of the current room, for screen readers. */
  announcement: Entry | null = $state.raw(null);
  /** The name of a room that one was taken out of. */
  removedFrom: string | null = $state(null);
  readonly rooms: Rooms;
  readonly outbox: Outbox;
  readonly replies: Replies;
  readonly marks: Marks;
  #timelines = new Map<string, Timeline>();
  /** Posts whose entry came before their answer: shown as the entry. */
  #echoed: ReadonlySet<string> = $state.raw(new Set<string>());
  #waiting = new Map<string, Waiting>();
  /** One's rooms as the server last told of them. */
  #told = new Map<string, Room>();
  /** Those that are open, which not all can be at once: the one least recently looked at first. */
  #opened = new Set<string>();
  #listedAt = 0;
  #listTimer: ReturnType<typeof setTimeout> | undefined;
  readonly #driver: Driver;

  constructor(
    readonly user: User,
    readonly setting: Setting,
  ) {
    this.marks = new Marks(user.id);
    this.replies = new Replies(user.id);
    this.rooms = new Rooms(this.marks, user.id, setting.locale);
    this.#driver = new Driver(setting.url, { ...setting.config, user: user.id }, (event) => this.#handle(event));
    this.outbox = new Outbox(user.id, setting.store, setting.tabs, (mutation) => this.#driver.mutate(mutation));
  }

  async start(): Promise<void> {
    addEventListener("storage", this.#storage);
    addEventListener("focus", this.#focus);
    await this.outbox.start();
    this.#driver.start();
  }

  stop(): void {
    removeEventListener("storage", this.#storage);
    removeEventListener("focus", this.#focus);
    clearTimeout(this.#listTimer);
    this.#driver.stop();
    this.outbox.close();
  }

  connectNow(): void {
    this.#driver.connectNow();
  }

  get textBytesMax(): number {
    return this.#driver.machine.limits.textBytesMax;
  }

  /** Makes a room the one that is looked at; null: none. */
  enter(id: string | null): void {
    if (this.current === id) return;
    if (this.current !== null) this.#timelines.get(this.current)?.leave();
    this.current = id;
    this.announcement = null;
    if (id === null) return;
    this.#use(id);
    const timeline = this.timeline(id);
    // Before the stream has caught up nobody knows whether anything is unread.
    const perhaps = !timeline.caughtUp || (this.rooms.get(id)?.unread ?? 0) > 0;
    timeline.enter(perhaps ? (this.marks.get(id)?.seq ?? null) : null);
  }

  timeline(id: string): Timeline {
    let timeline = this.#timelines.get(id);
    if (!timeline) {
      timeline = new Timeline(async (beforeSeq) => {
        const answer = await this.#driver.ask({ kind: "messages", room: id, beforeSeq, countMax: 0 });
        return answer.kind === "messagePage" ? answer : { messages: [], more: false };
      });
      this.#timelines.set(id, timeline);
    }
    return timeline;
  }

  /** Posts of a room that don't stand in its timeline yet. */
  waiting(id: string) {
    return waiting(this.outbox.items, id, this.timeline(id).cursor?.seq ?? 0, this.#echoed);
  }

  /** Everything that came of the room has been seen. */
  read(id: string): void {
    const cursor = this.timeline(id).cursor;
    if (!cursor) return;
    this.marks.advance(id, cursor);
    this.rooms.setUnread(id, 0);
  }

  /** A page of all rooms of the server. Rejects with `RefusedError`. */
  async find(afterName = ""): Promise<{ rooms: Room[]; more: boolean }> {
    const answer = await this.#driver.ask({ kind: "listRooms", mine: false, afterName });
    return answer.kind === "roomList" ? answer : { rooms: [], more: false };
  }

  /** Gives the room's id. Rejects with `RefusedError`. */
  async createRoom(name: string): Promise<string> {
    return this.#entered(await this.#mutate({ kind: "createRoom", clientId: uuid(), name }));
  }

  async join(room: string): Promise<string> {
    return this.#entered(await this.#mutate({ kind: "join", clientId: uuid(), room }));
  }

  async leave(room: string): Promise<void> {
    await this.#mutate({ kind: "leave", clientId: uuid(), room });
    this.#gone(room);
  }

  #entered(outcome: Outcome): string {
    if (outcome.kind !== "roomCreation" && outcome.kind !== "joined") return "";
    // Whatever was said before one came is not unread.
    this.marks.advance(outcome.room.id, outcome.room.top);
    this.#open(outcome.room);
    return outcome.room.id;
  }

  #mutate(mutation: Mutation): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(mutation.clientId, { resolve, reject });
      if (!this.#driver.mutate(mutation)) {
        this.#waiting.delete(mutation.clientId);
        reject(new RefusedError({ name: "busy", message: "", retryable: true, retryAfterMs: 0, limit: 0 }));
      }
    });
  }

  #handle(event: Event): void {
    switch (event.kind) {
      case "online":
        this.connection = { kind: "online" };
        void this.#list();
        return;
      case "offline":
        this.connection = { kind: "offline", retryAt: event.retryAt, reason: event.reason };
        return;
      case "signedOut":
        return this.setting.signedOut();
      case "stopped":
        this.connection = { kind: "stopped" };
        this.outbox.release();
        return;
      case "opened":
        if (!this.marks.get(event.room.id)) this.marks.advance(event.room.id, event.after);
        this.rooms.put(event.room);
        this.#told.set(event.room.id, event.room);
        this.timeline(event.room.id).opened(event.after, event.room.top);
        return;
      case "entry":
        return this.#entry(event.entry);
      case "reset":
        this.marks.forget(event.room);
        this.replies.set(event.room, null);
        this.rooms.setUnread(event.room, 0);
        return this.timeline(event.room).reset();
      case "removed":
      case "openRefused":
        this.removedFrom = this.rooms.get(event.room)?.name ?? null;
        return this.#gone(event.room);
      case "accepted":
        return this.#accepted(event.clientId, event.outcome);
      case "refused":
        this.#waiting.get(event.clientId)?.reject(new RefusedError(event.error));
        this.#waiting.delete(event.clientId);
        this.#echoed = new Set([...this.#echoed].filter((one) => one !== event.clientId));
        void this.outbox.refused(event.clientId, event.error);
        return;
    }
  }

  #entry(entry: Entry): void {
    const { room, author, what, seq } = entry;
    this.timeline(room).entry(entry);
    this.rooms.entry(entry);
    if (what.kind === "messagePosted" && author === this.user.id) {
      const item = this.outbox.items.find(
        (one) =>
          one.room === room &&
          one.text === what.text &&
          one.replyTo === what.replyTo &&
          one.state.kind === "queued" &&
          !this.#echoed.has(one.clientId),
      );
      if (item) this.#echoed = new Set(this.#echoed).add(item.clientId);
    }
    this.outbox.shown(room, seq);
    if (room === this.current && what.kind === "messagePosted" && author !== this.user.id) this.announcement = entry;
  }

  #accepted(clientId: string, outcome: Outcome): void {
    this.#waiting.get(clientId)?.resolve(outcome);
    this.#waiting.delete(clientId);
    if (outcome.kind !== "posted") return;
    void this.outbox.accepted(clientId, outcome.seq).then(() => {
      const seq = this.#timelines.get(outcome.room)?.cursor?.seq;
      if (seq !== undefined) this.outbox.shown(outcome.room, seq);
    });
  }

  /** Brings the list of one's rooms up to date; later, where the server won't tell now. */
  async #list(): Promise<void> {
    clearTimeout(this.#listTimer);
    this.#listedAt = Date.now();
    try {
      await this.#listAll();
    } catch (error) {
      console.error(error);
      this.#listTimer = setTimeout(() => {
        if (this.connection.kind === "online") void this.#list();
      }, LIST_RETRY_MS);
    }
  }

  /** Asks for all rooms of one's own, page by page, and opens those that aren't open. */
  async #listAll(): Promise<void> {
    // What is joined while the list is on its way may not stand in it yet.
    const before = this.rooms.list.map((room) => room.id);
    const mine = new Set<string>();
    for (let afterName = "", more = true; more; ) {
      const answer = await this.#driver.ask({ kind: "listRooms", mine: true, afterName });
      if (answer.kind !== "roomList") return;
      for (const room of answer.rooms) {
        mine.add(room.id);
        this.#open(room);
      }
      afterName = answer.rooms.at(-1)?.name ?? "";
      more = answer.more && afterName !== "";
    }
    for (const id of before) if (!mine.has(id)) this.#gone(id);
    this.listed = true;
  }

  /** Rooms that one joined or left in another tab or on another device: looked for when one comes back to this one. */
  #focus = (): void => {
    if (this.connection.kind === "online" && Date.now() - this.#listedAt >= LIST_AGE_MS) void this.#list();
  };

  #open(room: Room): void {
    const known = this.rooms.get(room.id) !== undefined;
    this.rooms.put(room);
    this.#told.set(room.id, room);
    if (known) return;
    if (!this.#stream(room) && room.id === this.current) this.#use(room.id);
  }

  /** False where too many rooms are open. */
  #stream(room: Room): boolean {
    const { cursor, more } = startOf(room, this.marks.get(room.id), this.#driver.machine.limits);
    if (more) this.rooms.missedMany(room.id);
    if (!this.#driver.open(room.id, cursor)) return false;
    this.#opened.add(room.id);
    return true;
  }

  /** The room is looked at: it is to be open, in place of another if need be. */
  #use(id: string): void {
    if (this.#opened.delete(id)) {
      this.#opened.add(id);
      return;
    }
    const room = this.#told.get(id);
    if (!room) return;
    // What is unread is counted again from where one left off.
    this.rooms.setUnread(id, 0);
    if (this.#stream(room)) return;
    const [oldest] = this.#opened;
    if (oldest === undefined) return;
    this.#opened.delete(oldest);
    this.#driver.close(oldest);
    this.#timelines.delete(oldest);
    this.#stream(room);
  }

  #gone(room: string): void {
    this.#driver.close(room);
    this.#opened.delete(room);
    this.#told.delete(room);
    this.rooms.remove(room);
    this.marks.forget(room);
    if (this.current === room) this.enter(null);
    this.#timelines.delete(room);
  }

  #storage = (event: StorageEvent): void => {
    const room = this.marks.roomOf(event);
    if (room === null) return;
    const read = this.marks.get(room)?.seq ?? 0;
    this.rooms.setUnread(room, this.timeline(room).countAfter(read, this.user.id));
  };
}

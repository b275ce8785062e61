// The rooms that one is a member of, and how much of each is unread.

import type { Entry, Room } from "../protocol/types";
import type { Marks } from "./marks";
import { type RoomView, sorted } from "./rooms";

export class Rooms {
  #views: ReadonlyMap<string, RoomView> = $state.raw(new Map());
  /** In the order of their names. */
  list: readonly RoomView[] = $derived.by(() => sorted(this.#views.values(), this.locale()));
  unread: number = $derived(this.list.reduce((sum, room) => sum + room.unread, 0));

  constructor(
    readonly marks: Marks,
    readonly me: string,
    readonly locale: () => string,
  ) {}

  get(id: string | null): RoomView | undefined {
    return id === null ? undefined : this.#views.get(id);
  }

  /** The server's word on a room. */
  put(room: Room): void {
    const known = this.#views.get(room.id);
    const { id, name, memberCount } = room;
    this.#set({ unread: known?.unread ?? 0, more: known?.more ?? false, id, name, memberCount });
  }

  remove(id: string): RoomView | undefined {
    const room = this.#views.get(id);
    const views = new Map(this.#views);
    views.delete(id);
    this.#views = views;
    return room;
  }

  entry({ room: id, seq, author, what }: Entry): void {
    const room = this.#views.get(id);
    if (!room) return;
    if (what.kind === "memberJoined") this.#set({ ...room, memberCount: room.memberCount + 1 });
    if (what.kind === "memberLeft") this.#set({ ...room, memberCount: Math.max(room.memberCount - 1, 0) });
    const counts = what.kind === "messagePosted" && author !== this.me && seq > (this.marks.get(id)?.seq ?? 0);
    if (counts) this.#set({ ...room, unread: room.unread + 1 });
  }

  /** More was missed than can be counted. */
  missedMany(id: string): void {
    const room = this.#views.get(id);
    if (room) this.#set({ ...room, unread: Math.max(room.unread, 1), more: true });
  }

  setUnread(id: string, unread: number): void {
    const room = this.#views.get(id);
    if (room && (room.unread !== unread || room.more)) this.#set({ ...room, unread, more: false });
  }

  #set(room: RoomView): void {
    this.#views = new Map(this.#views).set(room.id, room);
  }
}

// How far one has read in each room: kept on the device, per user, shared by its tabs.

import type { Cursor } from "../protocol/types";
import { keep, kept } from "../ui/kept";

export class Marks {
  constructor(readonly user: string) {}

  get(room: string): Cursor | null {
    const [seq, id] = (kept(this.#key(room)) ?? "").split(" ");
    const number = Number(seq);
    return id && Number.isSafeInteger(number) && number > 0 ? { seq: number, id } : null;
  }

  /** Only forward: another tab may be further. */
  advance(room: string, cursor: Cursor): void {
    if (cursor.seq > (this.get(room)?.seq ?? 0)) keep(this.#key(room), `${cursor.seq} ${cursor.id}`);
  }

  forget(room: string): void {
    keep(this.#key(room), null);
  }

  /** The room whose mark another tab moved, from a `storage` event. */
  roomOf(event: StorageEvent): string | null {
    const start = this.#key("");
    return event.key?.startsWith(start) ? event.key.slice(start.length) : null;
  }

  #key(room: string): string {
    return `suda.read.${this.user}.${room}`;
  }
}

// The rooms that are open: opening, resuming and paging them, and what the server says of them. Knows nothing of connections
// but that one can be lost.

import type { Answer, Cursor, Entry, ProtocolError, Request } from "../protocol/types";
import { retryAfterMs } from "./backoff";
import type { Event } from "./event";
import { Stream } from "./stream";

type Opened = Extract<Answer, { kind: "opened" }>;
type LogPage = Extract<Answer, { kind: "logPage" }>;
type StreamRequest = Extract<Request, { kind: "open" | "log" }>;

export class Streams {
  #lastKey = 0;
  /** By key: new for each `open`, so that an answer to one that was closed since finds nothing. */
  #streams = new Map<number, Stream>();
  #closing: string[] = [];

  constructor(
    readonly random: () => number,
    readonly events: Event[],
  ) {}

  /** False where too many are open. A room that is open stays as it is. */
  open(room: string, cursor: Cursor | null, roomsMax: number): boolean {
    const open = this.#of(room);
    if (open) {
      open[1].wantedAgain = true;
      return true;
    }
    if (this.#streams.size >= roomsMax) return false;
    this.#lastKey += 1;
    this.#streams.set(this.#lastKey, new Stream(room, cursor));
    return true;
  }

  close(room: string): void {
    const found = this.#of(room);
    if (!found) return;
    this.#streams.delete(found[0]);
    if (found[1].phase.kind !== "closed") this.#closing.push(room);
  }

  cursor(room: string): Cursor | null {
    return this.#of(room)?.[1].cursor ?? null;
  }

  nextClose(): Request | undefined {
    const room = this.#closing.shift();
    return room === undefined ? undefined : { kind: "close", room };
  }

  /** The next stream to open or page, but for those in rooms that are yet to be joined. It counts as asked then. */
  next(now: number, unjoined: (room: string) => boolean): { key: number; request: StreamRequest } | undefined {
    for (const [key, stream] of this.#streams) {
      const { phase, room, cursor } = stream;
      if (phase.kind === "closed" && phase.notBefore <= now && !unjoined(room)) {
        stream.phase = { kind: "opening" };
        return { key, request: { kind: "open", room, cursor } };
      }
      if (phase.kind === "page" && cursor) {
        stream.phase = { kind: "paging" };
        return { key, request: { kind: "log", room, after: cursor } };
      }
    }
    return undefined;
  }

  /** When the next wait ends that hasn't ended yet. */
  nextAt(now: number): number | null {
    const waits = [...this.#streams.values()].flatMap(({ phase }) =>
      phase.kind === "closed" && phase.notBefore > now ? [phase.notBefore] : [],
    );
    return waits.length > 0 ? Math.min(...waits) : null;
  }

  opened(now: number, key: number, { room, continuity }: Opened): void {
    const stream = this.#streams.get(key);
    if (stream?.phase.kind !== "opening") return;
    const { cursor } = stream;
    const pastTop =
      cursor !== null && (cursor.seq > room.top.seq || (cursor.seq === room.top.seq && cursor.id !== room.top.id));
    if (continuity === "otherPast" || (continuity === "continues" && pastTop)) {
      // The log doesn't hold what was delivered, whether the server noticed or not.
      stream.reset(now, this.random, this.events);
    } else if (continuity === "continues") {
      stream.phase = { kind: "live" };
      stream.cursor = cursor ?? room.top;
      if (stream.cursor.seq === room.top.seq) stream.fruitless = 0;
      this.events.push({ kind: "opened", room, after: stream.cursor });
    } else if (cursor) {
      stream.phase = { kind: "page" };
    } else {
      stream.reopen(now, this.random);
    }
  }

  logPage(now: number, key: number, page: LogPage, resumeMax: number): void {
    const stream = this.#streams.get(key);
    if (stream?.phase.kind !== "paging") return;
    if (!page.continues) return stream.reset(now, this.random, this.events);
    let delivered = false;
    for (const entry of page.entries) {
      const step = stream.deliver(entry, this.events);
      if (step === "broken") return stream.reopen(now, this.random);
      delivered ||= step === "delivered";
    }
    const missing = page.top.seq - (stream.cursor?.seq ?? 0);
    if (delivered && missing > resumeMax) stream.phase = { kind: "page" };
    else stream.reopen(now, this.random);
  }

  /** `open` or `log` was refused. */
  refused(now: number, key: number, error: ProtocolError): void {
    const stream = this.#streams.get(key);
    if (stream?.phase.kind !== "opening" && stream?.phase.kind !== "paging") return;
    if (error.retryable) {
      stream.fruitless = Math.max(stream.fruitless, 1);
      stream.reopen(now, this.random, retryAfterMs(error));
    } else {
      this.#streams.delete(key);
      this.events.push({ kind: "openRefused", room: stream.room, error });
    }
  }

  entry(now: number, entry: Entry): void {
    const stream = this.#live(entry.room);
    if (stream?.deliver(entry, this.events) === "broken") stream.reopen(now, this.random);
  }

  lag(now: number, room: string): void {
    this.#live(room)?.reopen(now, this.random);
  }

  removed(now: number, room: string): void {
    const found = this.#of(room);
    if (!found) return;
    const [key, stream] = found;
    if (stream.wantedAgain) {
      stream.wantedAgain = false;
      stream.phase = { kind: "closed", notBefore: now };
    } else {
      this.#streams.delete(key);
    }
    this.events.push({ kind: "removed", room });
  }

  /** Compares the tops that a heartbeat tells with what was delivered: an entry may be on its way, but not for a whole heartbeat. */
  heartbeat(now: number, tops: { room: string; top: Cursor }[]): void {
    const byRoom = new Map(tops.map(({ room, top }) => [room, top]));
    for (const stream of this.#streams.values()) {
      if (stream.phase.kind === "live" && stalled(stream, byRoom.get(stream.room))) stream.reopen(now, this.random);
    }
  }

  /** The connection is gone: every room is to be opened again. */
  disconnected(): void {
    this.#closing = [];
    for (const stream of this.#streams.values()) {
      stream.phase = { kind: "closed", notBefore: 0 };
      stream.fruitless = 0;
      stream.lacked = null;
      stream.unlisted = false;
    }
  }

  #of(room: string): [number, Stream] | undefined {
    for (const found of this.#streams) if (found[1].room === room) return found;
    return undefined;
  }

  #live(room: string): Stream | undefined {
    const stream = this.#of(room)?.[1];
    return stream?.phase.kind === "live" ? stream : undefined;
  }
}

/** Whether two heartbeats in a row told of something that the stream lacks, or of no stream; or at once, of another past. */
function stalled(stream: Stream, top: Cursor | undefined): boolean {
  const cursor = stream.cursor;
  if (!cursor) return false;
  if (!top) {
    const before = stream.unlisted;
    stream.unlisted = true;
    return before;
  }
  stream.unlisted = false;
  if (top.seq > cursor.seq) {
    const before = stream.lacked;
    stream.lacked = top.seq;
    return before !== null && before > cursor.seq;
  }
  stream.lacked = null;
  return top.seq === cursor.seq && top.id !== cursor.id;
}

// The harness of the machine's tests: a machine, a clock, and words for what a server says. No test code outside tests uses it.

import { expect } from "vitest";
import {
  type Answer,
  type Continuity,
  type Cursor,
  type Entry,
  LIMITS_STANDARD,
  type Limits,
  type ProtocolError,
  type Push,
  type Request,
  type Room,
} from "../protocol/types";
import type { Event } from "./event";
import { Machine } from "./machine";

export const ROOM = "01890a5d-ac96-774b-bcce-b302099a8057";
export const OTHER_ROOM = "01890a5d-ac96-774b-bcce-b302099a8058";
export const HEARTBEAT_MS = 25_000;

export function entry(seq: number, id = `id-${seq}`, room = ROOM): Entry {
  const what = { kind: "messagePosted", text: `text ${seq}`, replyTo: 0 } as const;
  return { room, seq, id, author: "author", authorName: "하늘", atMs: seq, what };
}

export function cursor(seq: number, id = seq === 0 ? "" : `id-${seq}`): Cursor {
  return { seq, id };
}

export function room(top: number, id = ROOM): Room {
  return { id, name: "수다방", top: cursor(top), memberCount: 2, member: true };
}

export function refusal(retryable: boolean, retryAfterMs = 0): ProtocolError {
  return { name: retryable ? "busy" : "unknown_room", message: "", retryable, retryAfterMs, limit: 0 };
}

export class Script {
  now = 1_000_000;
  readonly machine: Machine;

  /** The largest wait that jitter can give, unless told otherwise. */
  constructor(random: () => number = () => 0.999_999) {
    this.machine = new Machine({ user: "author", device: "device", client: "test/1", random });
  }

  static online(limits: Partial<Limits> = {}): Script {
    const script = new Script();
    script.goOnline(limits);
    return script;
  }

  goOnline(limits: Partial<Limits> = {}): void {
    expect(this.machine.pollOrder()).toBe("connect");
    this.machine.handleConnected(this.now);
    const id = this.expectCommand({ kind: "connect", device: "device", client: "test/1" });
    this.noCommand();
    const user = { id: "author", name: "하늘", administrator: false };
    this.reply(id, {
      kind: "hello",
      user,
      limits: { ...LIMITS_STANDARD, ...limits },
      heartbeatMs: HEARTBEAT_MS,
      nowMs: this.now,
    });
    expect(this.event()).toMatchObject({ kind: "online", user });
  }

  /** Loses the connection, waits for the next attempt, and lets it succeed. */
  comeBack(): void {
    this.machine.handleDisconnected(this.now, 1006);
    const event = this.event();
    if (event.kind !== "offline") throw new Error(`not offline but ${event.kind}`);
    this.at(event.retryAt);
    this.goOnline();
  }

  /** Opens a room whose stream goes live after `after`. */
  openLive(after: number, top = after): void {
    this.machine.open(this.now, ROOM, cursor(after));
    const id = this.expectCommand({ kind: "open", room: ROOM, cursor: cursor(after) });
    this.opened(id, top);
    expect(this.event()).toMatchObject({ kind: "opened", after: cursor(after) });
  }

  at(now: number): void {
    expect(now).toBeGreaterThanOrEqual(this.now);
    this.now = now;
    this.machine.handleTimeout(now);
  }

  afterMs(ms: number): void {
    this.at(this.now + ms);
  }

  /** Wakes the machine when it wants to be woken. */
  wake(): void {
    const at = this.machine.pollTimeout();
    if (at === null) throw new Error("the machine waits for nothing");
    this.at(Math.max(at, this.now));
  }

  command(): { id: number; request: Request } {
    const command = this.machine.pollTransmit();
    if (!command) throw new Error("no command is to be sent");
    return command;
  }

  expectCommand(request: Request): number {
    const command = this.command();
    expect(command.request).toEqual(request);
    return command.id;
  }

  noCommand(): void {
    expect(this.machine.pollTransmit()).toBeUndefined();
  }

  event(): Event {
    const event = this.machine.pollEvent();
    if (!event) throw new Error("there is no event");
    return event;
  }

  noEvent(): void {
    expect(this.machine.pollEvent()).toBeUndefined();
  }

  /** The seqs of the entries that come out now, and nothing but entries. */
  seqs(): number[] {
    const seqs: number[] = [];
    for (let event = this.machine.pollEvent(); event; event = this.machine.pollEvent()) {
      if (event.kind !== "entry") throw new Error(`no entry but ${event.kind}`);
      seqs.push(event.entry.seq);
    }
    return seqs;
  }

  reply(id: number, answer: Answer): void {
    this.machine.handleMessage(this.now, { kind: "reply", id, answer });
  }

  push(push: Push): void {
    this.machine.handleMessage(this.now, { kind: "push", push });
  }

  entries(...seqs: number[]): void {
    for (const seq of seqs) this.push({ kind: "entry", entry: entry(seq) });
  }

  heartbeat(top: Cursor | null): void {
    this.push({ kind: "heartbeat", nowMs: this.now, tops: top ? [{ room: ROOM, top }] : [] });
  }

  opened(id: number, top: number, continuity: Continuity = "continues"): void {
    this.reply(id, { kind: "opened", room: room(top), continuity });
  }
}

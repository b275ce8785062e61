// Mutating commands from the moment they are given until they are answered, over any number of connections. Each keeps its
// client id and its place; of one room, one at a time is under way, so that posts keep their order.

import type { Mutation } from "../protocol/types";

/** Commands that may wait for an answer or a connection. */
export const PENDING_COMMANDS_MAX = 1_000;

interface Item {
  mutation: Mutation;
  /** On its way over the present connection. */
  sent: boolean;
  refusals: number;
  notBefore: number;
}

export class Queue {
  #items: Item[] = [];

  /** False where the queue is full. A command that waits already stays where it is. */
  push(mutation: Mutation): boolean {
    if (this.has(mutation.clientId)) return true;
    if (this.#items.length >= PENDING_COMMANDS_MAX) return false;
    this.#items.push({ mutation, sent: false, refusals: 0, notBefore: 0 });
    return true;
  }

  has(clientId: string): boolean {
    return this.#find(clientId) !== undefined;
  }

  /** The next to send: the first of its room, if that one isn't under way and doesn't wait. It counts as sent then. */
  next(now: number): Mutation | undefined {
    const seen = new Set<string>();
    for (const item of this.#items) {
      const room = roomOf(item.mutation);
      if (seen.has(room)) continue;
      seen.add(room);
      if (!item.sent && item.notBefore <= now) {
        item.sent = true;
        return item.mutation;
      }
    }
    return undefined;
  }

  /** When the next wait ends that hasn't ended yet. */
  nextAt(now: number): number | null {
    const waits = this.#items.filter((item) => !item.sent && item.notBefore > now).map((item) => item.notBefore);
    return waits.length > 0 ? Math.min(...waits) : null;
  }

  /** Whether a command waits that makes the author a member of this room. */
  willJoin(room: string): boolean {
    return this.#items.some(({ mutation }) => mutation.kind === "join" && mutation.room === room);
  }

  /** The command was answered for good; false where it was before. */
  settle(clientId: string): boolean {
    const before = this.#items.length;
    this.#items = this.#items.filter((item) => item.mutation.clientId !== clientId);
    return this.#items.length < before;
  }

  /** The command was refused for now: how often so far, this one included. */
  refused(clientId: string): number {
    const item = this.#find(clientId);
    if (!item) return 0;
    item.refusals += 1;
    return item.refusals;
  }

  waitUntil(clientId: string, notBefore: number): void {
    const item = this.#find(clientId);
    if (!item) return;
    item.sent = false;
    item.notBefore = notBefore;
  }

  /** The connection is gone: whatever was under way is sent again. */
  disconnected(): void {
    for (const item of this.#items) item.sent = false;
  }

  #find(clientId: string): Item | undefined {
    return this.#items.find((item) => item.mutation.clientId === clientId);
  }
}

function roomOf(mutation: Mutation): string {
  return mutation.kind === "createRoom" ? `name:${mutation.name}` : mutation.room;
}

// Questions that change nothing: asked, asked again after a lost connection or a refusal for now, answered once.

import type { Question } from "../protocol/types";

interface Open {
  question: Question;
  /** On its way over the present connection. */
  sent: boolean;
  refusals: number;
  notBefore: number;
}

export class Questions {
  #lastId = 0;
  #open = new Map<number, Open>();

  push(question: Question): number {
    this.#lastId += 1;
    this.#open.set(this.#lastId, { question, sent: false, refusals: 0, notBefore: 0 });
    return this.#lastId;
  }

  /** The next to send; it counts as sent then. */
  next(now: number): { id: number; question: Question } | undefined {
    for (const [id, one] of this.#open) {
      if (!one.sent && one.notBefore <= now) {
        one.sent = true;
        return { id, question: one.question };
      }
    }
    return undefined;
  }

  /** When the next wait ends that hasn't ended yet. */
  nextAt(now: number): number | null {
    const waits = [...this.#open.values()].filter((one) => !one.sent && one.notBefore > now);
    return waits.length > 0 ? Math.min(...waits.map((one) => one.notBefore)) : null;
  }

  /** The question was refused for now: how often so far, this one included. */
  refused(id: number): number {
    const one = this.#open.get(id);
    if (!one) return 0;
    one.refusals += 1;
    return one.refusals;
  }

  waitUntil(id: number, notBefore: number): void {
    const one = this.#open.get(id);
    if (!one) return;
    one.sent = false;
    one.notBefore = notBefore;
  }

  /** Whether it was still open. */
  settle(id: number): boolean {
    return this.#open.delete(id);
  }

  disconnected(): void {
    for (const one of this.#open.values()) one.sent = false;
  }
}

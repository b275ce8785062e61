// Questions that change nothing: asked, asked again after a lost connection, answered once.

import type { Question } from "../protocol/types";

export class Questions {
  #lastId = 0;
  #open = new Map<number, { question: Question; sent: boolean }>();

  push(question: Question): number {
    this.#lastId += 1;
    this.#open.set(this.#lastId, { question, sent: false });
    return this.#lastId;
  }

  /** The next to send; it counts as sent then. */
  next(): { id: number; question: Question } | undefined {
    for (const [id, one] of this.#open) {
      if (!one.sent) {
        one.sent = true;
        return { id, question: one.question };
      }
    }
    return undefined;
  }

  /** Whether it was still open. */
  settle(id: number): boolean {
    return this.#open.delete(id);
  }

  disconnected(): void {
    for (const one of this.#open.values()) one.sent = false;
  }
}

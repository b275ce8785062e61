// A room's messages as far as they are loaded: one stretch without a hole, oldest first, growing at both ends.

import type { Message } from "../protocol/types";

export class History {
  #messages: Message[] = [];
  #shown: readonly Message[] = [];
  /** Whether older ones exist on the server. */
  more = true;

  /** A new array after a change, the same one until the next. */
  get messages(): readonly Message[] {
    // Copied when somebody looks, not at each message: thousands may come at once.
    if (this.#shown.length !== this.#messages.length || this.#shown[0] !== this.#messages[0]) {
      this.#shown = this.#messages.slice();
    }
    return this.#shown;
  }

  get count(): number {
    return this.#messages.length;
  }

  /** Adds a message that came after all others; one that is there already is left alone. */
  append(message: Message): void {
    const last = this.#messages.at(-1);
    if (!last || message.seq > last.seq) this.#messages.push(message);
  }

  /** Adds a page as the server gives it, newest first, of messages before the oldest. Gives how many came on top. */
  prepend(page: readonly Message[], more: boolean): number {
    const first = this.#messages[0];
    const older = page.filter((message) => !first || message.seq < first.seq).reverse();
    // What came after the page was asked for but stands in it too is there already; the page only fills what is missing below it.
    this.#messages = [...older, ...this.#messages];
    this.more = more;
    return older.length;
  }

  /** Lets go of the oldest, which can be loaded again. */
  trim(max: number): void {
    if (this.#messages.length <= max) return;
    this.#messages = this.#messages.slice(-max);
    this.more = true;
  }

  clear(): void {
    this.#messages = [];
    this.more = true;
  }
}

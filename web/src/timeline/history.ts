// A room's messages as far as they are loaded: one stretch without a hole, oldest first, growing at both ends. What stands
// between the ends is not replaced: whoever finds the same message at both ends finds the same ones between them.

import type { Message } from "../protocol/types";

export class History {
  #messages: Message[] = [];
  /** Whether older ones exist on the server. */
  more = true;

  /** As they are now: a message at the end goes into the same array, since thousands may come at once. */
  get messages(): readonly Message[] {
    return this.#messages;
  }

  get count(): number {
    return this.#messages.length;
  }

  /** The message of that seq, if it is loaded. */
  find(seq: number): Message | undefined {
    const message = this.#messages[this.#indexAfter(seq - 1)];
    return message?.seq === seq ? message : undefined;
  }

  /** How many of others stand after a seq. */
  countAfter(seq: number, me: string): number {
    let count = 0;
    for (let index = this.#indexAfter(seq); index < this.#messages.length; index++) {
      if (this.#messages[index]?.author !== me) count += 1;
    }
    return count;
  }

  /** Where the first message stands whose seq is greater. */
  #indexAfter(seq: number): number {
    let low = 0;
    let high = this.#messages.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#messages[middle]!.seq > seq) high = middle;
      else low = middle + 1;
    }
    return low;
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

// Which command of the present connection is what, until it is answered.

import { ANSWER_TIMEOUT_MS } from "./config";

export type Asked =
  | { kind: "connect" }
  | { kind: "open"; key: number }
  | { kind: "log"; key: number }
  | { kind: "close" }
  | { kind: "mutation"; clientId: string }
  | { kind: "question"; id: number };

export class Requests {
  #lastId = 0;
  #inFlight = new Map<number, { at: number; asked: Asked }>();

  /** A new command id. */
  add(now: number, asked: Asked): number {
    this.#lastId += 1;
    this.#inFlight.set(this.#lastId, { at: now, asked });
    return this.#lastId;
  }

  answered(id: number): Asked | undefined {
    const found = this.#inFlight.get(id);
    this.#inFlight.delete(id);
    return found?.asked;
  }

  get count(): number {
    return this.#inFlight.size;
  }

  get countStreams(): number {
    return [...this.#inFlight.values()].filter(({ asked }) => asked.kind === "open" || asked.kind === "log").length;
  }

  /** When the oldest command has waited too long. */
  get overdueAt(): number | null {
    const [first] = this.#inFlight.values();
    return first ? first.at + ANSWER_TIMEOUT_MS : null;
  }

  disconnected(): void {
    this.#inFlight.clear();
  }
}

// The state of the one connection: wished for, being made, greeting, a session, or given up. Knows nothing of commands.

import { waitMs } from "./backoff";
import { COME_BACK_MAX_MS, HEARTBEAT_USUAL_MS, HELLO_TIMEOUT_MS, STABLE_MS } from "./config";

/** `connect`: make a connection. `drop`: close the one there is; the machine counts it as gone already. */
export type Order = "connect" | "drop";

type State =
  | { kind: "waiting"; retryAt: number }
  | { kind: "connecting" }
  | { kind: "greeting"; since: number }
  | { kind: "online"; since: number }
  | { kind: "ended" };

export class Link {
  #state: State = { kind: "connecting" };
  #orders: Order[] = ["connect"];
  #failures = 0;
  #heardAt = 0;
  #heartbeatMs = HEARTBEAT_USUAL_MS;
  #comeBackAt: number | null = null;

  pollOrder(): Order | undefined {
    return this.#orders.shift();
  }

  /** Whether there is a connection, a session or not yet. */
  get isUp(): boolean {
    return this.#state.kind === "greeting" || this.#state.kind === "online";
  }

  get isConnecting(): boolean {
    return this.#state.kind === "connecting";
  }

  get isOnline(): boolean {
    return this.#state.kind === "online";
  }

  get isEnded(): boolean {
    return this.#state.kind === "ended";
  }

  get isGoingAway(): boolean {
    return this.#comeBackAt !== null;
  }

  connected(now: number): void {
    this.#state = { kind: "greeting", since: now };
    this.#heardAt = now;
  }

  heard(now: number): void {
    this.#heardAt = now;
  }

  greeted(now: number, heartbeatMs: number): void {
    this.#state = { kind: "online", since: now };
    this.#heartbeatMs = heartbeatMs || HEARTBEAT_USUAL_MS;
  }

  goingAway(now: number, comeBackAfterMs: number): void {
    this.#comeBackAt = now + Math.min(comeBackAfterMs, COME_BACK_MAX_MS);
  }

  /** The connection is gone: when to try again, at least `waitMsMin` from now. */
  lost(now: number, random: () => number, waitMsMin: number): number {
    const stable = this.#state.kind === "online" && now - this.#state.since >= STABLE_MS;
    this.#failures = stable ? 1 : this.#failures + 1;
    const wait = Math.max(waitMs(this.#failures, random), waitMsMin);
    const retryAt = this.#comeBackAt === null ? now + wait : Math.max(this.#comeBackAt, now);
    this.#comeBackAt = null;
    this.#state = { kind: "waiting", retryAt };
    return retryAt;
  }

  orderDrop(): void {
    this.#orders.push("drop");
  }

  end(): void {
    this.#state = { kind: "ended" };
    this.#orders = this.#orders.filter((order) => order === "drop");
  }

  /** Ends a wait whose time has come, or any wait where `atOnce`. */
  retry(now: number, atOnce: boolean): void {
    if (this.#state.kind === "waiting" && (atOnce || now >= this.#state.retryAt)) {
      this.#state = { kind: "connecting" };
      this.#orders.push("connect");
    }
  }

  /** When the connection counts as silent: two heartbeats without a sound. */
  get silentAt(): number | null {
    if (this.#state.kind === "greeting") return this.#state.since + HELLO_TIMEOUT_MS;
    if (this.#state.kind === "online") return this.#heardAt + 2 * this.#heartbeatMs + 1;
    return null;
  }

  get retryAt(): number | null {
    return this.#state.kind === "waiting" ? this.#state.retryAt : null;
  }
}

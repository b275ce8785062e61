// Everything that a chat client must remember and decide, without a socket, a clock or a page: the twin of `suda_client::Machine`.
//
// In go `handle…` and the commands, each with the time; out come `poll…`. After every call in, drain them: `pollOrder`,
// `pollTransmit`, `pollEvent`, each until it gives nothing, then sleep until `pollTimeout`.
//
// What it promises, whatever happens to the connection: each entry of an open room comes out once, in order, without a hole,
// or a plain `reset`; each mutating command is sent with the same client id until it is answered, and its answer comes out once.

import { Queue } from "../outbox/queue";
import { CLOSE_SIGNED_OUT, CLOSE_UNAUTHENTICATED, isComeBack } from "../protocol/closes";
import {
  type Answer,
  type Command,
  type Cursor,
  LIMITS_STANDARD,
  type Limits,
  type Mutation,
  type ProtocolError,
  type Push,
  type Question,
  type Request,
  type ServerMessage,
} from "../protocol/types";
import { retryAfterMs, waitMs } from "./backoff";
import type { Config } from "./config";
import type { Event, OfflineReason } from "./event";
import { Link, type Order } from "./link";
import { Questions } from "./questions";
import { type Asked, Requests } from "./requests";
import { Streams } from "./streams";

export class Machine {
  #now = 0;
  #connect = false;
  #limits: Limits = LIMITS_STANDARD;
  #events: Event[] = [];
  readonly #link = new Link();
  readonly #requests = new Requests();
  readonly #queue = new Queue();
  readonly #questions = new Questions();
  readonly #streams: Streams;

  constructor(readonly config: Config) {
    this.#streams = new Streams(config.random, this.#events);
  }

  // ---- in: what happened ----

  /** The connection that the order `connect` asked for is there. */
  handleConnected(now: number): void {
    this.#now = now;
    if (!this.#link.isConnecting) return;
    this.#link.connected(now);
    this.#connect = true;
  }

  handleMessage(now: number, message: ServerMessage): void {
    this.#now = now;
    if (!this.#link.isUp) return;
    this.#link.heard(now);
    if (message.kind === "reply") this.#reply(message.id, message.answer);
    else this.#push(message.push);
  }

  /** The connection is gone, or could not be made; with the close code, if there was one. */
  handleDisconnected(now: number, closeCode: number | null): void {
    this.#now = now;
    const wasConnecting = this.#link.isConnecting;
    if (!wasConnecting && !this.#link.isUp) return;
    if (closeCode !== null && !isComeBack(closeCode)) {
      const signedOut = closeCode === CLOSE_UNAUTHENTICATED || closeCode === CLOSE_SIGNED_OUT;
      this.#end(signedOut ? { kind: "signedOut" } : { kind: "stopped" });
    } else {
      this.#lost(wasConnecting ? "unreachable" : this.#link.isGoingAway ? "goingAway" : "lost", 0);
    }
  }

  /** The time that `pollTimeout` gave has come. Calling it at any other time does no harm. */
  handleTimeout(now: number): void {
    this.#now = now;
    this.#link.retry(now, false);
    const silent = reached(this.#link.silentAt, now);
    const overdue = this.#link.isOnline && reached(this.#requests.overdueAt, now);
    if (silent || overdue) this.#drop("silent", 0);
  }

  /** Ends a wait before the next attempt to connect: the network is back, or a person asked. */
  connectNow(now: number): void {
    this.#now = now;
    this.#link.retry(now, true);
  }

  // ---- commands ----

  /** False where too many commands wait. */
  mutate(now: number, mutation: Mutation): boolean {
    this.#now = now;
    return !this.#link.isEnded && this.#queue.push(mutation);
  }

  /** The question's number, which its answer carries. */
  ask(now: number, question: Question): number {
    this.#now = now;
    return this.#questions.push(question);
  }

  /** Opens a room's stream, by id, and keeps it open over every connection; without a cursor from the newest entry on. */
  open(now: number, room: string, cursor: Cursor | null): boolean {
    this.#now = now;
    return this.#streams.open(room, cursor, this.#limits.openRoomsMax);
  }

  close(now: number, room: string): void {
    this.#now = now;
    this.#streams.close(room);
  }

  // ---- out ----

  pollOrder(): Order | undefined {
    return this.#link.pollOrder();
  }

  /** The next command to send. What it gives is taken to be on its way over the present connection. */
  pollTransmit(): Command | undefined {
    if (!this.#link.isUp) return undefined;
    if (this.#connect) {
      this.#connect = false;
      const { device, client } = this.config;
      return this.#command({ kind: "connect" }, { kind: "connect", device, client });
    }
    const inFlightMax = Math.max(this.#limits.commandsInFlightMax, 1);
    if (!this.#link.isOnline || this.#requests.count >= inFlightMax) return undefined;
    const close = this.#streams.nextClose();
    if (close) return this.#command({ kind: "close" }, close);
    // Catching up leaves half of what may be under way to everything else.
    if (this.#requests.countStreams < Math.ceil(inFlightMax / 2)) {
      const next = this.#streams.next(this.#now, (room) => this.#queue.willJoin(room));
      if (next) return this.#command({ kind: next.request.kind, key: next.key }, next.request);
    }
    const mutation = this.#queue.next(this.#now);
    if (mutation) return this.#command({ kind: "mutation", clientId: mutation.clientId }, mutation);
    const question = this.#questions.next(this.#now);
    return question && this.#command({ kind: "question", id: question.id }, question.question);
  }

  pollEvent(): Event | undefined {
    return this.#events.shift();
  }

  /** When to call `handleTimeout`; null while only something from outside can change anything. */
  pollTimeout(): number | null {
    const times = [this.#link.retryAt, this.#link.silentAt];
    if (this.#link.isOnline) {
      times.push(this.#requests.overdueAt);
      // What could go now but for a full connection waits for an answer, not for time.
      times.push(this.#streams.nextAt(this.#now), this.#queue.nextAt(this.#now), this.#questions.nextAt(this.#now));
    }
    const known = times.filter((at) => at !== null);
    return known.length > 0 ? Math.min(...known) : null;
  }

  // ---- getters ----

  get limits(): Limits {
    return this.#limits;
  }

  cursor(room: string): Cursor | null {
    return this.#streams.cursor(room);
  }

  // ---- within ----

  #command(asked: Asked, request: Request): Command {
    return { id: this.#requests.add(this.#now, asked), request };
  }

  #push(push: Push): void {
    switch (push.kind) {
      case "entry":
        return this.#streams.entry(this.#now, push.entry);
      case "lag":
        return this.#streams.lag(this.#now, push.room);
      case "heartbeat":
        return this.#streams.heartbeat(this.#now, push.tops);
      case "goingAway":
        return this.#link.goingAway(this.#now, push.comeBackAfterMs);
      case "removed":
        return this.#streams.removed(this.#now, push.room);
    }
  }

  #reply(id: number, answer: Answer): void {
    const asked = this.#requests.answered(id);
    switch (asked?.kind) {
      case "connect":
        return this.#connectAnswered(answer);
      case "open":
        if (answer.kind === "opened") return this.#streams.opened(this.#now, asked.key, answer);
        return this.#streams.refused(this.#now, asked.key, errorOf(answer));
      case "log":
        if (answer.kind === "logPage") {
          return this.#streams.logPage(this.#now, asked.key, answer, this.#limits.resumeEntriesMax);
        }
        return this.#streams.refused(this.#now, asked.key, errorOf(answer));
      case "mutation":
        return this.#mutationAnswered(asked.clientId, answer);
      case "question":
        return this.#questionAnswered(asked.id, answer);
    }
  }

  #connectAnswered(answer: Answer): void {
    if (answer.kind === "hello") {
      // Somebody else signed in meanwhile: nothing of ours may go out under their name.
      if (answer.user.id !== this.config.user) return this.#refuse();
      this.#link.greeted(this.#now, answer.heartbeatMs);
      this.#limits = answer.limits;
      this.#events.push({ kind: "online", user: answer.user, nowMs: answer.nowMs });
      return;
    }
    const error = errorOf(answer);
    if (error.retryable) return this.#drop("refused", retryAfterMs(error));
    this.#refuse();
  }

  /** There is no session for our user. */
  #refuse(): void {
    this.#link.orderDrop();
    this.#end({ kind: "signedOut" });
  }

  #mutationAnswered(clientId: string, answer: Answer): void {
    switch (answer.kind) {
      case "roomCreation":
      case "joined":
      case "left":
      case "posted":
        if (this.#queue.settle(clientId)) this.#events.push({ kind: "accepted", clientId, outcome: answer });
        return;
    }
    const error = errorOf(answer);
    if (error.retryable) {
      this.#queue.waitUntil(clientId, this.#retryAt(this.#queue.refused(clientId), error));
    } else if (this.#queue.settle(clientId)) {
      this.#events.push({ kind: "refused", clientId, error });
    }
  }

  #questionAnswered(id: number, answer: Answer): void {
    if (answer.kind === "roomList" || answer.kind === "messagePage") {
      if (this.#questions.settle(id)) this.#events.push({ kind: "answer", id, answer });
      return;
    }
    const error = errorOf(answer);
    if (error.retryable) this.#questions.waitUntil(id, this.#retryAt(this.#questions.refused(id), error));
    else if (this.#questions.settle(id)) this.#events.push({ kind: "noAnswer", id, error });
  }

  /** When to send again what was refused for now, `refusals` times so far. */
  #retryAt(refusals: number, error: ProtocolError): number {
    return this.#now + Math.max(waitMs(refusals || 1, this.config.random), retryAfterMs(error));
  }

  /** The connection is of no use any more, though it may look alive. */
  #drop(reason: OfflineReason, waitMsMin: number): void {
    this.#link.orderDrop();
    this.#lost(reason, waitMsMin);
  }

  #lost(reason: OfflineReason, waitMsMin: number): void {
    const retryAt = this.#link.lost(this.#now, this.config.random, waitMsMin);
    this.#forgetConnection();
    this.#events.push({ kind: "offline", retryAt, reason });
  }

  #end(event: Event): void {
    this.#link.end();
    this.#forgetConnection();
    this.#events.push(event);
  }

  #forgetConnection(): void {
    this.#connect = false;
    this.#requests.disconnected();
    this.#queue.disconnected();
    this.#streams.disconnected();
    this.#questions.disconnected();
  }
}

function reached(at: number | null, now: number): boolean {
  return at !== null && now >= at;
}

/** The error that was answered, or that an answer to another question is. */
function errorOf(answer: Answer): ProtocolError {
  if (answer.kind === "error") return answer.error;
  return { name: "unspecified", message: "", retryable: false, retryAfterMs: 0, limit: 0 };
}

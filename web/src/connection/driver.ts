// The machine on a real WebSocket and a real clock. Thin: read, feed, drain, write, arm the timer.

import { decodeServerMessage, encodeCommand, SUBPROTOCOL } from "../protocol/codec";
import type { Cursor, Mutation, ProtocolError, Question } from "../protocol/types";
import type { Config } from "./config";
import type { Answered, Event } from "./event";
import { Machine } from "./machine";

/** The longest that setTimeout can wait is 2^31-1 ms; waking early does no harm. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** A question that the server refused. */
export class RefusedError extends Error {
  constructor(readonly error: ProtocolError) {
    super(error.name);
  }
}

interface Waiting {
  resolve: (answer: Answered) => void;
  reject: (error: RefusedError) => void;
}

export class Driver {
  readonly machine: Machine;
  #socket: WebSocket | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #waiting = new Map<number, Waiting>();
  #turning = false;

  constructor(
    readonly url: string,
    config: Config,
    readonly onEvent: (event: Event) => void,
  ) {
    this.machine = new Machine(config);
    // A laptop that wakes or a network that returns is no reason to sit out a wait.
    addEventListener("online", this.connectNow);
    document.addEventListener("visibilitychange", this.#wake);
  }

  start(): void {
    this.#turn();
  }

  /** Ends it for good. */
  stop(): void {
    removeEventListener("online", this.connectNow);
    document.removeEventListener("visibilitychange", this.#wake);
    clearTimeout(this.#timer);
    this.#drop();
  }

  connectNow = (): void => {
    this.machine.connectNow(Date.now());
    this.#turn();
  };

  mutate(mutation: Mutation): boolean {
    const taken = this.machine.mutate(Date.now(), mutation);
    this.#turn();
    return taken;
  }

  open(room: string, cursor: Cursor | null): boolean {
    const opened = this.machine.open(Date.now(), room, cursor);
    this.#turn();
    return opened;
  }

  close(room: string): void {
    this.machine.close(Date.now(), room);
    this.#turn();
  }

  /** Answered over whatever connection comes; rejects with `RefusedError`. */
  ask(question: Question): Promise<Answered> {
    const id = this.machine.ask(Date.now(), question);
    const answer = new Promise<Answered>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#turn();
    return answer;
  }

  #wake = (): void => {
    if (document.visibilityState !== "visible") return;
    this.machine.handleTimeout(Date.now());
    this.connectNow();
  };

  #turn(): void {
    // An event's receiver may give a command: the turn under way picks up what it leads to.
    if (this.#turning) return;
    this.#turning = true;
    try {
      while (this.#step()) {}
    } finally {
      this.#turning = false;
    }
    clearTimeout(this.#timer);
    const at = this.machine.pollTimeout();
    if (at !== null) {
      const wait = Math.min(Math.max(at - Date.now(), 0), TIMER_MS_MAX);
      this.#timer = setTimeout(() => {
        this.machine.handleTimeout(Date.now());
        this.#turn();
      }, wait);
    }
  }

  #step(): boolean {
    const order = this.machine.pollOrder();
    if (order === "connect") this.#connect();
    if (order === "drop") this.#drop();
    if (order) return true;
    const command = this.machine.pollTransmit();
    if (command) {
      this.#socket?.send(encodeCommand(command));
      return true;
    }
    const event = this.machine.pollEvent();
    if (event) this.#dispatch(event);
    return event !== undefined;
  }

  #dispatch(event: Event): void {
    if (event.kind === "answer" || event.kind === "noAnswer") {
      const waiting = this.#waiting.get(event.id);
      this.#waiting.delete(event.id);
      if (event.kind === "answer") waiting?.resolve(event.answer);
      else waiting?.reject(new RefusedError(event.error));
    } else {
      this.onEvent(event);
    }
  }

  #connect(): void {
    this.#drop();
    const socket = new WebSocket(this.url, SUBPROTOCOL);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.onopen = () => {
      this.machine.handleConnected(Date.now());
      this.#turn();
    };
    socket.onmessage = ({ data }) => {
      try {
        this.machine.handleMessage(Date.now(), decodeServerMessage(new Uint8Array(data as ArrayBuffer)));
      } catch (error) {
        // Bytes that are no message: the connection can't be trusted, a new one asks again from the cursors.
        console.error(error);
        this.#drop();
        this.machine.handleDisconnected(Date.now(), null);
      }
      this.#turn();
    };
    socket.onclose = ({ code }) => {
      this.#socket = null;
      this.machine.handleDisconnected(Date.now(), code);
      this.#turn();
    };
  }

  #drop(): void {
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = null;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }
}

// A program that talks to the server as any client does: fills rooms quickly, posts what no browser would.

import WebSocket from "ws";
import { decodeServerMessage, encodeCommand, SUBPROTOCOL } from "../../src/protocol/codec";
import type { Answer, Request } from "../../src/protocol/types";
import { uuid } from "../../src/ui/uuid";

export class Program {
  #lastId = 0;
  #waiting = new Map<number, (answer: Answer) => void>();

  private constructor(readonly socket: WebSocket) {
    socket.on("message", (data: Buffer) => {
      const message = decodeServerMessage(new Uint8Array(data));
      if (message.kind !== "reply") return;
      this.#waiting.get(message.id)?.(message.answer);
      this.#waiting.delete(message.id);
    });
  }

  static async connect(url: string, token: string): Promise<Program> {
    const socket = new WebSocket(`${url.replace("http", "ws")}/ws`, SUBPROTOCOL, {
      headers: { Authorization: `Bearer ${token}` },
    });
    await new Promise((opened, failed) => {
      socket.once("open", opened);
      socket.once("error", failed);
    });
    const program = new Program(socket);
    const hello = await program.ask({ kind: "connect", device: uuid(), client: "e2e/1" });
    if (hello.kind !== "hello") throw new Error(`no hello but ${hello.kind}`);
    return program;
  }

  ask(request: Request): Promise<Answer> {
    this.#lastId += 1;
    const id = this.#lastId;
    const answer = new Promise<Answer>((answered) => this.#waiting.set(id, answered));
    this.socket.send(encodeCommand({ id, request }));
    return answer;
  }

  /** Makes a room; gives its id. */
  async createRoom(name: string): Promise<string> {
    const answer = await this.ask({ kind: "createRoom", clientId: uuid(), name });
    if (answer.kind !== "roomCreation") throw new Error(`not made but ${JSON.stringify(answer)}`);
    return answer.room.id;
  }

  /** Joins the room of that name; gives its id. */
  async enter(name: string): Promise<string> {
    for (let afterName = "", more = true; more; ) {
      const page = await this.ask({ kind: "listRooms", mine: false, afterName });
      if (page.kind !== "roomList") throw new Error(JSON.stringify(page));
      const found = page.rooms.find((room) => room.name === name);
      if (found) return this.join(found.id);
      afterName = page.rooms.at(-1)?.name ?? "";
      more = page.more && afterName !== "";
    }
    throw new Error(`there is no room ${name}`);
  }

  /** The room's id. */
  async join(name: string): Promise<string> {
    const answer = await this.ask({ kind: "join", clientId: uuid(), room: name });
    if (answer.kind !== "joined") throw new Error(`not joined but ${JSON.stringify(answer)}`);
    return answer.room.id;
  }

  /** Posts, as often as it takes where the server asks to wait. */
  async post(room: string, text: string): Promise<void> {
    const clientId = uuid();
    for (;;) {
      const answer = await this.ask({ kind: "post", clientId, room, text, replyTo: 0 });
      if (answer.kind === "posted") return;
      if (answer.kind !== "error" || !answer.error.retryable) throw new Error(JSON.stringify(answer));
      await new Promise((done) => setTimeout(done, Math.max(answer.error.retryAfterMs, 20)));
    }
  }

  /** Every text of a room, oldest first, as the log has them. */
  async texts(room: string): Promise<string[]> {
    const texts: string[] = [];
    let after = { seq: 0, id: "" };
    for (;;) {
      const page = await this.ask({ kind: "log", room, after });
      if (page.kind !== "logPage") throw new Error(JSON.stringify(page));
      for (const { what } of page.entries) if (what.kind === "messagePosted") texts.push(what.text);
      const last = page.entries.at(-1);
      if (!last || last.seq >= page.top.seq) return texts;
      after = { seq: last.seq, id: last.id };
    }
  }

  close(): void {
    this.socket.close();
  }
}

/** Fills a room with `count` posts over several sessions at once: one session may only send so fast. */
export async function fill(url: string, token: string, room: string, count: number, sessions = 24): Promise<void> {
  const programs = await Promise.all(Array.from({ length: sessions }, () => Program.connect(url, token)));
  let next = 1;
  const worker = async (program: Program) => {
    while (next <= count) {
      const number = next;
      next += 1;
      await program.post(room, sample(number));
    }
  };
  await Promise.all(
    programs.flatMap((program) => [worker(program), worker(program), worker(program), worker(program)]),
  );
  for (const program of programs) program.close();
}

/** Texts of different heights, each told from the others by its number. */
function sample(number: number): string {
  const more = [
    "",
    "짧은 말.",
    "조금 더 긴 말을 이어서 적어 봅니다. ".repeat(6),
    "첫 줄\n둘째 줄\n셋째 줄",
    "> 인용\n\n- 하나\n- 둘",
  ];
  return `${number}번째 메시지 ${more[number % more.length]}`;
}

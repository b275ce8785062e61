// The terminal's side of the scenarios: the real `suda chat` in a pseudo-terminal.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import type { Site } from "../support/browser";
import { binary, PASSWORD } from "../support/server";
import type { ChatClient } from "./client";
import { PseudoTerminal } from "./pty";

/** Columns of the list of rooms, and the line behind it. */
const ROOMS_WIDTH = 21;
/** Where the conversation begins. */
const ROOM_COLUMN = ROOMS_WIDTH + 1;

const KEY = {
  switch: "\u000b",
  quit: "\u0003",
  search: "\u0006",
  retry: "\u0012",
  escape: "\u001b",
  enter: "\r",
  breakLine: "\u001b\r",
  backspace: "\u007f",
  pageUp: "\u001b[5~",
  newest: "\u001b[1;5F",
};

/** What stands below a message of one's own that is not settled. */
const STATES = { waiting: ["… 보내는 중", "↻ "], refused: ["✗ "], sent: ["✓ 보냄"] };

export class TerminalClient implements ChatClient {
  readonly #home = mkdtempSync(join(tmpdir(), "suda-terminal-"));
  #terminal: PseudoTerminal | undefined;

  constructor(
    readonly site: Site,
    readonly name: string,
  ) {}

  async setUp() {
    await this.#login(`--setup "$SETUP_TOKEN"`, true);
  }

  async signUp() {
    await this.#login("--sign-up", true);
  }

  async signIn() {
    await this.#login("", false);
  }

  async #login(how: string, isNew: boolean) {
    const terminal = this.#run(`login --server "$SITE" ${how}`);
    const answer = async (prompt: string, text: string) => {
      await expect.poll(() => terminal.rows()).toContainEqual(expect.stringMatching(new RegExp(`^${prompt}:`)));
      terminal.press(`${text}\r`);
    };
    await answer("이름", this.name);
    await answer("비밀번호", PASSWORD);
    if (isNew) await answer("비밀번호 확인", PASSWORD);
    expect(await terminal.end()).toBe(0);
    await this.begin();
    await expect.poll(() => this.isOnline()).toBe(true);
  }

  #run(command: string): PseudoTerminal {
    this.#terminal = new PseudoTerminal(`exec "$PROGRAM" ${command}`, {
      PROGRAM: binary,
      SITE: this.site.url,
      SETUP_TOKEN: this.site.setupToken,
      HOME: this.#home,
      // Whoever runs the scenarios may have a keyring, which is theirs.
      SUDA_CREDENTIALS: "file",
      LC_ALL: "ko_KR.UTF-8",
      TZ: "Asia/Seoul",
    });
    return this.#terminal;
  }

  get #open(): PseudoTerminal {
    if (!this.#terminal) throw new Error("the client does not run");
    return this.#terminal;
  }

  async begin() {
    this.#run("chat");
    await expect.poll(() => this.#status()).toMatch(/[●○] /);
  }

  async end() {
    const terminal = this.#open;
    terminal.press(KEY.quit);
    const asks = () => terminal.rows().some((row) => row.includes("바로 끝내려면"));
    await expect.poll(() => terminal.hasEnded || asks()).toBe(true);
    if (!terminal.hasEnded) terminal.press(KEY.quit);
    await terminal.end();
  }

  async close() {
    await this.#terminal?.kill();
    rmSync(this.#home, { recursive: true, force: true });
  }

  #status(): string {
    return this.#open.rows().at(-1)!;
  }

  async isOnline() {
    return this.#status().startsWith("● 연결됨");
  }

  async isOffline() {
    return this.#status().startsWith("○ 연결 끊김");
  }

  createRoom(room: string) {
    return this.#choose(room, `+ ${room} 방 만들기`);
  }

  openRoom(room: string) {
    return this.#choose(room, room);
  }

  async #choose(room: string, choice: string) {
    const terminal = this.#open;
    terminal.press(`${KEY.switch}${room}`);
    // The first choice stands below what is searched for, and is the one that Enter takes.
    const firstChoice = () => {
      const rows = terminal.rows();
      return rows[rows.findIndex((row) => row.includes(`│ › ${room} `)) + 1] ?? "";
    };
    await expect.poll(firstChoice).toContain(`│ ${choice} `);
    terminal.press(KEY.enter);
    await expect.poll(() => this.#conversation()[0]).toMatch(new RegExp(`^${room}  `));
    await expect.poll(() => this.#conversation().slice(1, -2)).not.toContain("불러오는 중 …");
  }

  async leaveRoom() {
    this.#open.press(`/leave${KEY.enter}`);
  }

  /** Everything right of the list of rooms. */
  #conversation(): string[] {
    return this.#open.rows(ROOM_COLUMN).slice(0, -1);
  }

  #list(): { name: string; unread: number }[] {
    const rows = this.#open.rows(0, ROOMS_WIDTH).slice(0, -1);
    return rows.flatMap((row) => {
      const found = /^[› ](\S.*?)(?:\s+(\d+)\+?)?$/.exec(row);
      return found ? [{ name: found[1]!, unread: Number(found[2] ?? 0) }] : [];
    });
  }

  async rooms() {
    return this.#list().map(({ name }) => name);
  }

  async unread(room: string) {
    return this.#list().find(({ name }) => name === room)?.unread ?? 0;
  }

  async type(text: string) {
    // What an IME commits: whole syllables, one after the other.
    for (const letter of text) this.#open.press(letter === "\n" ? KEY.breakLine : letter);
    const last = text.split("\n").at(-1)!;
    await expect.poll(async () => (await this.draft()).endsWith(last)).toBe(true);
  }

  async send() {
    this.#open.press(KEY.enter);
  }

  async draft() {
    const rows = this.#conversation();
    const written = rows.slice(this.#edge(rows) + 1).map((row) => row.slice(2));
    return written[0]?.startsWith("메시지 입력 (") ? "" : written.join("\n");
  }

  async erase() {
    for (const _ of await this.draft()) this.#open.press(KEY.backspace);
    await expect.poll(() => this.draft()).toBe("");
  }

  /** The row of the line above the composer. */
  #edge(rows: readonly string[]): number {
    return rows.findLastIndex((row) => row.startsWith("──"));
  }

  /** The rows of the conversation itself. */
  #said(): string[] {
    const rows = this.#conversation();
    return rows.slice(1, this.#edge(rows));
  }

  /** Its lines, and of those below which a state stands, that one. */
  #texts(): { line: string; state?: keyof typeof STATES }[] {
    const texts: { line: string; state?: keyof typeof STATES }[] = [];
    for (const row of this.#said()) {
      if (!row.startsWith("  ") || row.trim() === "") continue;
      const line = row.slice(2);
      const state = (Object.keys(STATES) as (keyof typeof STATES)[]).find((state) =>
        STATES[state].some((mark) => line.startsWith(mark)),
      );
      const last = texts.at(-1);
      if (state === undefined) texts.push({ line });
      else if (last) last.state = state;
    }
    return texts;
  }

  async lines() {
    return this.#texts().flatMap(({ line, state }) => (state === undefined ? [line] : []));
  }

  async waiting() {
    return this.#texts().filter(({ state }) => state === "waiting").length;
  }

  async refused() {
    return this.#texts().filter(({ state }) => state === "refused").length;
  }

  async retry() {
    this.#open.press(KEY.retry);
  }

  async scrollUp() {
    this.#open.press(KEY.pageUp);
  }

  async toNewest() {
    this.#open.press(KEY.newest);
  }

  async newBelow() {
    const rows = this.#conversation();
    return Number(/새 메시지 (\d+)개/.exec(rows[this.#edge(rows)] ?? "")?.[1] ?? 0);
  }

  async firstUnreadLine() {
    const rows = this.#said();
    const mark = rows.findIndex((row) => row.startsWith("── 여기부터 새 메시지"));
    return mark < 0
      ? undefined
      : rows
          .slice(mark)
          .find((row) => row.startsWith("  "))
          ?.trim();
  }

  async search(text: string) {
    this.#open.press(`${KEY.search}${text}`);
    await expect.poll(() => this.#status()).toMatch(new RegExp(`^찾기: ${text} +\\d+/\\d+`));
    const count = Number(/\/(\d+)/.exec(this.#status())![1]);
    this.#open.press(KEY.escape);
    await expect.poll(() => this.#status()).not.toMatch(/^찾기:/);
    return count;
  }

  async damage() {
    const terminal = this.#open;
    const rows = terminal.rows();
    const wrong = [];
    if (!(await this.isOnline())) wrong.push(`the status line: ${this.#status()}`);
    if (rows.slice(0, -1).some((row) => [...row].length > 0 && !row.includes("│") && !row.includes("─"))) {
      wrong.push("the line beside the rooms is broken");
    }
    if (terminal.title !== "") wrong.push(`the title ${terminal.title}`);
    if (rows.some((row) => /[\u202A-\u202E\u2066-\u2069\u200B]/.test(row))) wrong.push("what cannot be seen");
    return wrong;
  }
}

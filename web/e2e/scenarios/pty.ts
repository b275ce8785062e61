// A program in a pseudo-terminal, and the screen that a person would see. The pseudo-terminal is made by script(1), which every
// Debian has; the screen is kept by xterm.js, without a display.

import { type ChildProcess, spawn } from "node:child_process";
import xterm from "@xterm/headless";
import { type Cell, PALETTE } from "../support/cells";

/** So tall that a conversation is on the screen as a whole. */
const SIZE = { rows: 60, columns: 140 };

export class PseudoTerminal {
  readonly #screen: xterm.Terminal;
  readonly #process: ChildProcess;
  readonly #end: Promise<number | null>;
  #hasEnded = false;
  /** The window's title, if the program set one. */
  title = "";

  /** Runs a line of shell. */
  constructor(line: string, environment: Record<string, string>, { rows, columns } = SIZE) {
    this.#screen = new xterm.Terminal({ rows, cols: columns, allowProposedApi: true });
    const command = `stty rows ${rows} cols ${columns} && ${line}`;
    this.#process = spawn("script", ["--quiet", "--flush", "--return", "--command", command, "/dev/null"], {
      // Whatever script itself says of its own end is of no interest.
      stdio: ["pipe", "pipe", "ignore"],
      env: { PATH: process.env.PATH, SHELL: "/bin/sh", TERM: "xterm-256color", ...environment },
    });
    this.#end = new Promise((done, failed) => {
      this.#process.once("error", (error) => failed(new Error(`script(1) of util-linux is missing: ${error.message}`)));
      this.#process.once("close", (code) => {
        this.#hasEnded = true;
        done(code);
      });
    });
    // Who waits for the end is told of an error; before that nobody is.
    this.#end.catch(() => {});
    this.#process.stdin?.on("error", () => {});
    this.#process.stdout?.on("data", (bytes: Buffer) => this.#screen.write(bytes));
    // The terminal answers what programs ask it, the place of its cursor for example.
    this.#screen.onData((answer) => this.press(answer));
    this.#screen.onTitleChange((title) => {
      this.title = title;
    });
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Writes keys, as the bytes that a terminal sends for them. */
  press(keys: string): void {
    if (!this.#hasEnded) this.#process.stdin?.write(keys);
  }

  /** The rows of the screen between two columns, without the blanks at their ends. */
  rows(from = 0, to = this.#screen.cols): string[] {
    const { buffer } = this.#screen;
    return Array.from({ length: this.#screen.rows }, (_, row) => {
      const line = buffer.active.getLine(buffer.active.baseY + row);
      return (line?.translateToString(false, from, to) ?? "").trimEnd();
    });
  }

  /** The screen's characters with their colours, row by row. */
  cells(): Cell[][] {
    const buffer = this.#screen.buffer.active;
    return Array.from({ length: this.#screen.rows }, (_, row) => {
      const line = buffer.getLine(buffer.baseY + row)!;
      const cells = Array.from({ length: this.#screen.cols }, (_, column) => line.getCell(column)!);
      // The second half of a wide character has no width of its own.
      return cells.filter((cell) => cell.getWidth() > 0).map(cellOf);
    });
  }

  /** Where the cursor is. */
  cursor(): { row: number; column: number } {
    const { cursorX, cursorY } = this.#screen.buffer.active;
    return { row: cursorY, column: cursorX };
  }

  /** The exit code. */
  async end(): Promise<number | null> {
    const code = await this.#end;
    this.#screen.dispose();
    return code;
  }

  /** The terminal is closed, which ends what runs in it. */
  async kill(): Promise<void> {
    if (!this.#hasEnded) this.#process.kill("SIGTERM");
    await this.end();
  }
}

function cellOf(cell: xterm.IBufferCell): Cell {
  const colour = cell.isFgPalette() ? PALETTE[cell.getFgColor()] : undefined;
  const background = cell.isBgPalette() ? PALETTE[cell.getBgColor()] : undefined;
  return {
    text: cell.getChars(),
    width: cell.getWidth(),
    ...(colour && { colour }),
    ...(background && { background }),
    bold: cell.isBold() !== 0,
    dim: cell.isDim() !== 0,
    italic: cell.isItalic() !== 0,
    underlined: cell.isUnderline() !== 0,
  };
}

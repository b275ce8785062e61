// The real server, as a process on a port of its own with a data folder of its own.

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

export const binary = resolve(process.env.SUDA_BINARY ?? "../target/debug/suda");

export class Server {
  readonly data = mkdtempSync(join(tmpdir(), "suda-e2e-"));
  setupToken = "";
  #port = 0;
  #process: ChildProcess | undefined;

  static async start(): Promise<Server> {
    if (!existsSync(binary))
      throw new Error(`${binary} is missing: build it (cargo xtask web --test does) or name it in SUDA_BINARY`);
    const server = new Server();
    server.#port = await freePort();
    await server.up();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Starts the process on the same port and data. */
  async up(): Promise<void> {
    const process = spawn(binary, ["serve", "--listen", `127.0.0.1:${this.#port}`, "--data", this.data], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    this.#process = process;
    await new Promise<void>((done, failed) => {
      process.once("exit", (code) => failed(new Error(`the server ended with ${code}`)));
      createInterface({ input: process.stdout! }).on("line", (line) => {
        this.setupToken = /\/setup#(\S+)/.exec(line)?.[1] ?? this.setupToken;
        if (line.includes(this.url) && !line.includes("/setup#") && !line.includes("--setup")) done();
      });
    });
  }

  /** Ends the process: at once, as a crash does, or with all that belongs to a stop. */
  async down(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const process = this.#process;
    if (!process || process.exitCode !== null) return;
    const gone = new Promise((done) => process.once("exit", done));
    process.kill(signal);
    await gone;
  }

  async remove(): Promise<void> {
    await this.down("SIGKILL");
    rmSync(this.data, { recursive: true, force: true });
  }

  /** A new account, over HTTP; its token is for programs. */
  signUp(name: string): Promise<string> {
    return this.#token("sign-up", name);
  }

  /** One more device of an account. */
  signIn(name: string): Promise<string> {
    return this.#token("sign-in", name);
  }

  async #token(path: string, name: string): Promise<string> {
    const response = await fetch(`${this.url}/api/v1/${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ name, password: PASSWORD }),
    });
    if (!response.ok) throw new Error(await response.text());
    return ((await response.json()) as { token: string }).token;
  }
}

export const PASSWORD = "correct horse 말";

/** Below the range from which the system takes ports of outgoing connections: nobody takes it while the server is down. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 12_000 + Math.floor(Math.random() * 8_000);
    const free = await new Promise<boolean>((done) => {
      const probe = createServer();
      probe.once("error", () => done(false));
      probe.listen(port, "127.0.0.1", () => probe.close(() => done(true)));
    });
    if (free) return port;
  }
}

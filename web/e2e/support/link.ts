// A person's own way to the server, which can be cut while the server and everybody else go on.

import { type AddressInfo, connect, createServer, type Server as Listener, type Socket } from "node:net";
import type { Site } from "./browser";
import type { Server } from "./server";

export class Link implements Site {
  readonly #sockets = new Set<Socket>();
  #isCut = false;

  private constructor(
    readonly server: Server,
    readonly listener: Listener,
  ) {}

  static async to(server: Server): Promise<Link> {
    const listener = createServer();
    const link = new Link(server, listener);
    listener.on("connection", (near) => link.#join(near));
    await new Promise<void>((done) => listener.listen(0, "127.0.0.1", done));
    return link;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.listener.address() as AddressInfo).port}`;
  }

  get setupToken(): string {
    return this.server.setupToken;
  }

  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#isCut = false;
  }

  close(): void {
    this.cut();
    this.listener.close();
  }

  #join(near: Socket): void {
    if (this.#isCut) {
      near.destroy();
      return;
    }
    const far = connect(Number(new URL(this.server.url).port), "127.0.0.1");
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(one);
      // Whatever ends one half, the other ends too.
      one.on("error", () => other.destroy());
      one.on("close", () => {
        this.#sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  }
}

// Who uses this page, and how they come in and go.

import type { User } from "../protocol/types";
import * as api from "./api";

export type AccountState =
  | { kind: "loading" }
  | { kind: "unreachable" }
  /** `over`: a session was there and ended elsewhere. */
  | { kind: "out"; over: boolean }
  | { kind: "in"; user: User };

export class Account {
  state: AccountState = $state.raw({ kind: "loading" });

  async load(): Promise<void> {
    try {
      const user = await api.me();
      this.state = user ? { kind: "in", user } : { kind: "out", over: false };
    } catch {
      this.state = { kind: "unreachable" };
    }
  }

  /** Rejects with `AccountError`. */
  async signIn(name: string, password: string): Promise<void> {
    this.state = { kind: "in", user: await api.signIn(name, password) };
  }

  /** Rejects with `AccountError`. With the token of the setup link: the administrator's account. */
  async signUp(name: string, password: string, setupToken: string | null): Promise<void> {
    this.state = { kind: "in", user: await api.signUp(name, password, setupToken) };
  }

  async signOut(): Promise<void> {
    try {
      await api.signOut();
    } catch (error) {
      // Already out is out. Anything else leaves the cookie alive: then we are not out, and must not say so.
      if (!(error instanceof api.AccountError) || error.code !== "unauthenticated") throw error;
    }
    this.state = { kind: "out", over: false };
  }

  /** The server ended the session. */
  ended(): void {
    if (this.state.kind === "in") this.state = { kind: "out", over: true };
  }
}

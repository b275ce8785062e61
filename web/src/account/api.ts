// Accounts over HTTP. The session is a cookie that no script can read: what comes back here is only who one is.

import type { User } from "../protocol/types";

/** A refusal by the server (its code's name), or "unreachable". */
export class AccountError extends Error {
  constructor(readonly code: string) {
    super(code);
  }
}

export function signIn(name: string, password: string): Promise<User> {
  return post("sign-in", { name, password, cookie: true });
}

export function signUp(name: string, password: string, setupToken: string | null): Promise<User> {
  return post("sign-up", { name, password, cookie: true, ...(setupToken === null ? {} : { setup_token: setupToken }) });
}

export async function signOut(): Promise<void> {
  await request("sign-out", { method: "POST" });
}

/** Who is signed in; null where nobody is. */
export async function me(): Promise<User | null> {
  try {
    const response = await request("me", {});
    return (await response.json()) as User;
  } catch (error) {
    if (error instanceof AccountError && error.code === "unauthenticated") return null;
    throw error;
  }
}

async function post(path: string, body: unknown): Promise<User> {
  const response = await request(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const answer = (await response.json()) as { user: User };
  return answer.user;
}

async function request(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(`/api/v1/${path}`, { ...init, credentials: "same-origin", cache: "no-store" });
  } catch {
    throw new AccountError("unreachable");
  }
  if (response.ok) return response;
  const error = (await response.json().catch(() => null)) as { name?: unknown } | null;
  throw new AccountError(typeof error?.name === "string" ? error.name : "unreachable");
}

// What a machine tells its owner.

import type { Answer, Cursor, Entry, ProtocolError, Room, User } from "../protocol/types";

export type OfflineReason = "unreachable" | "lost" | "goingAway" | "silent" | "refused";

export type Outcome = Extract<Answer, { kind: "roomCreation" | "joined" | "left" | "posted" }>;
export type Answered = Extract<Answer, { kind: "roomList" | "messagePage" }>;

export type Event =
  /** The connection is a session: rooms are being opened again and pending commands sent. */
  | { kind: "online"; user: User; nowMs: number }
  /** There is no connection; another attempt follows by itself. */
  | { kind: "offline"; retryAt: number; reason: OfflineReason }
  /** Signed out, or never in. No further attempt is made. */
  | { kind: "signedOut" }
  /** The server ended the connection in a way that means "don't come back". */
  | { kind: "stopped" }
  /** A room's stream is open; entries after the cursor follow. */
  | { kind: "opened"; room: Room; after: Cursor }
  /** A room's stream can't be opened; it is not tried again. */
  | { kind: "openRefused"; room: string; error: ProtocolError }
  /** The next entry of a room: each exactly once, in the order of seq, without a hole. */
  | { kind: "entry"; entry: Entry }
  /** What was delivered of this room belongs to another past of the server: forget it. What follows starts anew. */
  | { kind: "reset"; room: string }
  /** The user is no member of the room any more; its stream has ended. */
  | { kind: "removed"; room: string }
  /** A mutating command took effect. Exactly one `accepted` or `refused` comes for each client id. */
  | { kind: "accepted"; clientId: string; outcome: Outcome }
  | { kind: "refused"; clientId: string; error: ProtocolError }
  /** The answer to a question; a refusal for now is none, it is asked again. */
  | { kind: "answer"; id: number; answer: Answered }
  | { kind: "noAnswer"; id: number; error: ProtocolError };

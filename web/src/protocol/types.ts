// What client and server say to each other, as plain values. The wire's form is the codec's business; here a seq is a number,
// which is exact up to 2^53, and a choice is a tagged union.

/** How far a reader is in a room: a seq and the id of the entry there. Seq 0 with an empty id is before the first. */
export interface Cursor {
  seq: number;
  id: string;
}

export interface User {
  id: string;
  name: string;
  administrator: boolean;
}

export interface Room {
  id: string;
  name: string;
  top: Cursor;
  memberCount: number;
  member: boolean;
}

/** What the server holds a client to. */
export interface Limits {
  textBytesMax: number;
  roomNameCharsMax: number;
  openRoomsMax: number;
  commandsInFlightMax: number;
  messagePageMax: number;
  resumeEntriesMax: number;
}

/** The protocol's usual limits, until `hello` tells the server's. */
export const LIMITS_STANDARD: Limits = {
  textBytesMax: 16 * 1024,
  roomNameCharsMax: 64,
  openRoomsMax: 500,
  commandsInFlightMax: 32,
  messagePageMax: 100,
  resumeEntriesMax: 500,
};

/** Why a command was refused. `name` is the code in lower case: "unknown_room". */
export interface ProtocolError {
  name: string;
  message: string;
  retryable: boolean;
  retryAfterMs: number;
  /** The bound that the command is beyond, where the code is of one (bytes, for text_too_long); else 0. */
  limit: number;
}

export type What =
  | { kind: "roomCreated"; name: string }
  | { kind: "memberJoined" }
  | { kind: "memberLeft" }
  | { kind: "messagePosted"; text: string; replyTo: number }
  | { kind: "unknown" };

/** One durable thing that happened in a room. */
export interface Entry {
  room: string;
  seq: number;
  id: string;
  author: string;
  authorName: string;
  atMs: number;
  what: What;
}

/** A message as it now is. */
export interface Message {
  seq: number;
  id: string;
  author: string;
  authorName: string;
  atMs: number;
  text: string;
  replyTo: number;
}

/** Commands that change something: answered once, resent with the same client id until then. */
export type Mutation =
  | { kind: "createRoom"; clientId: string; name: string }
  | { kind: "join"; clientId: string; room: string }
  | { kind: "leave"; clientId: string; room: string }
  | { kind: "post"; clientId: string; room: string; text: string; replyTo: number };

/** Commands that change nothing. */
export type Question =
  | { kind: "listRooms"; mine: boolean; afterName: string }
  | { kind: "messages"; room: string; beforeSeq: number; countMax: number };

export type Request =
  | { kind: "connect"; device: string; client: string }
  | { kind: "open"; room: string; cursor: Cursor | null }
  | { kind: "close"; room: string }
  | { kind: "log"; room: string; after: Cursor }
  | Mutation
  | Question;

export interface Command {
  id: number;
  request: Request;
}

export type Continuity = "continues" | "page" | "otherPast";

export type Answer =
  | { kind: "error"; error: ProtocolError }
  | { kind: "hello"; user: User; limits: Limits; heartbeatMs: number; nowMs: number }
  | { kind: "roomCreation"; room: Room }
  | { kind: "joined"; room: Room }
  | { kind: "left"; room: string }
  | { kind: "posted"; room: string; seq: number; id: string; atMs: number }
  | { kind: "roomList"; rooms: Room[]; more: boolean }
  | { kind: "opened"; room: Room; continuity: Continuity }
  | { kind: "closed"; room: string }
  | { kind: "logPage"; entries: Entry[]; top: Cursor; continues: boolean }
  | { kind: "messagePage"; messages: Message[]; more: boolean }
  | { kind: "pong" }
  | { kind: "unknown" };

export type Push =
  | { kind: "entry"; entry: Entry }
  | { kind: "lag"; room: string }
  | { kind: "heartbeat"; nowMs: number; tops: { room: string; top: Cursor }[] }
  | { kind: "goingAway"; comeBackAfterMs: number }
  | { kind: "removed"; room: string }
  | { kind: "unknown" };

export type ServerMessage = { kind: "reply"; id: number; answer: Answer } | { kind: "push"; push: Push };

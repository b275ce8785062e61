// Plain values to Protobuf bytes and back: the only place that knows the generated types. A message that cannot be read
// throws; a kind that this version doesn't know becomes `unknown` and is left alone.

import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { CommandSchema } from "../gen/suda/v1/command_pb";
import type { Cursor as WireCursor, Entry as WireEntry } from "../gen/suda/v1/entry_pb";
import type { Error as WireError } from "../gen/suda/v1/error_pb";
import {
  ServerMessageSchema,
  Continuity as WireContinuity,
  type Limits as WireLimits,
  type Message as WireMessage,
  type Push as WirePush,
  type Reply as WireReply,
  type Room as WireRoom,
  type User as WireUser,
} from "../gen/suda/v1/server_pb";
import {
  type Answer,
  type Command,
  type Continuity,
  type Cursor,
  type Entry,
  LIMITS_STANDARD,
  type Limits,
  type Message,
  type ProtocolError,
  type Push,
  type Request,
  type Room,
  type ServerMessage,
  type User,
} from "./types";

/** The subprotocol whose messages these are. */
export const SUBPROTOCOL = "suda.v1.proto";

export function encodeCommand(command: Command): Uint8Array<ArrayBuffer> {
  const message = create(CommandSchema, { id: BigInt(command.id), request: wireRequest(command.request) });
  return toBinary(CommandSchema, message);
}

type WireRequest = NonNullable<MessageInitShape<typeof CommandSchema>["request"]>;

function wireRequest(request: Request): WireRequest {
  switch (request.kind) {
    case "connect":
      return { case: "connect", value: { device: request.device, client: request.client } };
    case "open":
      return {
        case: "open",
        value: request.cursor ? { room: request.room, cursor: wireCursor(request.cursor) } : { room: request.room },
      };
    case "close":
      return { case: "close", value: { room: request.room } };
    case "log":
      return { case: "log", value: { room: request.room, after: wireCursor(request.after) } };
    case "createRoom":
      return { case: "createRoom", value: { clientId: request.clientId, name: request.name } };
    case "join":
      return { case: "join", value: { clientId: request.clientId, room: request.room } };
    case "leave":
      return { case: "leave", value: { clientId: request.clientId, room: request.room } };
    case "post":
      return {
        case: "post",
        value: {
          clientId: request.clientId,
          room: request.room,
          text: request.text,
          replyTo: BigInt(request.replyTo),
        },
      };
    case "listRooms":
      return { case: "listRooms", value: { mine: request.mine, afterName: request.afterName } };
    case "messages":
      return {
        case: "messages",
        value: { room: request.room, beforeSeq: BigInt(request.beforeSeq), countMax: request.countMax },
      };
  }
}

function wireCursor(cursor: Cursor) {
  return { seq: BigInt(cursor.seq), id: cursor.id };
}

/** Throws where the bytes are no server message. */
export function decodeServerMessage(bytes: Uint8Array): ServerMessage {
  const { kind } = fromBinary(ServerMessageSchema, bytes);
  switch (kind.case) {
    case "reply":
      return { kind: "reply", id: Number(kind.value.id), answer: answer(kind.value.result) };
    case "push":
      return { kind: "push", push: push(kind.value.event) };
    default:
      return { kind: "push", push: { kind: "unknown" } };
  }
}

function answer(result: WireReply["result"]): Answer {
  switch (result.case) {
    case "error":
      return { kind: "error", error: error(result.value) };
    case "hello": {
      const { limits, heartbeatMs, nowMs } = result.value;
      return {
        kind: "hello",
        user: user(result.value.user),
        limits: limitsOf(limits),
        heartbeatMs,
        nowMs: Number(nowMs),
      };
    }
    case "roomCreation":
    case "joined":
      return { kind: result.case, room: room(result.value.room) };
    case "left":
    case "closed":
      return { kind: result.case, room: result.value.room };
    case "posted": {
      const { room, seq, id, atMs } = result.value;
      return { kind: "posted", room, seq: Number(seq), id, atMs: Number(atMs) };
    }
    case "roomList":
      return { kind: "roomList", rooms: result.value.rooms.map(room), more: result.value.more };
    case "opened":
      return { kind: "opened", room: room(result.value.room), continuity: continuity(result.value.continuity) };
    case "logPage": {
      const { entries, top, continues } = result.value;
      return { kind: "logPage", entries: entries.map(entry), top: cursor(top), continues };
    }
    case "messagePage":
      return { kind: "messagePage", messages: result.value.messages.map(message), more: result.value.more };
    case "pong":
      return { kind: "pong" };
    default:
      return { kind: "unknown" };
  }
}

function push(event: WirePush["event"]): Push {
  switch (event.case) {
    case "entry":
      return { kind: "entry", entry: entry(event.value) };
    case "lag":
    case "removed":
      return { kind: event.case, room: event.value.room };
    case "heartbeat": {
      const tops = event.value.tops.map((one) => ({ room: one.room, top: cursor(one.top) }));
      return { kind: "heartbeat", nowMs: Number(event.value.nowMs), tops };
    }
    case "goingAway":
      return { kind: "goingAway", comeBackAfterMs: event.value.comeBackAfterMs };
    default:
      return { kind: "unknown" };
  }
}

function cursor(wire: WireCursor | undefined): Cursor {
  return wire ? { seq: Number(wire.seq), id: wire.id } : { seq: 0, id: "" };
}

function user(wire: WireUser | undefined): User {
  return { id: wire?.id ?? "", name: wire?.name ?? "", administrator: wire?.administrator ?? false };
}

function room(wire: WireRoom | undefined): Room {
  return {
    id: wire?.id ?? "",
    name: wire?.name ?? "",
    top: cursor(wire?.top),
    memberCount: wire?.memberCount ?? 0,
    member: wire?.member ?? false,
  };
}

function error(wire: WireError): ProtocolError {
  const { name, message, retryable, retryAfterMs, limit } = wire;
  return { name, message, retryable, retryAfterMs, limit };
}

/** A limit that the server left out is as usual. */
function limitsOf(wire: WireLimits | undefined): Limits {
  const limits = { ...LIMITS_STANDARD };
  for (const key of Object.keys(limits) as (keyof Limits)[]) {
    const told = wire?.[key];
    if (told) limits[key] = told;
  }
  return limits;
}

function continuity(wire: WireContinuity): Continuity {
  switch (wire) {
    case WireContinuity.OTHER_PAST:
      return "otherPast";
    case WireContinuity.PAGE:
      return "page";
    default:
      return "continues";
  }
}

function entry(wire: WireEntry): Entry {
  const { room, seq, id, author, authorName, atMs } = wire;
  return { room, seq: Number(seq), id, author, authorName, atMs: Number(atMs), what: what(wire.what) };
}

function what(wire: WireEntry["what"]): Entry["what"] {
  switch (wire.case) {
    case "roomCreated":
      return { kind: "roomCreated", name: wire.value.name };
    case "memberJoined":
    case "memberLeft":
      return { kind: wire.case };
    case "messagePosted":
      return { kind: "messagePosted", text: wire.value.text, replyTo: Number(wire.value.replyTo) };
    default:
      return { kind: "unknown" };
  }
}

function message(wire: WireMessage): Message {
  const { seq, id, author, authorName, atMs, text, replyTo } = wire;
  return { seq: Number(seq), id, author, authorName, atMs: Number(atMs), text, replyTo: Number(replyTo) };
}

// The golden vectors that the Rust side reads too: the same bytes mean the same in both.

import { readFileSync } from "node:fs";
import { fromBinary, fromJson, type JsonValue, toBinary, toJson } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { CommandSchema } from "../gen/suda/v1/command_pb";
import { file_suda_v1_error } from "../gen/suda/v1/error_pb";
import { ServerMessageSchema } from "../gen/suda/v1/server_pb";
import { decodeServerMessage, encodeCommand } from "./codec";
import type { Request } from "./types";

interface Vector {
  name: string;
  type: string;
  json: JsonValue;
  hex: string;
}

function vectors(file: string): Vector[] {
  const url = new URL(`../../../crates/protocol/vectors/${file}`, import.meta.url);
  return JSON.parse(readFileSync(url, "utf8"));
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const bytes = (text: string) => new Uint8Array(Buffer.from(text, "hex"));

const all = [...vectors("commands.json"), ...vectors("server_messages.json")];
const schemas = { "suda.v1.Command": CommandSchema, "suda.v1.ServerMessage": ServerMessageSchema };

describe("golden vectors", () => {
  it("are there", () => {
    expect(all.length).toBeGreaterThan(20);
    expect(file_suda_v1_error.kind).toBe("file");
  });

  it.each(all)("$type $name: bytes to JSON and back", ({ type, json, hex: expected }) => {
    const schema = schemas[type as keyof typeof schemas] as typeof CommandSchema;
    const read = fromBinary(schema, bytes(expected));
    expect(toJson(schema, read)).toEqual(json);
    expect(hex(toBinary(schema, fromJson(schema, json)))).toBe(expected);
  });

  it.each(vectors("server_messages.json"))("our own types read $name", ({ hex: text, json }) => {
    const message = decodeServerMessage(bytes(text));
    const kinds = json as { reply?: { id?: string } & Record<string, unknown>; push?: Record<string, unknown> };
    if (message.kind === "reply") {
      expect(message.id).toBe(Number(kinds.reply?.id ?? 0));
      const names = Object.keys(kinds.reply ?? {}).filter((key) => key !== "id");
      expect([message.answer.kind]).toEqual(names);
    } else {
      expect([message.push.kind]).toEqual(Object.keys(kinds.push ?? {}));
    }
  });

  const values: Record<string, Request> = {
    create_room: { kind: "createRoom", clientId: "01890a5d-ac96-774b-bcce-b302099a8004", name: "수다방" },
    join: { kind: "join", clientId: "01890a5d-ac96-774b-bcce-b302099a8004", room: "lobby" },
    list_rooms: { kind: "listRooms", mine: true, afterName: "lobby" },
    "open from the newest": { kind: "open", room: "01890a5d-ac96-774b-bcce-b302099a8001", cursor: null },
    "open from the beginning": {
      kind: "open",
      room: "01890a5d-ac96-774b-bcce-b302099a8001",
      cursor: { seq: 0, id: "" },
    },
    "open with a cursor": {
      kind: "open",
      room: "01890a5d-ac96-774b-bcce-b302099a8001",
      cursor: { seq: 3, id: "01890a5d-ac96-774b-bcce-b302099a8002" },
    },
  };
  it.each(Object.entries(values))("our own types write %s", (name, request) => {
    const vector = all.find((one) => one.name === name);
    const { id } = (vector?.json ?? { id: "0" }) as { id: string };
    expect(hex(encodeCommand({ id: Number(id), request }))).toBe(vector?.hex);
  });
});

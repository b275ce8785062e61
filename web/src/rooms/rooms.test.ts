import { describe, expect, it } from "vitest";
import { LIMITS_STANDARD, type Room } from "../protocol/types";
import { neighbour, type RoomView, search, sorted, startOf } from "./rooms";

const view = (name: string, unread = 0): RoomView => ({ id: name, name, memberCount: 1, unread, more: false });
const names = (rooms: { name: string }[]) => rooms.map((room) => room.name);

describe("rooms", () => {
  it("are found by words and by first consonants", () => {
    const rooms = [view("수다방"), view("회의 기록"), view("Lobby")];
    expect(names(search(rooms, "수다"))).toEqual(["수다방"]);
    expect(names(search(rooms, "ㅎㅇ ㄱㄹ"))).toEqual(["회의 기록"]);
    expect(names(search(rooms, "lob"))).toEqual(["Lobby"]);
    expect(names(search(rooms, " "))).toHaveLength(3);
    expect(names(search(rooms, "없음"))).toEqual([]);
  });

  it("stand in the order of their names", () => {
    expect(names(sorted([view("나무"), view("b10"), view("가을"), view("b9")], "ko"))).toEqual([
      "가을",
      "나무",
      "b9",
      "b10",
    ]);
  });

  it("are walked around the ends, also only the unread", () => {
    const rooms = [view("a"), view("b", 1), view("c")];
    expect(neighbour(rooms, "c", 1)?.name).toBe("a");
    expect(neighbour(rooms, "a", -1)?.name).toBe("c");
    expect(neighbour(rooms, null, 1)?.name).toBe("a");
    expect(neighbour(rooms, null, -1)?.name).toBe("c");
    expect(neighbour(rooms, "c", 1, (room) => room.unread > 0)?.name).toBe("b");
    expect(neighbour(rooms, "b", 1, (room) => room.unread > 0)).toBeUndefined();
    expect(neighbour([], null, 1)).toBeUndefined();
  });

  it("start where one left off, unless that is too far back or of another past", () => {
    const room: Room = { id: "r", name: "r", top: { seq: 1_000, id: "x" }, memberCount: 1, member: true };
    const start = (seq: number | null) => startOf(room, seq === null ? null : { seq, id: "i" }, LIMITS_STANDARD);
    expect(start(900)).toEqual({ cursor: { seq: 900, id: "i" }, more: false });
    expect(start(100)).toEqual({ cursor: null, more: true });
    expect(start(2_000)).toEqual({ cursor: null, more: false });
    expect(start(null)).toEqual({ cursor: null, more: false });
  });
});

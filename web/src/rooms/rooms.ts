// A room in the list, and the order and search of the list. Pure.

import type { Cursor, Limits, Room } from "../protocol/types";

export interface RoomView {
  id: string;
  name: string;
  memberCount: number;
  /** Messages of others since one last read. */
  unread: number;
  /** Whether there are more than could be counted. */
  more: boolean;
}

/** Where a room's stream is to start: where one left off, if the server goes on from there by itself; else at the newest entry. */
export function startOf(room: Room, read: Cursor | null, limits: Limits): { cursor: Cursor | null; more: boolean } {
  if (!read) return { cursor: null, more: false };
  const missed = room.top.seq - read.seq;
  if (missed >= 0 && missed <= limits.resumeEntriesMax) return { cursor: read, more: false };
  return { cursor: null, more: missed > 0 };
}

let collator: { locale: string; compare: (a: string, b: string) => number } | undefined;

/** By name, as people of the language look for it. */
export function sorted(rooms: Iterable<RoomView>, locale: string): RoomView[] {
  // Kept: the list is sorted with each message that comes, and making one takes far longer than sorting with it.
  if (collator?.locale !== locale) collator = { locale, compare: new Intl.Collator(locale, { numeric: true }).compare };
  const { compare } = collator;
  return [...rooms].sort((a, b) => compare(a.name, b.name));
}

/** Rooms whose name has the words; Korean also by its first consonants: ㅅㄷ finds 수다. */
export function search<T extends { name: string }>(rooms: readonly T[], query: string): T[] {
  const words = query.normalize("NFC").toLowerCase().split(/\s+/u).filter(Boolean);
  return rooms.filter(({ name }) => {
    const plain = name.normalize("NFC").toLowerCase();
    const initials = initialsOf(plain);
    return words.every((word) => plain.includes(word) || initials.includes(word));
  });
}

const INITIALS = [..."ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"];
const SYLLABLES_FIRST = 0xac00;
const SYLLABLES_LAST = 0xd7a3;
const SYLLABLES_PER_INITIAL = 588;

function initialsOf(text: string): string {
  return Array.from(text, (char) => {
    const code = char.codePointAt(0) ?? 0;
    const isSyllable = code >= SYLLABLES_FIRST && code <= SYLLABLES_LAST;
    return isSyllable ? INITIALS[Math.floor((code - SYLLABLES_FIRST) / SYLLABLES_PER_INITIAL)] : char;
  }).join("");
}

/** The room that is `step` places further in the list, around its ends; with `wanted`, the next such one. */
export function neighbour(
  rooms: readonly RoomView[],
  current: string | null,
  step: 1 | -1,
  wanted: (room: RoomView) => boolean = () => true,
): RoomView | undefined {
  const at = rooms.findIndex((room) => room.id === current);
  const start = at === -1 && step === -1 ? 0 : at;
  for (let count = 1; count <= rooms.length; count++) {
    const room = rooms[(start + step * count + rooms.length * 2) % rooms.length];
    if (room && room.id !== current && wanted(room)) return room;
  }
  return undefined;
}

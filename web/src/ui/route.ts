// The page's address: which room is looked at, so that the back button and a bookmark work.

/** "#/room/ID" → ID */
export function roomOf(hash: string): string | null {
  const id = /^#\/room\/([0-9a-f-]{36})$/.exec(hash)?.[1];
  return id ?? null;
}

export function hashOf(room: string | null): string {
  return room === null ? "#/" : `#/room/${room}`;
}

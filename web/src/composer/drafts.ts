// What one has begun to write, per room, kept on the device.

import { keep, kept } from "../ui/kept";

const key = (user: string, room: string) => `suda.draft.${user}.${room}`;

export function draft(user: string, room: string): string {
  return kept(key(user, room)) ?? "";
}

export function keepDraft(user: string, room: string, text: string): void {
  keep(key(user, room), text === "" ? null : text);
}

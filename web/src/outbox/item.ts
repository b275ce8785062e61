// A post from the moment its author sends it until it stands in the timeline.

export interface Item {
  clientId: string;
  user: string;
  room: string;
  text: string;
  replyTo: number;
  /** When it was written, ms since 1970; of one device no two are alike, so that it is also the order. */
  at: number;
  state: ItemState;
}

export type ItemState =
  /** Waits for a connection, or for its answer. */
  | { kind: "queued" }
  /** Refused for good, perhaps for being beyond a limit (else 0); the person says whether to try again. */
  | { kind: "failed"; error: string; limit: number }
  /** On the server's disk; its entry is on its way here. */
  | { kind: "sent"; seq: number };

/** What is yet to be shown below the room's entries: not what stands among them already. */
export function waiting(items: readonly Item[], room: string, cursorSeq: number, echoed: ReadonlySet<string>): Item[] {
  return items.filter(
    (item) =>
      item.room === room && !echoed.has(item.clientId) && !(item.state.kind === "sent" && item.state.seq <= cursorSeq),
  );
}

// The machine's own bounds, each with its unit and its reason.

/** How long the answer to `connect` may take. */
export const HELLO_TIMEOUT_MS = 15_000;

/** How long the answer to any other command may take before the connection counts as broken. */
export const ANSWER_TIMEOUT_MS = 60_000;

/** Bounds the first wait before connecting again, or before sending a refused command again; each further one doubles it. */
export const BACKOFF_FIRST_MS = 500;

/** No such wait exceeds this. */
export const BACKOFF_MAX_MS = 30_000;

/** A session that lasted this long makes the next wait a first one again: a server that greets and hangs up isn't asked at full speed. */
export const STABLE_MS = 10_000;

/** The longest that a server may ask a client to stay away. */
export const COME_BACK_MAX_MS = 300_000;

/** The heartbeat of a server that names none. */
export const HEARTBEAT_USUAL_MS = 25_000;

/** Who connects. Who the user is, the cookie says, which all tabs share: it may have become another's since. */
export interface Config {
  /** The id of the user for whom everything is said. A session of anybody else is none. */
  user: string;
  /** A UUID made once for this device and kept. */
  device: string;
  /** The program and its version, for the server's log. */
  client: string;
  /** Numbers from 0 up to, not including, 1. Only jitter comes from it. */
  random: () => number;
}

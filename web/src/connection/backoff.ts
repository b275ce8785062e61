// How long to wait before another attempt: exponential with full jitter, so that clients which lost the same server don't
// come back in step.

import type { ProtocolError } from "../protocol/types";
import { BACKOFF_FIRST_MS, BACKOFF_MAX_MS, COME_BACK_MAX_MS } from "./config";

/** The wait before the attempt after `failures` failures in a row, of which there is at least one. */
export function waitMs(failures: number, random: () => number): number {
  const bound = Math.min(BACKOFF_FIRST_MS * 2 ** Math.min(failures - 1, 16), BACKOFF_MAX_MS);
  return Math.floor(random() * (bound + 1));
}

/** The wait that an error asks for, within bounds. */
export function retryAfterMs(error: ProtocolError): number {
  return Math.min(error.retryAfterMs, COME_BACK_MAX_MS);
}

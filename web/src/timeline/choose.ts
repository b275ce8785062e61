// Choosing a message to answer by keyboard: one begins at the newest and steps to older and newer ones.

import type { Message } from "../protocol/types";

export type Step = "older" | "newer";

/** Where choosing begins: at the newest message, or at the one that is answered already. */
export function firstChoice(messages: readonly Message[], answeredSeq: number | null): Message | undefined {
  if (answeredSeq === null) return messages.at(-1);
  return messages.findLast((message) => message.seq <= answeredSeq) ?? messages[0];
}

/** The next message that is loaded; at an end one stays where one is. */
export function nextChoice(messages: readonly Message[], seq: number, step: Step): Message | undefined {
  const next =
    step === "older"
      ? messages.findLast((message) => message.seq < seq)
      : messages.find((message) => message.seq > seq);
  return next ?? messages.find((message) => message.seq === seq);
}

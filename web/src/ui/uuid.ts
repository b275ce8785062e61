/**
 * A UUID that grows with time (version 7, RFC 9562 section 5.7), also on pages over plain http, where `crypto.randomUUID` is missing.
 * The server keeps client ids for ever: those that grow with time stand side by side there.
 */
export function uuid(nowMs: number = Date.now()): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  // 48 bits of milliseconds, the highest first. More than 32 bits, so that shifting would not do.
  for (let at = 5, rest = nowMs; at >= 0; at--, rest = Math.floor(rest / 256)) {
    bytes[at] = rest % 256;
  }
  // Version 7, variant 1.
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

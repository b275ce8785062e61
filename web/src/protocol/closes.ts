// What a WebSocket's close code says about coming back.

export const CLOSE_UNAUTHENTICATED = 4500;
export const CLOSE_SIGNED_OUT = 4501;

/** Whether another attempt makes sense: 4000 to 4499 and the codes of RFC 6455 that speak of the connection, not of us. */
export function isComeBack(code: number): boolean {
  if (code >= 4000 && code <= 4499) return true;
  return [1000, 1001, 1005, 1006, 1011, 1012, 1013, 1014].includes(code);
}

import type { Snapshot } from "everwire";

/** Why the last connection ended, for people: "server restarting, code 1012". */
export function closeReason(close: Snapshot["close"]): string | null {
  if (close === null) return null;
  const words = IN_PLAIN_WORDS[close.reason] ?? (close.reason || MEANINGS[close.code] || "closed");
  return `${words}, code ${close.code}`;
}

/** The client's own reasons speak to developers. */
const IN_PLAIN_WORDS: Readonly<Record<string, string>> = {
  "no pong within heartbeat.timeoutMs": "server stopped answering",
  "no connection within connectTimeoutMs": "server did not answer",
  "disconnect()": "on request",
  "replaced by reconnect()": "replaced by a new one",
};

const MEANINGS: Readonly<Record<number, string>> = {
  1000: "closed normally",
  1001: "server going away",
  1006: "connection lost",
  1008: "token rejected",
  1011: "server error",
  1012: "server restarting",
  1013: "server busy",
  4401: "token expired",
};

import type { CloseCause, Snapshot } from "everwire";

/** Why the last connection ended, for people: "server restarting, code 1012". */
export function closeReason(close: Snapshot["close"]): string | null {
  if (close === null) return null;
  const words = close.cause ? IN_PLAIN_WORDS[close.cause] : close.reason || MEANINGS[close.code] || "closed";
  return `${words}, code ${close.code}`;
}

/** The client's own reasons speak to developers. */
const IN_PLAIN_WORDS: Readonly<Record<CloseCause, string>> = {
  connect_timeout: "server did not answer",
  pong_timeout: "server stopped answering",
  never_answered: "server answers no pings",
  no_welcome: "server said no hello",
  close_timeout: "server did not say goodbye",
  token_failed: "no token could be had",
  socket_refused: "the browser refused",
  disconnected: "on request",
  replaced: "replaced by a new one",
  page_cached: "page was put aside",
  ack_timeout: "server stopped confirming",
  protocol_violation: "server broke the rules",
  event_lost: "something was lost on the way",
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

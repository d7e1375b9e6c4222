// Words for people. Programs have the codes.

import type { SendOutcome } from "../../wasm/everwire.js";
import type { CloseCause, FailureName } from "../codes.js";

export const CLOSE_TEXTS: Record<CloseCause, string> = {
  connect_timeout: "no connection within connectTimeoutMs",
  pong_timeout: "no pong within heartbeat.timeoutMs",
  never_answered: "no ping was ever answered: a server that knows none needs heartbeat.intervalMs Infinity",
  no_welcome: "no welcome and no pong within connectTimeoutMs",
  close_timeout: "the closing handshake was not completed",
  token_failed: "the token could not be had",
  socket_refused: "the browser refused to open a WebSocket",
  disconnected: "disconnect()",
  replaced: "replaced by a new connection",
  page_cached: "closed by the back/forward cache",
  ack_timeout: "no acknowledgement within heartbeat.timeoutMs",
  protocol_violation: "the server broke the protocol",
  event_lost: "an event was lost on the way",
};

export const REFUSAL_TEXTS: Record<Exclude<SendOutcome, "sent" | "queued">, string> = {
  too_large: "larger than `maxMessageBytes` or the server allow",
  queue_full: "there is no connection, and the queue is full",
  not_open: "there is no connection, and the event is volatile",
  too_many_sessions: "too many sessions: leave some first",
  unsupported: 'requests need `delivery: "reliable"` and a server that knows it',
};

export const FAILURE_TEXTS: Record<FailureName, string> = {
  timed_out: "the request got no reply in time",
  abandoned: "the connection was given up or closed before the reply",
};

export const UNFIT_TOKEN = "the token cannot be a subprotocol: use another `tokenIn`, or base64url";

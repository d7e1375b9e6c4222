import type * as Codes from "./codes.js";
import type { EverwireError } from "./errors.js";

/** The states of the WHATWG WebSocket interface. */
export type ConnectionState = "connecting" | "open" | "closing" | "closed";

/** Where the connection stands, and why. The same object until something changes. */
export interface Snapshot {
  /** The state as a WebSocket would say it; `phase` says more. */
  readonly state: ConnectionState;
  /**
   * The state with its reason. `closed` is one of: `idle` (not asked for, or disconnected), `waiting` (for `retryAt`), `offline`
   * (waiting for the network), `logged_out` (no token, see `Options.token`), `given_up` (attempts used up), `fatal` (the close code says that trying again is pointless).
   */
  readonly phase:
    | "idle"
    | "connecting"
    | "open"
    | "closing"
    | "waiting"
    | "offline"
    | "logged_out"
    | "given_up"
    | "fatal";
  /** The reconnect attempt that runs or is waited for, from 1; in the phase `given_up`, how many have failed; else 0. */
  readonly attempt: number;
  /** When the next attempt starts, in milliseconds since the epoch. */
  readonly retryAt: number | null;
  /** How the last connection or attempt ended. */
  readonly close: CloseInfo | null;
  /** Why the last attempt could not even start: the URL or the token. `null` again once a connection is open, or nobody is logged in. */
  readonly error: EverwireError | null;
  /**
   * How many events wait in the queue, those of previous pages included: joins and receipts too, and not only what a user has written. Those that are sent and unacknowledged are
   * not in it.
   */
  readonly queued: number;
  /** The size of their frames in bytes. */
  readonly queuedBytes: number;
  /** The round-trip time of the last answered ping, in milliseconds. */
  readonly lastRttMs: number | null;
  /** What the server of the latest connection can do; `null` while it is not known. */
  readonly delivery: "at-most-once" | "reliable" | null;
  /** Whether a message would be sent at once, or queued while there is no connection. */
  readonly hasRoom: boolean;
  /** How often the server broke the rules of the reliable mode, since the client was made. */
  readonly protocolErrors: number;
}

/** How a connection or an attempt ended (RFC 6455, section 7.4). */
export interface CloseInfo {
  /** The close code; 1006 also for every end that the client decided on its own, such as a missing pong. */
  readonly code: number;
  /** The server's own words, or the client's for an end that it decided on. */
  readonly reason: string;
  /** Whether the closing handshake was completed. */
  readonly wasClean: boolean;
  /** Why the client itself ended it; `null` if the peer or the network did. The stable name to test for; `reason` is for people. */
  readonly cause: CloseCause | null;
}

/**
 * Why a client ended a connection or an attempt: `connect_timeout`, `pong_timeout` (the link was dead),
 * `never_answered` (a ping stayed unanswered, and so did every one before: a server that knows none needs `heartbeat.intervalMs: Infinity`), `no_welcome` (in the reliable
 * mode: the server answered neither hello nor ping), `close_timeout`, `token_failed` (no token could be
 * had), `socket_refused` (the browser made no WebSocket), `disconnected` (by `disconnect()`), `replaced` (by `reconnect()` or a new attempt), `page_cached` (the page was
 * in the back/forward cache), `ack_timeout` (the server acknowledged nothing), `protocol_violation`, `event_lost` (an event was lost on the way).
 */
export type CloseCause = Codes.CloseCause;

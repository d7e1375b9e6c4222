import type { ChatFactory } from "./chat.js";
import type { EventValidator } from "./lifecycle.js";
import type { Outbox } from "./outbox.js";
import type { WebSocketClass } from "./webSocket.js";

/** Where to connect, as whom, and how patiently. Every option has a default; a wrong one throws a `ConfigError`. */
export interface Options {
  /**
   * The server's base URL, such as `"https://api.example.com"`. `http` and `https` become `ws` and `wss`; query parameters are
   * kept. Default, also for an empty one: the page's own origin. A URL that cannot be connected to makes `connect()` throw.
   */
  url?: string | undefined;
  /**
   * The endpoint's path, appended to the path of `url`; it may have query parameters. Default `"/api/ws"`. With `""`, `url` is the endpoint exactly, as
   * in `url: "wss://example.com/socket"`.
   */
  path?: string | undefined;
  /**
   * The WebSocket subprotocols to offer, the preferred first (RFC 6455, section 1.9). Default: none. Each has only letters, digits and the signs
   * ``!#$%&'*+-.^_`|~``, and they differ, else a `ConfigError`. A server that answers with one that was not offered, and in some browsers one that answers with
   * none, makes the attempt fail with 1006.
   */
  protocols?: string | readonly string[] | undefined;
  /**
   * The token to connect with, or a function that is asked before every attempt, possibly asynchronously.
   * `null`, `undefined` or an empty string says that nobody is logged in: the client waits in the phase `logged_out` and goes on with `tokenChanged()`,
   * `connect()` or `reconnect()`. Its `refused` argument says that the server refused the previous token, so that a cached one
   * will not do. A function that throws counts as a failed attempt and is reported as an `error` event. Default: none, and the client connects
   * without one.
   */
  token?: string | TokenFunction | undefined;
  /**
   * Where the token travels. Default `"query"`.
   *
   * - `"query"`: in the URL, as the parameter {@link tokenParam}. Servers and proxies write URLs into their access logs, unless they are told not to: use
   *   tokens that live for minutes, or another place.
   * - `"first-message"`: as the first message on the open socket, `{"type": authEvent, "data": {[tokenParam]: token}, "timestamp": …}`, before everything else. It is in no URL
   *   and no header, but the server accepts the handshake of anyone, so it has to close connections that do not say who they are within seconds. Nothing
   *   is waited for: what follows may be read before the token is checked, and a server that refuses it closes with 1008 or 4401.
   * - `"subprotocol"`: as the last of `protocols`, in the header `Sec-WebSocket-Protocol`, which is logged less often than URLs. The server must choose one of the
   *   others, so offer one, and must not send the token back. A token with other characters than those that `protocols` may have, such as the
   *   `=` and `/` of base64, is a `token_failed` error; JWTs have none.
   *
   * In every place the token is as secret as the connection: use `wss:` URLs. Errors, logs and snapshots do not hold it; the browser's own network
   * panel and console messages may.
   */
  tokenIn?: "query" | "first-message" | "subprotocol" | undefined;
  /** The name of the token's query parameter, or of its field in the first message. Default `"token"`. Not empty, else a `ConfigError`. */
  tokenParam?: string | undefined;
  /**
   * The type of the message that carries the token with `tokenIn: "first-message"`. Default `"authenticate"`. Not empty, else a `ConfigError`.
   * `"hello"` belongs to the reliable mode: there, it is a `token_failed` error. Says nothing with another `tokenIn`.
   */
  authEvent?: string | undefined;
  /** Whether to connect without a token while `token` gives none. Default `false`. */
  anonymous?: boolean | undefined;
  /** When and how often to try again after a lost connection or a failed attempt. */
  reconnect?: ReconnectOptions | undefined;
  /** How to notice a dead link. */
  heartbeat?: HeartbeatOptions | undefined;
  /**
   * Longest time for one attempt, token included, and in the reliable mode the server's welcome, in milliseconds. Default 10 000. A
   * whole number from 1 to 2 147 483 647. An attempt that takes longer is abandoned and counts as failed; if it is the welcome that is missing, after a closing
   * handshake of at most 3 s.
   */
  connectTimeoutMs?: number | undefined;
  /** What to keep while there is no connection. */
  queue?: QueueOptions | undefined;
  /**
   * Largest outgoing message in UTF-8 bytes, envelope included, without the number that the reliable mode adds. Default 10 240. From 1. Larger
   * ones are refused by `send()` as `too_large`. A value above the server's own limit makes the server close the connection, unless it has told its limit, which then holds (reliable mode, `max_bytes`).
   */
  maxMessageBytes?: number | undefined;
  /**
   * What is known of messages once they are sent. Default `"at-most-once"`: nothing; what is under way when a connection dies is lost.
   * `"reliable"` asks the server for acknowledgements and resumption (docs/PROTOCOL.md): every message is processed once and in order, over
   * any number of connections. It costs a round trip after each connection opens, and some bytes for each message. A server that does not know it
   * is spoken to at most once; the snapshot's `delivery` says which. One that answers neither hello nor ping is tried twice, for `connectTimeoutMs` each, before it is taken for
   * such a server, and never once it has been reliable.
   */
  delivery?: "at-most-once" | "reliable" | undefined;
  /**
   * Where messages sent with `durable: true` are kept, from some milliseconds after `send()` on, until they are acknowledged: `durableOutbox({ name })` of `everwire/durable`, one for each client.
   * Default: none. Needs `delivery: "reliable"`, else a `ConfigError`. It is opened when the client first connects or stores something; what earlier
   * pages have left is sent first, before this page joins its sessions, and what a page leaves that dies later as soon as it is gone. Without storage, as in some private windows, an `error` event says so and messages are kept in memory.
   */
  outbox?: Outbox | undefined;
  /**
   * What keeps the state of conversations: `chat()` of `everwire/session`, which may serve several clients. Default: none; then `session()` and `match()` throw
   * an error with the code `not_configured`.
   */
  chat?: ChatFactory | undefined;
  /** When to hold messages back because the network is slower than the application. */
  buffer?: BufferOptions | undefined;
  /**
   * Which events join and leave sessions, beside those of the catalogues (`join_session`, `leave_session`, `join_match`). Default: none. These rules come
   * before the catalogues'. What was joined is joined again on every connection before anything else goes out, until it is left; a client can be in 1 000
   * sessions. An event of several rules follows the first whose `key` it has, so give each kind of session a leaving event of its own. A rule with an empty or
   * missing name is a `ConfigError`.
   */
  sessions?: SessionRule | readonly SessionRule[] | undefined;
  /**
   * Checks what the server sends: `validate({ score: z.object({ points: z.number() }) })` of `everwire/validate`, with a schema for each event that is
   * to be checked. What does not fit is told by the event `invalid` and heard by no handler of its own; what fits is delivered as the schema's output.
   * Default: none, and every event is delivered as it comes. In the reliable mode, an event that does not fit counts as received.
   */
  schemas?: EventValidator | undefined;
  /**
   * The class to make sockets of: that of the package `ws` where there is no global one, such as Node before version 22, or a test's own. Default: the
   * global `WebSocket`, as it is when a connection is opened. Without either, `connect()` throws `missing_platform`.
   */
  WebSocket?: WebSocketClass | undefined;
  /**
   * Hears what happens, without tokens and payloads; `console` fits. Also of each message that is refused, with its type and the code, and why
   * `connect()` and `reconnect()` throw, for a hook that connects has nobody to throw to. Default: none.
   */
  logger?: Logger | undefined;
}

/** Returns the current token, or that nobody is logged in. */
export type TokenFunction = (request: {
  readonly refused: boolean;
}) => string | null | undefined | Promise<string | null | undefined>;

/** The events that join and leave one kind of session, such as `{ join: "join_room", leave: "leave_room", key: "room_id" }`. */
export interface SessionRule {
  /** The type of the event that joins. The latest one of a session is what is sent again. */
  readonly join: string;
  /** The type of the event that leaves. Default: none, and what was joined stays joined until `logout()`. */
  readonly leave?: string | undefined;
  /**
   * The field of both payloads that names the session: a string, or a whole number, which means the same as its digits. An event without it neither joins nor
   * leaves.
   */
  readonly key: string;
}

/** When and how often to try again. */
export interface ReconnectOptions {
  /**
   * Wait before the first attempt, in milliseconds, before jitter. Default 1 000. From 1. Lower values reconnect sooner but load
   * a recovering server.
   */
  initialDelayMs?: number | undefined;
  /**
   * Longest wait between two attempts, in milliseconds. Default 5 000. Jitter is applied after this cap. Must be at least
   * `initialDelayMs`. Lower values reconnect sooner but load a recovering server.
   */
  maxDelayMs?: number | undefined;
  /** What each wait is multiplied with to get the next, from 1 to 100. Default 2. */
  factor?: number | undefined;
  /**
   * Share of each wait that is random, from 0 to 1. Default 0.5: a wait of 1 000 ms becomes 500 to 1 500 ms. With 0, all the
   * clients of a restarted server come back in the same moment.
   */
  jitter?: number | undefined;
  /**
   * How many attempts in a row may fail before the client gives up. Default 5; `Infinity` never gives up. Coming online, the page
   * becoming visible, `connect()`, `reconnect()` and `tokenChanged()` start afresh.
   */
  maxAttempts?: number | undefined;
  /**
   * How long a connection must stay open before the attempts start again from 1, in milliseconds. Default 5 000. With 0 a server
   * that accepts and closes at once is tried for ever.
   */
  stableAfterMs?: number | undefined;
}

/** How to notice a dead link: after at most `intervalMs + timeoutMs`. */
export interface HeartbeatOptions {
  /**
   * Time between two pings, in milliseconds. Default 30 000. `Infinity` switches the heartbeat off, for servers that do not answer pings. Then liveness is left to
   * the WebSocket pings of the server (RFC 6455, section 5.5.2), which browsers answer without telling anybody: the server notices a client that is gone, and the client a dead
   * link only when its system does, which may take minutes. In the reliable mode a server that acknowledges nothing is still given up after `timeoutMs`.
   */
  intervalMs?: number | undefined;
  /**
   * How long a ping may stay unanswered before the socket is abandoned, in milliseconds. Default 10 000. From 1. In the reliable mode also
   * how long the server may acknowledge nothing while it owes something. Lower values notice sooner, and take slow links for dead.
   */
  timeoutMs?: number | undefined;
  /**
   * The type of the event that asks whether the server is there: `{"type": ping, "data": {}, "timestamp": …}`. Default `"ping"`. Not empty, and no other with
   * `delivery: "reliable"`, whose protocol names it, else a `ConfigError`.
   */
  ping?: string | undefined;
  /**
   * The type of the event that answers. Default `"pong"`. The name of `ping` itself for a server that sends back what it gets. As for `ping`. Handlers get it as they get
   * every event.
   */
  pong?: string | undefined;
}

/**
 * What to keep while there is no connection, or no room on it. Every message that is dropped is reported as a `drop` event. Messages that are sent
 * and unacknowledged do not count: the server's window bounds them.
 */
export interface QueueOptions {
  /** Most messages that wait. Default 1 000. With 0 nothing is queued. */
  maxMessages?: number | undefined;
  /** Most bytes that wait, in UTF-8 frames. Default 1 048 576. */
  maxBytes?: number | undefined;
  /** How long a message may wait, in milliseconds. Default `Infinity`. Joining and leaving sessions does not expire. */
  ttlMs?: number | undefined;
  /**
   * What happens at either bound. Default `"reject"`: `send()` refuses. `"drop-oldest"` makes room; `"drop-newest"` refuses and
   * also reports a `drop` event.
   */
  overflow?: "drop-oldest" | "drop-newest" | "reject" | undefined;
}

/**
 * When to hold messages back because the browser's send buffer is full (WHATWG WebSocket, `bufferedAmount`). Pings are never held back.
 */
export interface BufferOptions {
  /** Above how many bytes messages wait in the queue. Default 262 144. Lower values keep the heartbeat punctual on slow links. */
  highBytes?: number | undefined;
  /** Down to how many bytes they wait. Default 65 536. At most `highBytes`, so a lower `highBytes` needs it too. */
  lowBytes?: number | undefined;
}

/** The part of `console` that a client uses. A method that is missing is not called. */
export interface Logger {
  /** Nothing is said at this level. */
  debug?(text: string): void;
  /** That a connection opened or ended, and when the next attempt starts. */
  info?(text: string): void;
  /** What is lost: messages that were dropped, events that are missing, all attempts used up. */
  warn?(text: string): void;
  /** The errors that the client saw. */
  error?(text: string): void;
}

import type * as Codes from "./codes.js";

/** What comes from a server cannot have it. */
const BRAND = /* @__PURE__ */ Symbol.for("everwire.error");

/**
 * An error that programs can tell apart by its `code`, which is stable; the message is for people. Neither holds a token or a payload. The class of
 * every error that a client throws or reports.
 */
export class EverwireError extends Error {
  static override readonly name: string = "EverwireError";

  static {
    Object.assign(EverwireError.prototype, { name: EverwireError.name, [BRAND]: true });
  }

  /** The stable name of what is wrong. */
  readonly code: ErrorCode;
  /** With `bad_frame`: the beginning of the frame, or `null` if it was binary. */
  declare readonly frame?: string | null;
  /** With `handler_failed` and `schema_failed`: the name of the event. */
  declare readonly event?: string;
  /** With `protocol_error`: in which way the server broke the protocol. */
  declare readonly violation?: ProtocolViolation;

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** An option that cannot be used, thrown by the constructor or, for one of a message, in its result: the caller has to change it. */
export class ConfigError extends EverwireError {
  static override readonly name = "ConfigError";

  static {
    ConfigError.prototype.name = ConfigError.name;
  }

  declare readonly code: "invalid_option";
  /** The option's path, such as `reconnect.jitter`. */
  readonly field: string;
  /** What the option accepts. */
  readonly expected: string;

  constructor(field: string, expected: string) {
    super("invalid_option", `\`${field}\` must be ${expected}`);
    this.field = field;
    this.expected = expected;
  }
}

/**
 * Whether something is an error of a client, of whatever copy of the package; `instanceof EverwireError` knows only those of its own. In a handler of
 * `error`, the rest are the server's own error events.
 */
export const isClientError = (error: unknown): error is EverwireError =>
  (error as { [BRAND]?: true } | null | undefined)?.[BRAND] === true;

/** An error with what led to it, if that is known. */
export const error = (code: ErrorCode, message: string, cause?: unknown): EverwireError =>
  new EverwireError(code, message, cause === undefined ? undefined : { cause });

/** What is asked of a client that is disposed of. */
export const disposed = (): EverwireError => error("disposed", "the client was disposed of");

/** How a server broke the protocol. */
export type ProtocolViolation = Codes.ProtocolViolation;

/**
 * What can be wrong.
 *
 * - Thrown by the constructor: `invalid_option` (see {@link ConfigError}), `missing_platform` (no `crypto`), `wasm_blocked` (the page's Content Security Policy
 *   forbids WebAssembly), `wasm_too_large` (this browser compiles WebAssembly only asynchronously: `await ready()` first),
 *   `wasm_failed`, `not_ready` (`everwire/slim` before `await init()`).
 * - Thrown by `session()` and `match()`: `not_configured` (the client has no `chat` option), `invalid_data` (the id is empty); and so by `send()` of a hook
 *   that has no id.
 * - Thrown by `connect()` and `reconnect()`: `invalid_url`, `insecure_url` (a `ws:` URL on an `https:` page), `missing_platform` (no `WebSocket`: pass
 *   `Options.WebSocket`).
 * - In the result of `send()`, and from `request()`: `invalid_event`, `invalid_data`, `invalid_option` (one of the message's own), `unserialisable`,
 *   `too_large`, `queue_full` (also more than 1 000 open requests), `not_open`, `too_many_sessions`.
 * - From `request()`: `unsupported` (it needs the reliable mode), `timed_out`, `abandoned` (the connection was given up or closed).
 * - From `done()` and `request()`: `refused` (by the server, see `cause`), `cancelled`, and the reasons of drops: `overflow`, `expired`,
 *   `not_open`, `replaced`, `unconfirmed`, `unsupported`, `forgotten`, `too_large`, `poisoned`.
 * - In `error` events: `protocol_error` (the server broke the rules of the reliable mode), `storage_unavailable`, `storage_full`,
 *   `storage_failed` (durable messages stay in memory), `bad_frame` (the server sent no event), `handler_failed` (a handler threw, see `cause`),
 *   `schema_failed` (a schema threw or is asynchronous, see `cause`), `token_failed`
 *   (the token function threw, see `cause`).
 * - From every call that would need a client that `dispose()` has ended: `disposed`.
 */
export type ErrorCode =
  | "invalid_option"
  | "missing_platform"
  | "wasm_blocked"
  | "wasm_too_large"
  | "wasm_failed"
  | "not_ready"
  | "not_configured"
  | "invalid_url"
  | "insecure_url"
  | "invalid_event"
  | "invalid_data"
  | "unserialisable"
  | "too_large"
  | "queue_full"
  | "not_open"
  | "too_many_sessions"
  | "unsupported"
  | "refused"
  | "timed_out"
  | "abandoned"
  | "cancelled"
  | "overflow"
  | "expired"
  | "replaced"
  | "unconfirmed"
  | "forgotten"
  | "poisoned"
  | "protocol_error"
  | "storage_unavailable"
  | "storage_full"
  | "storage_failed"
  | "bad_frame"
  | "handler_failed"
  | "schema_failed"
  | "token_failed"
  | "disposed";

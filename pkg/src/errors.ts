/** An error that names who can mend it: `code` is stable, the message is for people. Neither holds a token or a payload. */
export class EverwireError extends Error {
  override readonly name: string = "EverwireError";
  /** The stable name of what is wrong. */
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** An option that cannot be used, thrown by the constructor: the caller has to change it. */
export class ConfigError extends EverwireError {
  override readonly name = "ConfigError";
  /** The option's path, such as `reconnect.jitter`. */
  readonly field: string;
  /** What the option accepts. */
  readonly expected: string;

  constructor(message: string, field: string, expected: string) {
    super("invalid_option", message);
    this.field = field;
    this.expected = expected;
  }
}

/**
 * What can be wrong.
 *
 * - Thrown by the constructor: `invalid_option` (see {@link ConfigError}), `wasm_blocked` (the page's Content Security Policy
 *   forbids WebAssembly), `wasm_too_large` (this browser compiles WebAssembly only asynchronously: `await ready()` first),
 *   `wasm_failed`, `not_ready` (`everwire/slim` before `await init()`).
 * - Thrown by `connect()` and `reconnect()`: `invalid_url`, `insecure_url` (a `ws:` URL on an `https:` page).
 * - In the result of `send()`: `invalid_event`, `invalid_data`, `unserialisable`, `too_large`, `queue_full`, `not_open`,
 *   `too_many_sessions`.
 * - In `error` events: `bad_frame` (the server sent no event), `handler_failed` (a handler threw, see `cause`), `token_failed`
 *   (the token function threw, see `cause`).
 */
export type ErrorCode =
  | "invalid_option"
  | "wasm_blocked"
  | "wasm_too_large"
  | "wasm_failed"
  | "not_ready"
  | "invalid_url"
  | "insecure_url"
  | "invalid_event"
  | "invalid_data"
  | "unserialisable"
  | "too_large"
  | "queue_full"
  | "not_open"
  | "too_many_sessions"
  | "bad_frame"
  | "handler_failed"
  | "token_failed";

interface RawError extends Error {
  readonly code: ErrorCode;
  readonly field?: string;
  readonly expected?: string;
}

/** Gives an error from the wasm module its class. */
export function lift(thrown: unknown): unknown {
  const raw = thrown as RawError;
  if (!(thrown instanceof Error) || raw.code === undefined) return thrown;
  return raw.field === undefined || raw.expected === undefined
    ? new EverwireError(raw.code, raw.message, raw.cause === undefined ? undefined : { cause: raw.cause })
    : new ConfigError(raw.message, raw.field, raw.expected);
}

// What handlers and snapshots are made of, and the options that are not numbers.

import { call, EverwireError, error } from "../browser/host.js";

export class ConfigError extends EverwireError {
  static {
    this.prototype.name = "ConfigError";
  }

  constructor(field, expected) {
    super("invalid_option", `\`${field}\` must be ${expected}`);
    this.field = field;
    this.expected = expected;
  }
}

export const configError = (field, expected) => new ConfigError(field, expected);

/** Throws for an option that has not the type it must have; the ranges of numbers are checked elsewhere. */
export function checkTypes(options) {
  const check = (field, value, fits, expected) => {
    if (value !== undefined && !fits(value)) throw configError(field, expected);
  };
  const isObject = (value) => typeof value === "object" && value !== null;
  const isString = (value) => typeof value === "string";
  check("options", options, isObject, "an object");
  const { url, path, token, ...groups } = options ?? {};
  for (const field of ["reconnect", "heartbeat", "queue"]) check(field, groups[field], isObject, "an object");
  check("url", url, isString, "a string");
  check("path", path, isString, "a string");
  const isToken = (value) => isString(value) || typeof value === "function";
  const isOverflow = (value) => OVERFLOWS.includes(value);
  check("queue.overflow", groups.queue?.overflow, isOverflow, '"drop-oldest", "drop-newest" or "reject"');
  check("token", token, isToken, "a string, or a function that returns a string, null, or a promise of either");
}

/** The value at a path of at most two names. */
export function option(options, path) {
  const [group, name] = path.split(".");
  const value = options?.[group];
  return name ? value?.[name] : value;
}

const OVERFLOWS = ["drop-oldest", "drop-newest", "reject"];

/** The place of `queue.overflow` among its names; -1 stands for the default. */
export const overflow = (options) => OVERFLOWS.indexOf(options?.queue?.overflow);

const REFUSALS = {
  invalid_event: "the name of an event must be a string that is not empty",
  invalid_data: "the data of an event must be a JSON object",
  unserialisable: "the data cannot be written as JSON: a cycle, a BigInt, or a throwing `toJSON` (see `cause`)",
  queue_full: "there is no connection and the queue is full",
  not_open: "there is no connection, and this event is worthless later",
  too_many_sessions: "too many sessions are joined: leave some first",
};

/** Why a message was not accepted. */
export const refusal = (code, cause) => error(code, REFUSALS[code], cause);

export const tooLarge = (bytes, max) =>
  error("too_large", `the message takes ${bytes} bytes, more than the ${max} of \`maxMessageBytes\``);

const PHASES = ["idle", "connecting", "open", "closing", "waiting", "offline", "given_up", "fatal"];

/** `phase` counts the phases; `retryInMs` and `lastRttMs` are negative where there is nothing to say. */
export const snapshot = (phase, attempt, retryInMs, close, error, queued, queuedBytes, lastRttMs) => ({
  state: phase > 0 && phase < 4 ? PHASES[phase] : "closed",
  phase: PHASES[phase],
  attempt,
  retryAt: retryInMs < 0 ? null : Date.now() + retryInMs,
  close,
  error,
  queued,
  queuedBytes,
  lastRttMs: lastRttMs < 0 ? null : lastRttMs,
});

export const closeInfo = (code, reason, wasClean) => ({ code, reason, wasClean });

export const tellReconnecting = (handlers, attempt, delayMs) => call(handlers, "reconnecting", { attempt, delayMs });

export const tellGaveUp = (handlers, attempts) => call(handlers, "give_up", { attempts });

export function tellDropped(handlers, frame, reason) {
  const { type, data } = JSON.parse(frame);
  call(handlers, "drop", { type, data, reason });
}

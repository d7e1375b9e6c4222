// What handlers and snapshots are made of, and the options. The face passes numbers; the words for them are here.

import { call, EverwireError, error, newHandlers, report } from "../browser/host.js";

export class ConfigError extends EverwireError {
  static {
    ConfigError.prototype.name = "ConfigError";
  }

  constructor(field, expected) {
    super("invalid_option", `\`${field}\` must be ${expected}`);
    this.field = field;
    this.expected = expected;
  }
}

const LONGEST_TIMER = 2 ** 31 - 1;
const LARGEST_COUNT = 2 ** 32 - 2;

/** The numeric options in the order of the Rust table, each with its range: lowest, highest, and whether Infinity and fractions fit. */
export const NUMBERS = [
  ["reconnect.initialDelayMs", 1, LONGEST_TIMER],
  ["reconnect.maxDelayMs", 1, LONGEST_TIMER],
  ["reconnect.factor", 1, 100, false, true],
  ["reconnect.jitter", 0, 1, false, true],
  ["reconnect.maxAttempts", 0, LARGEST_COUNT, true],
  ["reconnect.stableAfterMs", 0, LONGEST_TIMER],
  ["heartbeat.intervalMs", 1, LONGEST_TIMER, true],
  ["heartbeat.timeoutMs", 1, LONGEST_TIMER],
  ["connectTimeoutMs", 1, LONGEST_TIMER],
  ["queue.maxMessages", 0, LARGEST_COUNT],
  ["queue.maxBytes", 0, LARGEST_COUNT],
  ["queue.ttlMs", 1, LONGEST_TIMER, true],
  ["maxMessageBytes", 1, LARGEST_COUNT],
  ["buffer.highBytes", 1, LARGEST_COUNT],
  ["buffer.lowBytes", 0, LARGEST_COUNT],
];

const OVERFLOWS = ["drop-oldest", "drop-newest", "reject"];

/** The value at a path of at most two names. */
function option(options, path) {
  const [group, name] = path.split(".");
  const value = options?.[group];
  return name ? value?.[name] : value;
}

/** Throws for an option that has not the type or the range that it must have. */
export function checkOptions(options) {
  const isObject = (value) => typeof value === "object" && value !== null;
  const isString = (value) => typeof value === "string";
  const check = (path, fits, expected) => {
    const value = path ? option(options, path) : options;
    if (value !== undefined && !fits(value)) throw new ConfigError(path || "options", expected);
  };
  check("", isObject, "an object");
  for (const group of ["reconnect", "heartbeat", "queue", "logger"]) check(group, isObject, "an object");
  for (const [path, least, most, infinite, fractional] of NUMBERS) {
    const fits = (value) =>
      (value >= least && value <= most && (fractional ? !Number.isNaN(+value) : Number.isInteger(value))) ||
      (infinite && value === Infinity);
    const what = `a ${fractional ? "" : "whole "}number from ${least} to ${most}${infinite ? ", or Infinity" : ""}`;
    check(path, (value) => typeof value === "number" && fits(value), what);
  }
  check("queue.overflow", (value) => OVERFLOWS.includes(value), '"drop-oldest", "drop-newest" or "reject"');
  for (const text of ["url", "path"]) check(text, isString, "a string");
  const { initialDelayMs = 1_000, maxDelayMs = 5_000 } = options?.reconnect ?? {};
  check("reconnect.maxDelayMs", () => maxDelayMs >= initialDelayMs, "at least `reconnect.initialDelayMs`");
  const isToken = (value) => isString(value) || typeof value === "function";
  check("token", isToken, "a string, or a function that returns a string, null, or a promise of either");
}

/** The number at a place of the table; NaN stands for the default. */
export const number = (options, index) => option(options, NUMBERS[index][0]) ?? Number.NaN;

/** The place of `queue.overflow` among its names; -1 stands for the default. */
export const overflow = (options) => OVERFLOWS.indexOf(options?.queue?.overflow);

const REFUSALS = [
  (bytes, max) => error("too_large", `the message takes ${bytes} bytes, more than the ${max} of \`maxMessageBytes\``),
  () => error("queue_full", "there is no connection and the queue is full"),
  () => error("not_open", "there is no connection, and later the event is worthless"),
  () => error("too_many_sessions", "too many sessions are joined: leave some first"),
];

/** Why a message was not accepted. */
export const refusal = (index, bytes, max) => REFUSALS[index](bytes, max);

const PHASES = ["idle", "connecting", "open", "closing", "waiting", "offline", "given_up", "fatal"];

/** The handlers of one client, with its snapshot and those who listen to it. */
export const newStore = () => Object.assign(newHandlers(), { listeners: new Set(), error: null });

/** `retryInMs` and `lastRttMs` are negative where there is nothing to say. Runs no handler. */
export function setSnapshot(store, phase, attempt, retryInMs, close, queued, queuedBytes, lastRttMs) {
  if (phase === 2) store.error = null;
  store.snapshot = {
    state: phase > 0 && phase < 4 ? PHASES[phase] : "closed",
    phase: PHASES[phase],
    attempt,
    retryAt: retryInMs < 0 ? null : Date.now() + retryInMs,
    close: close ?? null,
    error: store.error,
    queued,
    queuedBytes,
    lastRttMs: lastRttMs < 0 ? null : lastRttMs,
  };
}

/** Notes why an attempt could not even start. */
export function setError(store, error) {
  store.error = error;
  store.snapshot = { ...store.snapshot, error };
  tellChanged(store, false);
}

/** Calls those who listen to the snapshot, and the handlers of `state` if the phase is what changed. */
export function tellChanged(store, phase) {
  for (const listener of [...store.listeners]) {
    try {
      listener();
    } catch (cause) {
      report(cause);
    }
  }
  if (phase) call(store, "state", store.snapshot);
}

const CAUSES = [
  "no connection within connectTimeoutMs",
  "no pong within heartbeat.timeoutMs",
  "the closing handshake was not completed",
  "the token could not be had",
  "the browser refused to open a WebSocket",
  "disconnect()",
  "replaced by a new connection",
  "closed by the back/forward cache",
];

/** `reason` is the peer's own words, or the place of the client's among the causes. */
export const closeInfo = (code, reason, wasClean) => ({
  code,
  reason: typeof reason === "number" ? CAUSES[reason] : reason,
  wasClean,
});

/** Delivers the news that numbers say: 0 the connection is open, 1 an attempt is scheduled, 2 the attempts are used up. */
export const tell = (handlers, news, a, b) =>
  call(
    handlers,
    ...[
      ["open", {}],
      ["reconnecting", { attempt: a, delayMs: b }],
      ["give_up", { attempts: a }],
    ][news],
  );

export const tellClosed = (handlers, info) => call(handlers, "close", info);

export function tellError(store, error) {
  setError(store, error);
  call(store, "error", error);
}

const DROPS = ["overflow", "expired", "not_open"];

export function tellDropped(handlers, frame, reason) {
  const { type, data } = JSON.parse(frame);
  call(handlers, "drop", { type, data, reason: DROPS[reason] });
}

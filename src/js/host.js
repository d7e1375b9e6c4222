// What handlers and snapshots are made of, and the options. The face passes numbers; the words for them are here.

import { call, current, EverwireError, error, newHandlers, report } from "../browser/host.js";

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
  for (const group of ["reconnect", "heartbeat", "queue", "buffer", "logger", "outbox"])
    check(group, isObject, "an object");
  for (const [path, least, most, infinite, fractional] of NUMBERS) {
    const fits = (value) =>
      (value >= least && value <= most && (fractional || Number.isInteger(value))) || (infinite && value === Infinity);
    const what = `a ${fractional ? "" : "whole "}number from ${least} to ${most}${infinite ? ", or Infinity" : ""}`;
    check(path, (value) => typeof value === "number" && fits(value), what);
  }
  check("queue.overflow", (value) => OVERFLOWS.includes(value), '"drop-oldest", "drop-newest" or "reject"');
  for (const text of ["url", "path"]) check(text, isString, "a string");
  const { initialDelayMs = 1_000, maxDelayMs = 5_000 } = options?.reconnect ?? {};
  check("reconnect.maxDelayMs", () => maxDelayMs >= initialDelayMs, "at least `reconnect.initialDelayMs`");
  const { highBytes = 262_144, lowBytes = 65_536 } = options?.buffer ?? {};
  if (lowBytes > highBytes) throw new ConfigError("buffer.lowBytes", "at most `buffer.highBytes`");
  check("delivery", (value) => isReliable(options) || value === "at-most-once", '"at-most-once" or "reliable"');
  check("outbox", () => isReliable(options), 'used with `delivery: "reliable"`');
  const isToken = (value) => isString(value) || typeof value === "function";
  check("token", isToken, "a string, or a function that returns a string, null, or a promise of either");
}

export const isReliable = ({ delivery } = current.options) => delivery === "reliable";

/** The number at a place of the table; NaN stands for the default. */
export const number = (index) => option(current.options, NUMBERS[index][0]) ?? Number.NaN;

/** The place of `queue.overflow` among its names; -1 stands for the default. */
export const overflow = () => OVERFLOWS.indexOf(current.options.queue?.overflow);

const REFUSALS = [
  ["too_large", "larger than `maxMessageBytes` or the server allow"],
  ["queue_full", "there is no connection, and the queue is full"],
  ["not_open", "there is no connection, and the event is worthless later"],
  ["too_many_sessions", "too many sessions: leave some first"],
  ["unsupported", 'requests need `delivery: "reliable"` and a server that knows it'],
];

/** Says why a message was not accepted; `max` is 0 where no size is to blame. */
export const refuse = (index, bytes, max) => {
  const [code, text] = REFUSALS[index];
  current.refusal = error(code, max ? `${text}: ${bytes} bytes of ${max}` : text);
};

const PHASES = ["idle", "connecting", "open", "closing", "waiting", "offline", "given_up", "fatal"];

/**
 * The handlers of one client, with its snapshot and those who listen to it, and by their numbers: the messages whose fate is open,
 * the latest of those that are acknowledged, and the requests without a reply.
 */
export const newStore = (options, token) =>
  Object.assign(newHandlers(isReliable(options), token), {
    options,
    listeners: new Set(),
    error: null,
    messages: new Map(),
    acknowledged: new Map(),
    requests: new Map(),
    settle,
    news: [],
    tell: tellNews,
  });

/** What the server says of one message: 5 it is refused, 6 this is the reply, 7 it has come to its reader. */
function settle(news, seq, data) {
  const message = this.messages.get(seq) ?? this.acknowledged.get(seq);
  if (news === 5) {
    if (message?.isDurable) this.outbox?.remove(this.clientId, seq);
    fail(this, message, seq, "refused", error("refused", "the server refused the message (see `cause`)", data));
  }
  if (news === 6) this.requests.get(seq)?.[0](data.result ?? {});
  if (news === 6) this.requests.delete(seq);
  if (news === 7) message?.move(data.status);
}

/** The end of a message or a request without success. */
function fail(store, message, seq, status, cause) {
  store.messages.delete(seq);
  message?.move(status, cause);
  store.requests.get(seq)?.[1](cause);
  store.requests.delete(seq);
}

/** Ends what is left of a client that has just disconnected, without waiting for the server's part of the closing handshake. */
export function end(store, cause) {
  store.socket?.onclose({ code: 1000, reason: "", wasClean: false });
  clearTimeout(store.timeout);
  store.signal = () => 0;
  const { messages, requests, listeners } = store;
  for (const seq of [...messages.keys(), ...requests.keys()]) fail(store, messages.get(seq), seq, "failed", cause);
  callAll(listeners);
  listeners.clear();
  store.clear();
}

const DELIVERIES = [null, "at-most-once", "reliable"];

/** `retryInMs` and `lastRttMs` are negative, and `closeCode` is 0, where there is nothing to say. Runs no handler. */
export function setSnapshot(
  phase,
  attempt,
  retryInMs,
  closeCode,
  closeCause,
  wasClean,
  queued,
  queuedBytes,
  lastRttMs,
  delivery,
  hasRoom,
  protocolErrors,
) {
  const store = current;
  if (phase === 2) store.error = null;
  store.snapshot = {
    state: phase > 0 && phase < 4 ? PHASES[phase] : "closed",
    phase: PHASES[phase],
    attempt,
    retryAt: retryInMs < 0 ? null : Date.now() + retryInMs,
    close: closeCode ? closeInfo(store, closeCode, closeCause, wasClean) : null,
    error: store.error,
    queued,
    queuedBytes,
    lastRttMs: lastRttMs < 0 ? null : lastRttMs,
    delivery: DELIVERIES[delivery],
    hasRoom: !!hasRoom,
    protocolErrors,
  };
}

/** Notes why an attempt could not even start. */
export function setError(store, error) {
  store.error = error;
  store.snapshot = { ...store.snapshot, error };
  tellChanged(store, false);
}

/** Calls those who listen to the snapshot, and the handlers of `state` if the phase is what changed. */
function tellChanged(store, phase) {
  callAll(store.listeners);
  if (phase) call(store, "state", store.snapshot);
}

/** Calls every listener; one that throws does not stop the others. */
export function callAll(listeners) {
  for (const listener of [...listeners]) {
    try {
      listener();
    } catch (cause) {
      report(cause);
    }
  }
}

/** Adds a listener, which may be there twice; returns what takes exactly this one away. */
export function listen(listeners, listener) {
  const own = () => listener();
  listeners.add(own);
  return () => listeners.delete(own);
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
  "no acknowledgement within heartbeat.timeoutMs",
  "the server broke the protocol",
  "an event was lost on the way",
];

/** `cause` is the place of the client's own words among the causes, or 0 for the peer's. */
const closeInfo = (store, code, cause, wasClean) => ({
  code,
  reason: cause ? CAUSES[cause - 1] : store.reason,
  wasClean: !!wasClean,
});

const VIOLATIONS = [
  "answer to what was never sent",
  "acknowledgement taken back",
  "old epoch",
  "unexpected welcome",
  "repeated event",
  "unexpected reply",
  "wrong fields",
];

/** What the numbers of news mean. */
const NEWS = [
  (store) => call(store, "open", {}),
  (store, attempt, delayMs) => call(store, "reconnecting", { attempt, delayMs }),
  (store, attempts) => call(store, "give_up", { attempts }),
  tellTransmitted,
  (store, seq, failure) => fail(store, undefined, seq, undefined, error(...FAILURES[failure])),
  (store, index) =>
    call(store, "error", error("protocol_error", `the server broke the protocol: ${VIOLATIONS[index]}`)),
  (store, stream, from, to) => call(store, "gap", { stream, from, to: to || null }),
  tellAcknowledged,
  tellDropped,
  (store, ...close) => call(store, "close", closeInfo(store, ...close)),
  tellChanged,
  (store) => tellError(store, store.failure),
];

export function notice(news, a, ...more) {
  const { drafts, streams } = current;
  // What a number stands for may be forgotten before this is told.
  const first = news === DROPPED ? drafts.get(a).text : news === GAP ? streams[a] : a;
  if (news === DROPPED) drafts.delete(a);
  current.news.push([news, first, ...more]);
}

const GAP = 6;
const DROPPED = 8;

/** Tells the news in order, also what their handlers cause. */
function tellNews() {
  if (this.isTelling) return;
  this.isTelling = true;
  while (this.news.length) {
    const [index, ...news] = this.news.shift();
    NEWS[index](this, ...news);
  }
  this.isTelling = false;
}

const FAILURES = [
  ["timed_out", "the request got no reply in time"],
  ["abandoned", "the connection was given up or closed before the reply"],
];

function tellTransmitted(store, seq) {
  const message = store.messages.get(seq);
  const isLast = message?.isEphemeral || store.snapshot.delivery !== "reliable";
  if (isLast) {
    store.messages.delete(seq);
    // Nobody will acknowledge it, and it must not be sent again.
    if (message?.isDurable) store.outbox?.remove(store.clientId, seq);
  }
  message?.move("sent", undefined, isLast);
}

/** How many acknowledged messages can still be delivered and read. */
const KEPT_MESSAGES = 1_000;

function tellAcknowledged(store, sender, seq) {
  const { messages, acknowledged, outbox, senders } = store;
  let isDurable = sender > 0;
  for (const [number, message] of sender ? [] : messages) {
    if (number > seq) break;
    if (message.status === "queued") continue;
    messages.delete(number);
    acknowledged.set(number, message);
    isDurable ||= message.isDurable;
    message.move("acknowledged");
  }
  for (const [number] of acknowledged) {
    if (acknowledged.size <= KEPT_MESSAGES) break;
    acknowledged.delete(number);
  }
  if (isDurable) outbox?.acknowledge(senders[sender] ?? store.clientId, seq);
}

export function tellError(store, error) {
  setError(store, error);
  call(store, "error", error);
}

const DROPS = [
  "overflow",
  "expired",
  "not_open",
  "replaced",
  "unconfirmed",
  "unsupported",
  "forgotten",
  "too_large",
  "poisoned",
  "unconfirmed",
];
const UNCONFIRMED = 4;

function tellDropped(store, text, index, sender, seq) {
  const { messages, outbox, senders, clientId } = store;
  // What an earlier page has left waits on disk for a server that can say what became of it.
  if (sender && index === UNCONFIRMED) return;
  const { type, data } = JSON.parse(text);
  const reason = DROPS[index];
  const message = sender ? undefined : messages.get(seq);
  // A page that meets a server of the reliable mode may still learn more of what a plain one could not confirm.
  if ((sender || message?.isDurable) && index !== UNCONFIRMED) outbox?.remove(senders[sender] ?? clientId, seq);
  if (!sender)
    fail(store, message, seq, index === 1 ? reason : "failed", error(reason, `the message was dropped: ${reason}`));
  call(store, "drop", { type, data, reason });
}

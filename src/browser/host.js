// What JavaScript says in a line and WebAssembly in a page. No decision about the connection is made here.

/**
 * Where to connect, with everything but the token: `http` becomes `ws`, query parameters are kept, the fragment is not. The
 * page's origin stands in for a missing URL. Throws an error that says how to mend the URL.
 */
export function endpoint(base, path = "/api/ws") {
  let url;
  try {
    url = new URL(base ?? location.origin);
  } catch {
    throw error("invalid_url", '`url` is not an absolute URL such as "https://example.com"');
  }
  if (!/^(http|ws)s?:/.test(url.protocol)) {
    throw error("invalid_url", "`url` must start with http://, https://, ws:// or wss://");
  }
  url.protocol = url.protocol.replace("http", "ws");
  // Browsers treat loopback addresses as trustworthy without encryption (W3C Secure Contexts, section 3.1).
  const isSafe = url.protocol === "wss:" || /^(.+\.)?localhost$|^127\.|^\[::1]$/.test(url.hostname);
  if (!isSafe && globalThis.location?.protocol === "https:") {
    throw error("insecure_url", "an https page cannot open ws:// connections: `url` needs https:// or wss://");
  }
  const [, pathname, query] = /^\/?([^?#]*)\??([^#]*)/.exec(path);
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/${pathname}`;
  url.search = [url.search.slice(1), query].filter(Boolean).join("&");
  url.hash = "";
  return url.href;
}

/** The client that calls these functions, or is called. */
export let current;

/** Makes a client the current one; returns the one before. */
export function enter(store) {
  const before = current;
  current = store;
  return before;
}

/** Calls into a client, which is the current one meanwhile, and then tells what it has noted. */
export function within(store, act) {
  const before = enter(store);
  try {
    return act();
  } finally {
    leave(store, before);
  }
}

function leave(store, before) {
  current = before;
  if (store.news?.length) store.tell();
}

/** Tells a client a fact by its number; says of a frame whether to deliver it. What is left out arrives as 0. */
function tell(store, fact, a, b, c, now) {
  const before = enter(store);
  try {
    return store.signal(now, fact, a, b, c);
  } finally {
    leave(store, before);
  }
}

/** Only a plain `false` says that there is no network. */
export const isOffline = () => globalThis.navigator?.onLine === false;

/** 53 bits for the seed of a client's randomness. */
export const seed = () => Number(crypto.getRandomValues(new BigUint64Array(1))[0] >> 11n);

/** 128 bits that name one sender of the reliable mode. */
const newClientId = () => crypto.getRandomValues(new BigUint64Array(2)).join("-");

export function setAlarm(delayMs) {
  const store = current;
  clearTimeout(store.timeout);
  if (delayMs >= 0) store.timeout = setTimeout(() => tell(store, 11), delayMs);
}

/** Tells what happens to the network and the page, or stops to. */
export function watchPage(watch) {
  const store = current;
  const page = globalThis.document;
  store.watched ??= [
    [globalThis, "online", () => tell(store, 12)],
    [globalThis, "offline", () => tell(store, 13)],
    [page, "visibilitychange", () => page.visibilityState === "visible" && tell(store, 14)],
    [page, "resume", () => tell(store, 14)],
    [globalThis, "pageshow", (event) => event.persisted && tell(store, 15)],
  ];
  const change = watch ? "addEventListener" : "removeEventListener";
  for (const [target, event, listener] of store.watched) target?.[change]?.(event, listener);
}

/** Gets a token from whatever `token` is, at once if it is there at once. */
export function askForToken(refused, attempt) {
  const store = current;
  const { token: source } = store;
  const settled = (token) => {
    if (token != null && typeof token !== "string") throw new TypeError(`a token of type ${typeof token}`);
    store.answer = token;
    tell(store, 17, attempt);
  };
  const failed = (cause) => {
    store.failure = error("token_failed", "`token` threw, rejected, or gave no string (see `cause`)", cause);
    tell(store, 18, attempt);
  };
  try {
    const answer = typeof source === "function" ? source({ refused: !!refused }) : source;
    // The last catch is for a client that is gone when the answer arrives.
    if (typeof answer?.then === "function")
      answer
        .then(settled)
        .catch(failed)
        .catch(() => {});
    else settled(answer);
  } catch (cause) {
    failed(cause);
  }
}

/**
 * Opens a socket with the token that was answered. The listeners are made once per client. The error is not handed on, because
 * browsers put the URL, and so the token, into it.
 */
export function openSocket() {
  const store = current;
  const { endpoint: url, answer: token } = store;
  store.answer = undefined;
  const separator = url.includes("?") ? "&" : "?";
  try {
    const socket = new WebSocket(token == null ? url : `${url}${separator}token=${encodeURIComponent(token)}`);
    store.ears ??= newEars(store);
    store.socket = Object.assign(socket, store.ears);
    return true;
  } catch {
    return false;
  }
}

const newEars = (store) => ({
  onopen: () => tell(store, 10),
  onmessage: frameListener(store),
  onclose: ({ code, reason, wasClean }) => {
    takeSocket(store);
    store.reason = reason;
    tell(store, 19, code, +wasClean);
  },
});

/** What is taken off a socket cannot report on a replaced one. */
function takeSocket(store) {
  const { socket } = store;
  store.socket = undefined;
  return socket && Object.assign(socket, { onopen: null, onmessage: null, onclose: null });
}

/** Closing with 1000 keeps Firefox from delaying the next connection. */
export const closeSocket = () => current.socket?.close(1000);

export const dropSocket = () => takeSocket(current)?.close(1000);

/** Hands a text over. Returns how many bytes wait in the browser; -1 if the socket takes none. */
function hand(text) {
  const { socket } = current;
  if (socket?.readyState !== 1) return -1;
  try {
    socket.send(text);
  } catch {
    return -1;
  }
  return socket.bufferedAmount ?? 0;
}

/**
 * Notes a frame, and what it is for by `purpose`: `key` names the session that it joins or leaves, or what it replaces. Returns the
 * numbers by which the state machine knows them.
 */
export function draft(store, text, purpose, key) {
  const { drafts, keys } = store;
  let number = key === undefined ? 0 : keys.get(key);
  if (number === undefined) {
    if (keys.size > 2_000) forgetKeys(store);
    number = ++lastNumber;
    keys.set(key, number);
  }
  drafts.set(++lastNumber, { text, purpose, key: number });
  return [lastNumber, number];
}

let lastNumber = 0;

/** Forgets the keys that neither a frame nor a joined session uses. */
function forgetKeys({ drafts, joins, keys }) {
  const used = new Set([...drafts.values()].map(({ key }) => key));
  for (const [key, number] of keys) if (!used.has(number) && !joins.has(number)) keys.delete(key);
}

/** Hands a frame over, with its numbers if it has some. */
export function transmit(number, seq, prev, isLast) {
  const { text } = current.drafts.get(number);
  const numbers = `,"seq":${seq}${prev === seq - 1 ? "" : `,"prev":${prev}`}}`;
  const buffered = hand(seq ? text.slice(0, -1) + numbers : text);
  if (isLast && buffered !== -1) release(number, true);
  return buffered;
}

/** Enters a session again with the frame that has entered it. */
export const rejoin = (session) => hand(current.joins.get(session));

/** Forgets a frame: it has had its effect, or none. */
export function release(number, isDone) {
  const { drafts, joins } = current;
  const { text, purpose, key } = drafts.get(number);
  if (isDone && purpose === 2) joins.set(key, text);
  if (isDone && purpose === 3) joins.delete(key);
  drafts.delete(number);
}

export const bufferedAmount = () => current.socket?.bufferedAmount ?? 0;

export const ping = () => {
  hand(encode("ping"));
};

/** Notes a position for the next hello. */
export const notePosition = (stream, offset) => {
  current.positions[current.streams[stream]] = offset;
};

export function hello(sender, resumes) {
  const { senders, clientId, positions } = current;
  // The numbers of streams without a position are free for others.
  current.streams = current.streams.map((name) => (name in positions ? name : undefined));
  current.positions = { __proto__: null };
  current.sender = sender;
  const streams = resumes ? positions : undefined;
  hand(encode("hello", { versions: [1], client_id: senders[sender] ?? clientId, streams }));
}

/** A complete frame. Throws an error that says why there can be none, as there can for a `hello` of the application in the reliable mode. */
export function encode(type, data, isRequest, isReliable) {
  if (typeof type !== "string" || !type || (isReliable && type === "hello"))
    throw error("invalid_event", 'an event needs a name: a string, not empty, not "hello"');
  let json;
  try {
    json = data == null ? "{}" : JSON.stringify(data);
  } catch (cause) {
    throw error("unserialisable", "the data cannot be written as JSON (see `cause`)", cause);
  }
  if (json?.[0] !== "{") throw error("invalid_data", "the data of an event must be a JSON object");
  if (isTooDeep(json)) throw error("unserialisable", "the data is nested more than 63 levels deep");
  const text = `{"type":${JSON.stringify(type)},"data":${json},"timestamp":${Date.now()}${isRequest ? ',"request":true' : ""}}`;
  return LONE.test(text) ? text.replace(ESCAPES, (found, isKept) => (isKept ? found : "\ufffd")) : text;
}

/**
 * A lone surrogate as JSON writes it, which many readers refuse (RFC 8259, section 8.2). It looks the same after a backslash that is data, so
 * escapes have to be looked at from the left.
 */
const LONE = /\\ud[89a-f]/i;
const ESCAPES = /(\\[^u]|\\ud[89ab]..\\ud[c-f]..)|\\ud[89a-f]../gi;

/** Whether the arrays and objects of a JSON text, together with the envelope around it, are nested deeper than every server reads. */
function isTooDeep(json) {
  // Most texts have fewer brackets than that.
  if (json.split(/[[{]/).length < 65) return false;
  let depth = 1;
  for (const [mark] of json.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"|[[{}\]]/g)) {
    if (mark.length < 2) depth += "[{".includes(mark) ? 1 : -1;
    if (depth > 64) return true;
  }
  return false;
}

export const byteLength = (text) => new TextEncoder().encode(text).length;

/**
 * What the events are for that are not ordinary: 1 is worthless later, 2 joins and 3 leaves the session that the field names. The
 * others replace a waiting message about the same session.
 */
const PURPOSES = {
  __proto__: null,
  ping: [1],
  user_typing: [1, "session_id"],
  typing: [1, "match_id"],
  read_message: [0, "match_id"],
  join_session: [2, "session_id"],
  leave_session: [3, "session_id"],
  join_match: [2, "match_id"],
};

export function purpose(type, data) {
  const [purpose, field] = PURPOSES[type] ?? [0];
  return purpose > 1 && typeof data?.[field] !== "string" ? 0 : purpose;
}

/** The name of the session that a joining or leaving event is about. */
export function session(type, data) {
  const field = PURPOSES[type]?.[1];
  return field && `${field}=${data?.[field]}`;
}

/**
 * What an event replaces by default while it waits: an earlier one about the same session. Having read a message replaces only having read an
 * earlier one, which ids of digits alone can tell; all others are sent one by one, and the server takes the furthest.
 */
export function coalesceKey({ drafts, keys }, type, data) {
  if (!(PURPOSES[type]?.[0] < 2)) return;
  const key = `${type} ${session(type, data)}`;
  if (type === "read_message") {
    const id = data?.message_id;
    if (!/^\d+$/.test(id)) return;
    const number = keys.get(key);
    for (const draft of number ? drafts.values() : [])
      if (draft.key === number && !(JSON.parse(draft.text).data.message_id < BigInt(id))) return;
  }
  return key;
}

/** Listens to the sockets of one client. The payload stays here. */
const frameListener = (store) => (event) => {
  const incoming = decode(event);
  if (store.clientId) return receive(store, incoming);
  const isPong = incoming.type === "pong";
  if (tell(store, +isPong, 0, 0, 0, isPong ? performance.now() : roughNow())) deliver(store, incoming);
};

/** The frames of the reliable mode that are about a message (docs/PROTOCOL.md). */
const ABOUT_MESSAGES = { __proto__: null, ack: 4, error: 5, reply: 6, receipt: 7 };
const MALFORMED = 8;
const POSITION = 9;
const PLACED = 16;
/** What belongs to the welcome that follows: a stream with its position, and the server's limits. */
const CARRIED = 20;
const LIMITS = 21;

const isCount = (value) => Number.isSafeInteger(value) && value >= 0;

/** What a frame with the fields of the reliable mode means. */
function receive(store, incoming) {
  const { type, stream, offset, prev = isCount(offset) ? offset - 1 : 0 } = incoming;
  const data = incoming.data ?? {};
  const hear = (news, a, b, c) => tell(store, news, a, b, c, performance.now());
  if (type === "welcome") {
    const { version, epoch, last, window = 128, max_bytes = Infinity, remember_ms = Infinity, streams = {} } = data;
    const limits = [max_bytes, remember_ms];
    const counts = [
      epoch,
      last,
      window,
      ...limits.filter((limit) => limit !== Infinity),
      ...Object.values(streams ?? [null]),
    ];
    if (version !== 1 || limits.includes(0) || !counts.every(isCount)) return hear(MALFORMED);
    hear(LIMITS, ...limits);
    for (const name in streams) hear(CARRIED, streamNumber(store, name), streams[name]);
    return hear(2, epoch, last, Math.min(window, 1024));
  }
  if (type === "stream") {
    const { stream, offset } = data;
    const isPosition = typeof stream === "string" && isCount(offset);
    return isPosition ? hear(POSITION, streamNumber(store, stream), offset) : hear(MALFORMED);
  }
  const isPlaced = stream !== undefined;
  if (isPlaced) {
    if (typeof stream !== "string" || !isCount(offset) || !isCount(prev) || prev >= offset) return hear(MALFORMED);
    if (!hear(PLACED, streamNumber(store, stream), offset, prev)) return;
    // The user's other devices are told what this client has done; it knows.
    if (incoming.client_id === store.clientId) return;
  }
  const { seq } = data;
  let news = ABOUT_MESSAGES[type] ?? (type === "pong" ? 1 : 0);
  if (news === 5 && seq === undefined) news = data.about === "hello" ? 3 : 0;
  else if (news > 3 && !(isCount(seq) && (news < 7 || ["delivered", "read"].includes(data.status)))) news = MALFORMED;
  else if (news > 4 && !isOwn(store, stream)) {
    if (news > 5) return;
    // Nobody else hears of what an earlier page has sent.
    news = 0;
  }
  if (!(isPlaced && news === 0) && !hear(news, isCount(seq) ? seq : 0)) return;
  if (news > 4) store.settle?.(news, seq, data);
  if (news < 6) deliver(store, incoming);
}

/** Whether a frame is about a message of this page: the stream is named after the sender, or it is the one that said hello last. */
const isOwn = ({ clientId, sender }, stream) =>
  stream?.startsWith("client:") ? stream === `client:${clientId}` : !sender;

/**
 * The number of a stream, by which the state machine knows it; one too many for all that are too many, and for those of earlier
 * pages, whose answers nobody waits for.
 */
function streamNumber({ streams, clientId }, name) {
  const known = streams.indexOf(name);
  if (known >= 0) return known;
  const free = streams.indexOf(undefined);
  const number = free < 0 ? streams.length : free;
  // Names longer than that could not be said in a hello.
  if (number > 255 || !name || byteLength(name) > 128 || (name.startsWith("client:") && name !== `client:${clientId}`))
    return 256;
  streams[number] = name;
  return number;
}

/** The envelope in a frame, or the error that says why there is none. */
function decode({ data: text }) {
  let envelope;
  try {
    envelope = JSON.parse(text);
  } catch {
    return badFrame(typeof text === "string" ? "not JSON" : "binary", text);
  }
  if (typeof envelope?.type === "string") return envelope;
  return badFrame("no JSON object with a string `type`", text);
}

let clock = 0;
let clockAt = 0;

/** The monotonic clock, up to 20 ms old: reading it takes Chromium a quarter of the time that a whole event may take. */
function roughNow() {
  const at = Date.now();
  if (at < clockAt || at > clockAt + 20) {
    clockAt = at;
    clock = performance.now();
  }
  return clock;
}

const badFrame = (what, text) =>
  Object.assign(error("bad_frame", `the server sent no event: the frame is ${what}`), {
    frame: typeof text === "string" ? text.slice(0, 120) : null,
  });

/** An error that programs can tell apart by its `code`. */
export class EverwireError extends Error {
  static {
    EverwireError.prototype.name = "EverwireError";
  }

  constructor(code, message, options) {
    super(message, options);
    this.code = code;
  }
}

export const error = (code, message, cause) => new EverwireError(code, message, cause !== undefined && { cause });

/**
 * What JavaScript keeps for one client: the handlers for each name, as a list of `[id, handler]` that is replaced and never changed, so
 * that a delivery under way keeps the list it started with; and by their numbers, what the state machine moves without looking.
 */
export const newHandlers = (isReliable, token) =>
  Object.assign(new Map(), {
    token,
    clientId: isReliable ? newClientId() : undefined,
    /** The frames that wait or are in flight. */
    drafts: new Map(),
    /** The numbers of sessions and of what frames replace. */
    keys: new Map(),
    /** The frames that have entered the joined sessions. */
    joins: new Map(),
    /** The client ids of earlier pages; the first stands for none. */
    senders: [undefined],
    streams: [],
    positions: { __proto__: null },
  });

let lastId = 0;

export function addHandler(handlers, name, handler) {
  const id = ++lastId;
  handlers.set(name, [...(handlers.get(name) ?? []), [id, handler]]);
  return id;
}

/** Removes the handlers with this id or of this function; all of the name when neither is given. */
export function removeHandler(handlers, name, id, handler) {
  const left = (handlers.get(name) ?? []).filter(([known, own]) => (id ?? handler) && known !== id && own !== handler);
  if (left.length) handlers.set(name, left);
  else handlers.delete(name);
}

export const countHandlers = (handlers) => [...handlers.values()].flat().length;

/** Delivers what `decode` made of a frame. */
function deliver(handlers, incoming) {
  const { type } = incoming;
  if (type === undefined) call(handlers, "error", incoming);
  else if (OWN_EVENTS.has(type)) call(handlers, "error", badFrame("named like an event of the client", type));
  else {
    const { data = {} } = incoming;
    if (typeof data !== "object" || !data || Array.isArray(data))
      return call(handlers, "error", badFrame("an envelope whose `data` is no object", JSON.stringify(incoming)));
    incoming.data = data;
    call(handlers, type, data, incoming);
  }
}

const OWN_EVENTS = new Set(["open", "close", "state", "reconnecting", "give_up", "drop", "gap"]);

/** Browsers report an exception of a callback themselves (WHATWG HTML, section 8.1.4.6); other places have a console. */
export const report = (cause) => (globalThis.reportError ?? console.error)(cause);

/**
 * Calls the handlers of a name in order. One that throws does not stop the others and is reported; one that was removed
 * meanwhile is not called.
 */
export function call(handlers, name, data, message) {
  const list = handlers.get(name) ?? [];
  let now = list;
  for (const entry of list) {
    if (now !== list && !now?.includes(entry)) continue;
    try {
      entry[1](data, message);
    } catch (cause) {
      // A handler of `error` that throws must not be called with its own exception for ever.
      if (name === "error" || !handlers.has("error")) report(cause);
      else {
        const failure = error("handler_failed", `a handler of "${name}" threw (see \`cause\`)`, cause);
        call(handlers, "error", Object.assign(failure, { event: name }));
      }
    }
    now = handlers.get(name);
  }
}

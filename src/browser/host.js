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

/** Only a plain `false` says that there is no network. */
export const isOffline = () => globalThis.navigator?.onLine === false;

/** 64 bits for the seed of a client's randomness. */
export const seed = () => crypto.getRandomValues(new BigUint64Array(1))[0];

/** Tells what happens to the network and the page; returns the function that stops it. */
export function watchPage(tell) {
  const page = globalThis.document;
  const watched = [
    [globalThis, "online", () => tell(0, false)],
    [globalThis, "offline", () => tell(1, false)],
    [page, "visibilitychange", () => page.visibilityState === "visible" && tell(2, false)],
    [page, "resume", () => tell(2, false)],
    [globalThis, "pageshow", (event) => event.persisted && tell(3, false)],
  ];
  for (const [target, event, listener] of watched) target?.addEventListener?.(event, listener);
  return () => {
    for (const [target, event, listener] of watched) target?.removeEventListener?.(event, listener);
  };
}

/** Gets a token from whatever `source` is and passes it on, at once if it is there at once. */
export function askForToken(source, refused, attempt, settle) {
  const settled = (token) => {
    if (token != null && typeof token !== "string") throw new TypeError(`a token cannot be of type ${typeof token}`);
    settle(attempt, token ?? undefined);
  };
  const failed = (cause) =>
    settle(attempt, error("token_failed", "`token` threw, rejected, or gave no string (see `cause`)", cause));
  try {
    const answer = typeof source === "function" ? source({ refused }) : source;
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

/** The token is put in here so that it never leaves JavaScript. The closures are made once per client. */
export function openSocket(url, token, onopen, onmessage, onclose) {
  const separator = url.includes("?") ? "&" : "?";
  const socket = new WebSocket(token === undefined ? url : `${url}${separator}token=${encodeURIComponent(token)}`);
  return Object.assign(socket, { onopen: () => onopen(0, false), onmessage, onclose });
}

/** What is taken off a socket cannot report on a replaced one. */
export const stopListening = (socket) => Object.assign(socket, { onopen: null, onmessage: null, onclose: null });

/** Closing with 1000 keeps Firefox from delaying the next connection. */
export const close = (socket) => socket.close(1000);

/** Hands a frame over unless the socket takes none any more. */
export function sendText(socket, text) {
  const isOpen = socket.readyState === 1;
  if (isOpen) socket.send(text);
  return isOpen;
}

/** A complete frame. Throws an error that says why there can be none. */
export function encode(type, data) {
  if (typeof type !== "string" || !type)
    throw error("invalid_event", "the name of an event must be a string that is not empty");
  let json;
  try {
    json = data == null ? "{}" : JSON.stringify(data);
  } catch (cause) {
    throw error("unserialisable", "the data cannot be written as JSON (see `cause`)", cause);
  }
  if (json?.[0] !== "{") throw error("invalid_data", "the data of an event must be a JSON object");
  return `{"type":${JSON.stringify(type)},"data":${json},"timestamp":${Date.now()}}`;
}

export const ping = () => encode("ping");

export const byteLength = (text) => new TextEncoder().encode(text).length;

/** What the events are for that are not ordinary: 1 is worthless later, 2 joins and 3 leaves the session that the field names. */
const PURPOSES = {
  __proto__: null,
  ping: [1],
  user_typing: [1],
  typing: [1],
  join_session: [2, "session_id"],
  leave_session: [3, "session_id"],
  join_match: [2, "match_id"],
};

export function purpose(type, data) {
  const [purpose, field] = PURPOSES[type] ?? [0];
  return field && typeof data?.[field] !== "string" ? 0 : purpose;
}

/** The name of the session that a joining or leaving event is about. */
export function session(type, data) {
  const field = PURPOSES[type]?.[1];
  return field && `${field}=${data?.[field]}`;
}

/**
 * Listens to the sockets of one client. The payload stays here: `heard` learns when a frame came and whether it is a pong, and
 * says whether to deliver it.
 */
export const frameListener = (handlers, heard) => (event) => {
  const incoming = decode(event);
  const isPong = incoming.type === "pong";
  if (heard(isPong ? performance.now() : roughNow(), isPong)) deliver(handlers, incoming);
};

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

/** Listens to the closing of the sockets of one client. */
export const closeListener = (closed) => (event) => closed(event.code, event);

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

export const isError = (value) => value instanceof EverwireError;

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

export const error = (code, message, cause) =>
  new EverwireError(code, message, cause === undefined ? undefined : { cause });

/**
 * The handlers of one client: for each name, a list of `[id, handler]` that is replaced and never changed, so that a delivery
 * under way keeps the list it started with.
 */
export const newHandlers = () => new Map();

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
  else if (OWN_EVENTS.test(type)) call(handlers, "error", badFrame("named like an event of the client itself", type));
  else if (handlers.has(type)) {
    incoming.data ??= {};
    call(handlers, type, incoming.data, incoming);
  }
}

const OWN_EVENTS = /^(open|close|state|reconnecting|give_up|drop)$/;

/** Browsers report an exception of a callback themselves (WHATWG HTML, section 8.1.4.6); other places have a console. */
export const report = (cause) => (globalThis.reportError ?? console.error)(cause);

/**
 * Calls the handlers of a name in order. One that throws does not stop the others and is reported; one that was removed
 * meanwhile is not called.
 */
export function call(handlers, name, data, message) {
  const list = handlers.get(name);
  for (const entry of list ?? []) {
    const now = handlers.get(name);
    if (now !== list && !now?.includes(entry)) continue;
    try {
      entry[1](data, message);
    } catch (cause) {
      // A handler of `error` that throws must not be called with its own exception for ever.
      if (name === "error" || !handlers.has("error")) report(cause);
      else {
        const failure = error(
          "handler_failed",
          `a handler of "${name}" threw (see \`cause\`); the others still ran`,
          cause,
        );
        call(handlers, "error", Object.assign(failure, { event: name }));
      }
    }
  }
}

import { ConfigError } from "../errors.js";
import { OPTION_RANGES } from "../host/optionRanges.js";
import { numericOption } from "../host/options.js";
import type { Options } from "../options.js";
import type { WebSocketClass } from "../webSocket.js";
import type { Auth } from "./types.js";

/** The options of `io()`: those of socket.io-client with their names and defaults, and a few of our own. A wrong one throws a `ConfigError`. */
export interface ManagerOptions {
  /** The path of the server, as its own option `path`. Default `"/socket.io"`. */
  path?: string | undefined;
  /** Whether a slash is put behind `path`. Default `true`. */
  addTrailingSlash?: boolean | undefined;
  /** Query parameters for the server's `socket.handshake.query`, beside those of the URL: an object, or a string such as `"a=1&b=2"`. */
  query?: Readonly<Record<string, string | number | boolean>> | string | undefined;
  /** Only `"websocket"` is spoken; other names are passed over. With none left, a `ConfigError`. */
  transports?: readonly string[] | undefined;
  /** Whether to connect at once. Default `true`. */
  autoConnect?: boolean | undefined;
  /** Whether to use a manager of its own, and not that of the last client with the same URL. Default `false`. */
  forceNew?: boolean | undefined;
  /** The opposite of `forceNew`. Default `true`. */
  multiplex?: boolean | undefined;
  /** Whether to connect again after a connection was lost or an attempt failed. Default `true`. */
  reconnection?: boolean | undefined;
  /** How many attempts in a row may fail. Default `Infinity`, which 0 means as well. Coming online and the page becoming visible start afresh. */
  reconnectionAttempts?: number | undefined;
  /** Wait before the first of them, in milliseconds. Default 1 000. */
  reconnectionDelay?: number | undefined;
  /** Longest wait between two of them, in milliseconds. Default 5 000. */
  reconnectionDelayMax?: number | undefined;
  /** Share of each wait that is random, from 0 to 1. Default 0.5. */
  randomizationFactor?: number | undefined;
  /** Longest time for one attempt, until the server lets the client into its namespace, in milliseconds. Default 20 000. `false` is an hour. */
  timeout?: number | false | undefined;
  /**
   * What to keep while there is no connection, and behind `buffer` while there is one. Default: 1 000 events of 1 MiB together, the oldest dropped; what is dropped is told
   * by the manager's event `drop`. One event that is larger than `maxBytes` cannot wait, also not for a connection.
   */
  queue?: Options["queue"];
  /**
   * When to hold events back because the network is slower than the application. Default: `highBytes` 16 777 216, `lowBytes` 4 194 304, so that bursts pass. What is held
   * back waits in `queue`: of a larger burst the oldest that wait are dropped, which socket.io-client would keep in memory.
   */
  buffer?: Options["buffer"];
  /** Largest event in bytes. Default: what the server says that it takes. */
  maxMessageBytes?: number | undefined;
  /** Concerns long-polling: passed over, as the following are. */
  upgrade?: unknown;
  /** Passed over. */
  rememberUpgrade?: unknown;
  /** Passed over. */
  tryAllTransports?: unknown;
  /** Passed over. */
  transportOptions?: unknown;
  /** Passed over. */
  forceBase64?: unknown;
  /** Passed over. */
  timestampRequests?: unknown;
  /** Passed over. */
  timestampParam?: unknown;
  /** Passed over. */
  requestTimeout?: unknown;
  /** Passed over: browsers set no headers on a WebSocket. */
  extraHeaders?: unknown;
  /** Passed over: browsers send the cookies of the server's origin. */
  withCredentials?: unknown;
  /** The class to make sockets of, as `Options.WebSocket` of the package's own client. Default: the global one. */
  WebSocket?: WebSocketClass | undefined;
}

/** The options of one client. */
export interface SocketOptions {
  /** What to authenticate by, for the server's `socket.handshake.auth`; a function is asked before every attempt. */
  auth?: Auth | undefined;
  /**
   * How often an event is sent again that the server has not acknowledged: at least once instead of at most once, at most 64 at a time. Default 0. They arrive in
   * order, except that one that has to be sent again may come behind later ones. Every
   * event is acknowledged then, and its callback is told first of an error, or `null`. A server may get an event twice; see `retryIds`.
   */
  retries?: number | undefined;
  /** With `retries`, whether a string is put behind the arguments of each event that is the same each time it is sent, for servers that want to know repetitions. Default `false`. */
  retryIds?: boolean | undefined;
  /** How long to wait for acknowledgements, in milliseconds. Default: for ever, and 10 000 with `retries`. Then callbacks are told first of an error, or `null`. */
  ackTimeout?: number | undefined;
}

/** What the core is told; it checks nothing. Throws a `ConfigError` that names the option of `io()`. */
export function coreOptions(options: ManagerOptions): Options {
  const { transports, reconnection = true, reconnectionDelay = 1_000, timeout = 20_000 } = options;
  check(options as Record<string, unknown>);
  if (transports && !transports.includes("websocket")) throw new ConfigError("transports", '["websocket"]');
  const core: Options = {
    reconnect: {
      initialDelayMs: Math.max(reconnectionDelay, 1),
      maxDelayMs: Math.max(options.reconnectionDelayMax ?? 5_000, reconnectionDelay, 1),
      jitter: options.randomizationFactor,
      // None is no bound, as there.
      maxAttempts: reconnection ? options.reconnectionAttempts || Infinity : 0,
    },
    // The server asks.
    heartbeat: { intervalMs: Infinity },
    connectTimeoutMs: timeout === false ? 3_600_000 : timeout,
    maxMessageBytes: options.maxMessageBytes ?? 4_294_967_294,
    queue: { overflow: "drop-oldest", ...options.queue },
    buffer: { highBytes: 16 << 20, lowBytes: 4 << 20, ...options.buffer },
    WebSocket: options.WebSocket,
  };
  for (const [index, [field, least, most, takesInfinity]] of OPTION_RANGES.entries()) {
    const value = numericOption(core, index);
    if (value === undefined || (value >= least && value <= most) || (takesInfinity && value === Infinity)) continue;
    throw new ConfigError(
      NAMES[field] ?? field,
      `a number from ${least} to ${most}${takesInfinity ? ", or Infinity" : ""}`,
    );
  }
  return core;
}

/** Throws for what the core is not told of, or is told in another form. */
export function check(options: Readonly<Record<string, unknown>>): void {
  for (const name of ["reconnectionDelay", "reconnectionDelayMax", "retries", "ackTimeout"]) {
    const value = options[name];
    if (value !== undefined && !(typeof value === "number" && value >= 0))
      throw new ConfigError(name, "a number from 0");
  }
  const { retries = 0, reconnection = true, path = "" } = options;
  if (!Number.isInteger(retries)) throw new ConfigError("retries", "a whole number");
  if (typeof reconnection !== "boolean") throw new ConfigError("reconnection", "true or false");
  if (typeof path !== "string") throw new ConfigError("path", "a string");
  if (!/^(object|function)$/.test(typeof (options["auth"] ?? {})))
    throw new ConfigError("auth", "an object or a function");
}

/** What `io()` calls the options of the core. */
const NAMES: { readonly [field: string]: string } = {
  "reconnect.initialDelayMs": "reconnectionDelay",
  "reconnect.maxDelayMs": "reconnectionDelayMax",
  "reconnect.jitter": "randomizationFactor",
  "reconnect.maxAttempts": "reconnectionAttempts",
  connectTimeoutMs: "timeout",
};

/** Where to connect, and the namespace there. Throws an error that says how to mend the URL. */
export function place(uri: string | undefined, options: ManagerOptions): { url: string; namespace: string } {
  let url: URL;
  try {
    const base = globalThis.location?.href;
    // A path alone is a namespace of the page's own server, and a host without a scheme is spoken to as the page is.
    url = new URL(
      uri && !/^[/.]|:\/\//.test(uri) ? `${globalThis.location?.protocol ?? "https:"}//${uri}` : (uri ?? "/"),
      base,
    );
  } catch {
    throw new ConfigError(
      "uri",
      'an absolute URL such as "https://example.com", or a namespace of the page\'s own server',
    );
  }
  const namespace = uri === undefined ? "/" : decoded(url.pathname);
  const { path = "/socket.io", addTrailingSlash = true, query = {} } = options;
  url.pathname = path.replace(/\/$/, "") + (addTrailingSlash ? "/" : "");
  for (const [name, value] of typeof query === "string" ? new URLSearchParams(query) : Object.entries(query))
    if (value != null) url.searchParams.set(name, String(value));
  url.searchParams.set("EIO", "4");
  url.searchParams.set("transport", "websocket");
  return { url: url.href, namespace };
}

/** What stands in a URL with percent signs, as it was written. */
function decoded(path: string): string {
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}

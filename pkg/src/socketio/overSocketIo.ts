import { isObject } from "../host/json.js";
import type { WebSocketClass, WebSocketLike } from "../webSocket.js";
import type { ConnectError } from "./events.js";
import { Manager } from "./manager.js";
import type { Socket } from "./socket.js";

/** How envelopes travel to a Socket.IO server. */
export interface OverSocketIoOptions {
  /** The path of the server, as its own option `path`; the client's `path` does not matter. Default `"/socket.io"`. */
  path?: string | undefined;
  /** The namespace. Default `"/"`. */
  namespace?: string | undefined;
  /** What the server is told as `socket.handshake.auth`, made of the client's token, which is empty if there is none. Default `{ token }`, or nothing without a token. */
  auth?: ((token: string) => object) | undefined;
  /**
   * The name of the client's token in its URL, as the client's own option says. Default `"token"`.
   */
  tokenParam?: string | undefined;
  /**
   * Whether the server has the middleware for the reliable mode. Then every envelope is the one argument of the event `everwire`, in both directions. Default
   * `false`: an envelope is the event that its `type` names, with its `data` as the one argument.
   */
  reliable?: boolean | undefined;
  /** The class to make the real sockets of. Default: the global `WebSocket`. */
  WebSocket?: WebSocketClass | undefined;
}

/**
 * A class for the option `WebSocket` of the package's own client: with it, the client, its hooks and its conversations speak to a Socket.IO server.
 *
 * An event of the server without arguments has the data `{}`, and one whose only argument is no object, or that has several, `{ args: [...] }`. Without `reliable`, pings are
 * answered here: the server's own keep watch over the connection. A refusal by the server's middleware is a close with the code 4401, and a `disconnect` of the
 * server one with 1002, after which the client stays away. What has a name that Socket.IO reserves, and what is larger than the server takes, is answered by an event
 * `error`. With `reliable`, what is too large ends the connection with 1009, if the server's `welcome` has not said how large a message may be.
 */
export function overSocketIo(options: OverSocketIoOptions = {}): WebSocketClass {
  return class extends Envelopes {
    constructor(url: string) {
      super(url, options);
    }
  };
}

type EventHandler = ((event: never) => unknown) | null;

/** A WebSocket, for whoever makes it, that is a client of Socket.IO inside. */
class Envelopes implements WebSocketLike {
  onopen: EventHandler = null;
  onmessage: EventHandler = null;
  onclose: EventHandler = null;
  onerror: EventHandler = null;
  readyState = 0;
  readonly #socket: Socket;
  readonly #isReliable: boolean;
  /** The code with which the server is about to close. */
  #closing: number | undefined;

  constructor(
    endpoint: string,
    {
      path = "/socket.io",
      namespace = "/",
      tokenParam = "token",
      reliable = false,
      WebSocket,
      auth = (token) => (token ? { token } : {}),
    }: OverSocketIoOptions,
  ) {
    this.#isReliable = reliable;
    const url = new URL(endpoint);
    const token = url.searchParams.get(tokenParam) ?? "";
    url.searchParams.delete(tokenParam);
    const manager = new Manager(url.href, { path, WebSocket, reconnection: false, autoConnect: false });
    const socket = manager.socket(namespace, { auth: auth(token) });
    socket.on("connect", () => {
      this.readyState = 1;
      this.#tell("onopen", {});
    });
    socket.on("connect_error", ({ close, message }: ConnectError) => {
      this.#end(close?.code ?? UNAUTHORIZED, close?.reason ?? message, !close);
    });
    socket.on("disconnect", (reason, details) => {
      const isPutOut = reason === "io server disconnect";
      const code =
        this.#closing ?? (isPutOut ? PROTOCOL_ERROR : reason === "io client disconnect" ? NORMAL : details?.code);
      this.#end(code ?? ABNORMAL, reason, isPutOut || code === NORMAL);
    });
    manager.on("drop", ({ event, args, reason }) => {
      // A message of the reliable mode comes again, by another connection.
      if (reliable) this.#end(reason === "too_large" ? TOO_BIG : ABNORMAL, reason, false);
      else this.#refuse(event, args[0] as NamedData, reason, `not sent: ${reason}`);
    });
    // Who answers here would answer for the application.
    socket.onAny((event, ...args) =>
      this.#hear(
        event,
        args.filter((arg) => typeof arg !== "function"),
      ),
    );
    this.#socket = socket;
    socket.connect();
  }

  get bufferedAmount(): number {
    return this.#socket.buffered;
  }

  send(frame: unknown): void {
    const envelope = JSON.parse(frame as string);
    const { type, data } = envelope;
    // What the server answers to, and when, says in the reliable mode what it knows.
    if (this.#isReliable) this.#socket.emit(EVENT, envelope);
    else if (type === "ping") this.#answer("pong", {});
    else {
      try {
        this.#socket.emit(type, data);
      } catch (cause) {
        this.#refuse(type, data, "reserved_event", (cause as Error).message);
      }
    }
  }

  close(): void {
    if (this.readyState > 1) return;
    this.readyState = 2;
    this.#socket.disconnect();
    this.#end(NORMAL, "", true);
  }

  #hear(event: string, args: unknown[]): void {
    const [first] = args;
    if (this.#isReliable) {
      if (event === EVENT) this.#tell("onmessage", { data: JSON.stringify(first) });
      else if (event === CLOSING && Number.isInteger(first)) this.#closing = first as number;
    } else {
      const data = args.length === 1 && isObject(first) ? first : args.length ? { args } : {};
      this.#tell("onmessage", { data: JSON.stringify({ type: event, data }) });
    }
  }

  /** Answers what the client inside does not send. */
  #refuse(about: string, data: NamedData, code: string, message: string): void {
    const { session_id, match_id, client_id, message: inner } = data;
    this.#answer("error", { message, code, about, session_id, match_id, message_id: inner?.id ?? client_id });
  }

  /** Says what no server has said, when the one who sends has returned. */
  #answer(type: string, data: object): void {
    queueMicrotask(() => {
      if (this.readyState === 1) this.#tell("onmessage", { data: JSON.stringify({ type, data }) });
    });
  }

  #end(code: number, reason: string, wasClean: boolean): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.#socket.disconnect();
    // Nobody expects to be told before the call returns that has made or closed a WebSocket.
    queueMicrotask(() => this.#tell("onclose", { code, reason, wasClean }));
  }

  #tell(handler: "onopen" | "onmessage" | "onclose", event: object): void {
    this[handler]?.(event as never);
  }
}

/** The fields by which an `error` names a message. */
interface NamedData {
  readonly session_id?: unknown;
  readonly match_id?: unknown;
  readonly client_id?: unknown;
  readonly message?: { readonly id?: unknown } | undefined;
}

/** What carries envelopes of the reliable mode. */
const EVENT = "everwire";
/** Says the code with which the server is about to close, which Socket.IO cannot. */
const CLOSING = "everwire_close";
const NORMAL = 1000;
const PROTOCOL_ERROR = 1002;
const ABNORMAL = 1006;
const TOO_BIG = 1009;
const UNAUTHORIZED = 4401;

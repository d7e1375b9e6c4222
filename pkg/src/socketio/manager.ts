import { error } from "../errors.js";
import { endpoint } from "../host/endpoint.js";
import { Connection } from "../host/socketio/connection.js";
import type { CloseInfo } from "../snapshot.js";
import type { WebSocketClass } from "../webSocket.js";
import { Emitter } from "./emitter.js";
import type { ConnectError, DisconnectReason, ManagerOwnEvents } from "./events.js";
import { load } from "./load.js";
import { type ManagerOptions, place, type SocketOptions } from "./options.js";
import { Socket } from "./socket.js";
import type { AnyEvents } from "./types.js";

/** What carries a connection. */
export interface Engine {
  /** Its transport. */
  readonly transport: Transport;
}

/** A way to carry packets. */
export interface Transport {
  /** There is one. */
  readonly name: "websocket";
}

/** The clients of one server, and what they have in common. */
export class Manager<ListenEvents extends object = AnyEvents, EmitEvents extends object = ListenEvents> extends Emitter<
  object,
  ManagerOwnEvents
> {
  /** The URL of the server, as it was given. */
  readonly uri: string | undefined;
  /** The options, as they were given. Changes are seen by clients that are made afterwards. */
  readonly opts: ManagerOptions;
  /** What Socket.IO calls its engine. How connections end is told by the manager's own events `open` and `close`. */
  readonly engine: Engine = { transport: { name: "websocket" } };
  /** The same as `open`. */
  readonly connect: (done?: (error?: Error) => void) => this = this.open;
  readonly #sockets = new Map<string, Socket<ListenEvents, EmitEvents>>();
  #connection: Connection | undefined;
  #reconnection: boolean;
  /** How many clients are in their namespaces. */
  #joined = 0;
  /** The last attempt that was told, infinite once it was told that no other is made; and the last whose failure was. Every client makes its own, and they are told once. */
  #attempt = 0;
  #failedAttempt = -1;

  /** For a server at this URL; without one, the page's own. */
  constructor(uri?: string, opts: ManagerOptions = {}) {
    super();
    load();
    this.uri = uri;
    this.opts = { ...opts };
    this.#reconnection = opts.reconnection ?? true;
    // Throws for a URL that is none.
    place(uri, opts);
  }

  /** The client of a namespace: the same for the same name. It connects at once, unless `autoConnect` is false. */
  socket(nsp: string, options?: SocketOptions): Socket<ListenEvents, EmitEvents> {
    let socket = this.#sockets.get(nsp);
    const isNew = !socket;
    socket ??= new Socket(this, nsp, options);
    this.#sockets.set(nsp, socket);
    if ((this.opts.autoConnect ?? true) && (isNew || !socket.active)) socket.start();
    return socket;
  }

  /** Whether there is a client of this namespace. */
  has(nsp: string): boolean {
    return this.#sockets.has(nsp);
  }

  /** Connects all clients that are to be connected, as after `reconnect_failed`. `done` is told when the first of them is connected, or why it is not. */
  open(done?: (error?: Error) => void): this {
    if (done) {
      const settle = (failure?: Error) => {
        this.off("open", opened).off("error", settle);
        done(failure);
      };
      const opened = () => settle();
      this.on("open", opened).on("error", settle);
    }
    for (const socket of this.#sockets.values()) if (socket.isWanted) socket.connect();
    return this;
  }

  /** Whether to connect again after a connection was lost or an attempt failed. */
  reconnection(): boolean;
  /** Says whether to. */
  reconnection(isWanted: boolean): this;
  reconnection(isWanted?: boolean): boolean | this {
    if (isWanted === undefined) return this.#reconnection;
    this.#reconnection = this.opts.reconnection = isWanted;
    return this;
  }

  /** How many attempts in a row may fail; with a number, says how many for clients that are made afterwards. */
  reconnectionAttempts(): number;
  /** @inheritDoc */
  reconnectionAttempts(most: number): this;
  reconnectionAttempts(most?: number): number | this {
    return this.#option("reconnectionAttempts", Infinity, most);
  }

  /** Wait before the first attempt, in milliseconds; with a number, says it for clients that are made afterwards. */
  reconnectionDelay(): number;
  /** @inheritDoc */
  reconnectionDelay(milliseconds: number): this;
  reconnectionDelay(milliseconds?: number): number | this {
    return this.#option("reconnectionDelay", 1_000, milliseconds);
  }

  /** Longest wait between two attempts, in milliseconds; with a number, says it for clients that are made afterwards. */
  reconnectionDelayMax(): number;
  /** @inheritDoc */
  reconnectionDelayMax(milliseconds: number): this;
  reconnectionDelayMax(milliseconds?: number): number | this {
    return this.#option("reconnectionDelayMax", 5_000, milliseconds);
  }

  /** Share of each wait that is random; with a number, says it for clients that are made afterwards. */
  randomizationFactor(): number;
  /** @inheritDoc */
  randomizationFactor(share: number): this;
  randomizationFactor(share?: number): number | this {
    return this.#option("randomizationFactor", 0.5, share);
  }

  /** Longest time for one attempt, in milliseconds; with a number, says it for clients that are made afterwards. */
  timeout(): number | false;
  /** @inheritDoc */
  timeout(milliseconds: number | false): this;
  timeout(milliseconds?: number | false): number | false | this {
    return this.#option("timeout", 20_000, milliseconds);
  }

  /**
   * The connection to this URL, or a new one if there is none or the namespace was left on it; `undefined` if the browser makes none.
   *
   * @internal
   */
  carry(url: string, namespace: string, Class: WebSocketClass): Connection | undefined {
    if (this.#connection?.accepts(namespace) && this.#connection.url === url) return this.#connection;
    this.#connection = new Connection(url, (flaw) => {
      this.tell("error", error("bad_frame", `the server sent no packet of Socket.IO: ${flaw}`));
    });
    return this.#connection.connect(Class) ? this.#connection : undefined;
  }

  /**
   * A client begins an attempt.
   *
   * @internal
   */
  attempting(attempt: number): void {
    if (this.#joined) return;
    if (!attempt) this.#begin();
    if (attempt > this.#attempt) {
      this.#attempt = attempt;
      this.tell("reconnect_attempt", attempt);
    }
  }

  /**
   * The connection of a client's attempt has failed.
   *
   * @internal
   */
  failed(failure: ConnectError, attempt: number): void {
    if (this.#joined || attempt <= this.#failedAttempt) return;
    this.#failedAttempt = attempt;
    this.tell("error", failure);
    if (attempt) this.tell("reconnect_error", failure);
  }

  /**
   * A client makes no more attempts.
   *
   * @internal
   */
  gaveUp(): void {
    if (this.#joined || !this.#reconnection || this.#attempt === Infinity) return;
    this.#attempt = Infinity;
    this.tell("reconnect_failed");
  }

  /**
   * A client is in its namespace, after so many attempts to come back.
   *
   * @internal
   */
  joined(attempt: number): void {
    if (this.#joined++) return;
    this.#begin();
    this.tell("open");
    if (attempt) this.tell("reconnect", attempt);
  }

  /**
   * A client is not in its namespace any more. When none is, the connection has ended.
   *
   * @internal
   */
  left(reason: DisconnectReason, details?: CloseInfo): void {
    if (!--this.#joined) this.tell("close", reason.startsWith("io ") ? "forced close" : reason, details);
  }

  #begin(): void {
    this.#attempt = 0;
    this.#failedAttempt = -1;
  }

  /**
   * Where to connect.
   *
   * @internal
   */
  endpoint(): string {
    return endpoint(place(this.uri, this.opts).url, "");
  }

  #option<
    Name extends
      | "timeout"
      | "reconnectionAttempts"
      | "reconnectionDelay"
      | "reconnectionDelayMax"
      | "randomizationFactor",
    Value,
  >(name: Name, byDefault: Value, wanted: Value | undefined): Value | this {
    if (wanted === undefined) return (this.opts[name] as Value | undefined) ?? byDefault;
    Object.assign(this.opts, { [name]: wanted });
    return this;
  }
}

import { Core } from "../../wasm-socketio/everwire.js";
import { ConfigError, EverwireError, error } from "../errors.js";
import { attempt } from "../host/handlers.js";
import { byteLength } from "../host/json.js";
import { randomNumbers, webSocketClass } from "../host/platform.js";
import { type Attachment, type EncodedArguments, encodeArguments } from "../host/socketio/arguments.js";
import type { ContinuityName } from "../host/socketio/codes.js";
import { type Acknowledged, Host, type Member } from "../host/socketio/host.js";
import { RESERVED } from "../host/socketio/packets.js";
import { Retries } from "../host/socketio/retries.js";
import type { CloseInfo, Snapshot } from "../snapshot.js";
import { Emitter } from "./emitter.js";
import { ConnectError, type DroppedEvent, type DisconnectReason as Reason, type SocketOwnEvents } from "./events.js";
import type { Manager } from "./manager.js";
import { check, coreOptions, type SocketOptions } from "./options.js";
import type {
  Answer,
  AnyEvents,
  AnyListener,
  ArgumentsWithoutAck,
  Auth,
  EventArguments,
  EventName,
  WithTimeout,
} from "./types.js";

/** Hears every event: its name, and its arguments. */
export type CatchAllListener = (event: string, ...args: unknown[]) => void;

/** Where a client stands, and why; see `Snapshot` of the package's own client. */
export interface SocketSnapshot extends Omit<Snapshot, "delivery"> {
  /** What is known of events once they are sent: nothing, or with `retries` that the server has got them, perhaps twice. */
  readonly delivery: "at-most-once" | "at-least-once";
}

interface Flags {
  readonly timeout?: number;
  readonly volatile?: boolean;
}

const NO_FLAGS: Flags = {};

/**
 * A client of one namespace, with the methods of socket.io-client. `ListenEvents` are the events that the server sends, `EmitEvents` those that it takes.
 */
export class Socket<ListenEvents extends object = AnyEvents, EmitEvents extends object = ListenEvents> extends Emitter<
  ListenEvents,
  SocketOwnEvents
> {
  /** What has made this client. */
  readonly io: Manager<ListenEvents, EmitEvents>;
  /** The namespace. */
  readonly nsp: string;
  /** What to authenticate by; asked anew before every attempt. */
  auth: Auth | undefined;
  /** The id of the client on the server, while it is connected. */
  id: string | undefined;
  /** Whether the client is in its namespace. */
  connected = false;
  /** Whether the last connection goes on where the one before ended, so that nothing is missing. */
  recovered = false;
  /** The same as `connect`. */
  readonly open: () => this = this.connect;
  /** The same as `disconnect`. */
  readonly close: () => this = this.disconnect;
  readonly #host: Host;
  readonly #core: Core;
  readonly #ackTimeout: number | undefined;
  readonly #retries: Retries | undefined;
  readonly #retryId: string | undefined;
  #retryNumber = 0;
  #flags: Flags = NO_FLAGS;
  #anyListeners: readonly CatchAllListener[] = [];
  #anyOutgoing: readonly CatchAllListener[] = [];
  /** Whether it connects as soon as the application has had time to listen. */
  #isStarting = false;
  /**
   * Whether the application wants it to be connected, and the server has not put it out.
   *
   * @internal
   */
  isWanted = false;
  /** Whether an attempt is under way whose failure was not told. */
  #isTrying = false;
  /** The attempt to come back that is under way. */
  #attempt = 0;
  #shown: { of: Snapshot; as: SocketSnapshot } | undefined;

  /** For {@link Manager.socket}. */
  constructor(io: Manager<ListenEvents, EmitEvents>, nsp: string, options: SocketOptions = {}) {
    super();
    check(options as Record<string, unknown>);
    if (!/^\/[^,]{0,255}$/.test(nsp)) throw new ConfigError("nsp", "a slash and up to 255 characters, without commas");
    const { auth, retries = 0, ackTimeout = retries ? 10_000 : undefined } = options;
    this.io = io;
    this.nsp = nsp;
    this.auth = auth;
    const core = coreOptions(io.opts);
    this.#ackTimeout = ackTimeout;
    if (retries) {
      this.#retries = new Retries(
        retries,
        core.queue?.maxMessages ?? 1_000,
        () => this.#host.snapshot.phase === "open",
      );
      this.#retryId = options.retryIds ? randomNumbers(1).join("") : undefined;
    }
    const member: Member = {
      auth: () => this.auth,
      attempting: (attempt) => this.#attempting(attempt),
      joined: (sid, continuity) => this.#joined(sid, continuity),
      keptOut: (reason) => this.#keptOut(reason),
      putOut: () => this.#putOut(),
      closed: (close) => this.#closed(close),
      gaveUp: () => io.gaveUp(),
      event: (packet, acknowledge) => this.#heard(packet, acknowledge),
      dropped: ([event, ...args], reason) => this.#dropped(event as string, args, reason as DroppedEvent["reason"]),
      failed: (cause) => io.tell("error", cause),
    };
    const WebSocket = webSocketClass(core);
    const host = new Host(member, nsp, core, () => io.carry(host.endpoint, nsp, WebSocket));
    host.core = new Core(host, Number(randomNumbers(1)[0]));
    host.show(host.core.snapshot());
    this.#host = host;
    this.#core = host.core;
  }

  /** Whether the client is not in its namespace. */
  get disconnected(): boolean {
    return !this.connected;
  }

  /** Whether the client is connected, or will try to be. */
  get active(): boolean {
    const { phase } = this.#host.snapshot;
    return this.#isStarting || ["connecting", "open", "waiting", "offline"].includes(phase);
  }

  /** The next event is dropped unless it can be sent at once: `socket.volatile.emit(…)`. */
  get volatile(): this {
    this.#flags = { ...this.#flags, volatile: true };
    return this;
  }

  /**
   * How many bytes wait, in the browser and in the queue.
   *
   * @internal
   */
  get buffered(): number {
    return this.#host.buffered() + this.#host.snapshot.queuedBytes;
  }

  /** Where the client stands. The same object until something changes. */
  getSnapshot(): SocketSnapshot {
    const { snapshot } = this.#host;
    if (this.#shown?.of !== snapshot) {
      this.#shown = { of: snapshot, as: { ...snapshot, delivery: this.#retries ? "at-least-once" : "at-most-once" } };
    }
    return this.#shown.as;
  }

  /** Hears of changes of the snapshot; returns what ends that. */
  subscribe(listener: () => void): () => void {
    return this.#host.listeners.add(listener);
  }

  /** Connects, unless the client is connected or on its way. Throws if the URL cannot be connected to. */
  connect(): this {
    this.#isStarting = false;
    this.isWanted = true;
    this.#host.endpoint = this.io.endpoint();
    this.#core.command(this.#host, "connect");
    return this;
  }

  /**
   * Connects as soon as the code that runs now has had time to listen.
   *
   * @internal
   */
  start(): void {
    this.#isStarting = this.isWanted = true;
    queueMicrotask(() => {
      if (!this.#isStarting) return;
      try {
        this.connect();
      } catch (cause) {
        this.#failed(new ConnectError((cause as Error).message, undefined, undefined, cause));
      }
    });
  }

  /** Leaves the namespace and stays out. Events that wait are kept for the next connection. */
  disconnect(): this {
    this.#isStarting = this.#isTrying = this.isWanted = false;
    this.#core.command(this.#host, "disconnect");
    this.#left("io client disconnect");
    return this;
  }

  /** Sets how long to wait for the acknowledgement of the next event, in milliseconds; its callback is told first of an error, or `null`. */
  timeout(milliseconds: number): Socket<ListenEvents, WithTimeout<EmitEvents>> {
    this.#flags = { ...this.#flags, timeout: milliseconds };
    return this as unknown as Socket<ListenEvents, WithTimeout<EmitEvents>>;
  }

  /** Does nothing: browsers decide about compression. */
  compress(_isWanted: boolean): this {
    return this;
  }

  /** Sends the event `message`. */
  send(...args: unknown[]): this {
    this.#emit("message", args);
    return this;
  }

  /**
   * Sends an event, or keeps it for the next connection. A function as the last argument is called with the server's acknowledgement. Throws for a
   * reserved name, and for what cannot be written as JSON. What is dropped is told by the manager's event `drop`.
   */
  emit<Name extends EventName<EmitEvents>>(event: Name, ...args: EventArguments<EmitEvents, Name>): this {
    this.#emit(event, args);
    return this;
  }

  /** Sends an event and waits for the server's acknowledgement. Rejects if it does not come in time, or not by this connection. */
  emitWithAck<Name extends EventName<EmitEvents>>(
    event: Name,
    ...args: ArgumentsWithoutAck<EmitEvents, Name>
  ): Promise<Answer<EmitEvents, Name>> {
    return new Promise((resolve, reject) => {
      const settle = (failure: Error | null, answer: unknown) =>
        failure ? reject(failure) : resolve(answer as Answer<EmitEvents, Name>);
      this.#emit(event, [...args, settle], true);
    });
  }

  /** Hears every event of the server, before its own listeners. */
  onAny(listener: CatchAllListener): this {
    this.#anyListeners = [...this.#anyListeners, listener];
    return this;
  }

  /** The same in front of the others. */
  prependAny(listener: CatchAllListener): this {
    this.#anyListeners = [listener, ...this.#anyListeners];
    return this;
  }

  /** Removes a listener of every event, or all of them. */
  offAny(listener?: CatchAllListener): this {
    this.#anyListeners = without(this.#anyListeners, listener);
    return this;
  }

  /** The listeners of every event. */
  listenersAny(): CatchAllListener[] {
    return [...this.#anyListeners];
  }

  /** Hears every event of the application when it is sent or begins to wait. */
  onAnyOutgoing(listener: CatchAllListener): this {
    this.#anyOutgoing = [...this.#anyOutgoing, listener];
    return this;
  }

  /** The same in front of the others. */
  prependAnyOutgoing(listener: CatchAllListener): this {
    this.#anyOutgoing = [listener, ...this.#anyOutgoing];
    return this;
  }

  /** Removes a listener of every event of the application, or all of them. */
  offAnyOutgoing(listener?: CatchAllListener): this {
    this.#anyOutgoing = without(this.#anyOutgoing, listener);
    return this;
  }

  /** The listeners of every event of the application. */
  listenersAnyOutgoing(): CatchAllListener[] {
    return [...this.#anyOutgoing];
  }

  #emit(event: string, given: readonly unknown[], isErrorFirst = false): void {
    if (RESERVED.has(event)) throw error("invalid_event", `"${event}" is a reserved event name`);
    const { volatile: isVolatile = false } = this.#flags;
    const timeout = this.#flags.timeout ?? this.#ackTimeout;
    this.#flags = NO_FLAGS;
    const last = given[given.length - 1];
    const callback = typeof last === "function" ? (last as AnyListener) : undefined;
    const args = callback ? given.slice(0, -1) : given;
    this.#tellAny(this.#anyOutgoing, event, args);
    const acknowledged: Acknowledged | undefined =
      callback &&
      ((failure, answer) => {
        if (isErrorFirst || timeout !== undefined) callback.call(this, failure, ...answer);
        else if (failure?.code === "abandoned") this.#dropped(event, args, "unconfirmed");
        else if (!failure) callback.apply(this, answer);
      });
    if (this.#retries && !isVolatile) this.#sendUntilAcknowledged(this.#retries, event, args, timeout, acknowledged);
    else {
      const encoded = encodeArguments([event, ...args]);
      try {
        // Behind what waits for room it would come late, which is worse than never.
        if (isVolatile && !this.#host.snapshot.hasRoom)
          throw error("not_open", "there is no room, and the event is volatile");
        this.#host.emit(encoded, largestFrame(encoded, this.#header(acknowledged)), isVolatile, timeout, acknowledged);
      } catch (cause) {
        this.#refused(event, args, cause, acknowledged);
      }
    }
  }

  #sendUntilAcknowledged(
    retries: Retries,
    event: string,
    args: readonly unknown[],
    timeout: number | undefined,
    acknowledged: Acknowledged | undefined,
  ): void {
    const id = this.#retryId === undefined ? [] : [`${this.#retryId}-${this.#retryNumber++}`];
    const encoded = encodeArguments([event, ...args, ...id]);
    if (retries.isFull) {
      this.#refused(event, args, error("queue_full", "too many events wait"), acknowledged);
      return;
    }
    const submit = (told: Acknowledged) =>
      this.#host.emit(encoded, largestFrame(encoded, this.#header(told)), false, timeout, told);
    retries.add(submit, (failure, answer) => {
      if (failure) this.#dropped(event, args, failure.code as DroppedEvent["reason"]);
      acknowledged?.(failure, answer);
    });
  }

  /** How many bytes stand in front of the arguments. */
  #header(acknowledged: Acknowledged | undefined): number {
    return 2 + (this.nsp === "/" ? 0 : byteLength(this.nsp) + 1) + (acknowledged ? LONGEST_ID : 0);
  }

  /** Tells of what was neither sent nor queued, once whoever has sent it has gone on. */
  #refused(event: string, args: readonly unknown[], cause: unknown, acknowledged: Acknowledged | undefined): void {
    if (!(cause instanceof EverwireError)) throw cause;
    queueMicrotask(() => {
      this.#dropped(event, args, cause.code as DroppedEvent["reason"]);
      acknowledged?.(cause, []);
    });
  }

  #attempting(attempt: number): void {
    this.#isTrying = true;
    this.#attempt = attempt;
    this.io.attempting(attempt);
  }

  #joined(sid: string, continuity: ContinuityName): void {
    this.id = sid;
    this.recovered = continuity === "recovered";
    this.connected = true;
    this.#isTrying = false;
    this.io.joined(this.#attempt);
    if (continuity === "lost") this.io.tell("gap", { namespace: this.nsp });
    this.tell("connect");
    this.#retries?.resume();
  }

  #keptOut(reason: unknown): void {
    const { message = reason, data } = reason as { message?: unknown; data?: unknown };
    this.#isTrying = false;
    this.tell("connect_error", new ConnectError(typeof message === "string" ? message : "refused", data, undefined));
  }

  #putOut(): void {
    this.isWanted = false;
    if (this.#isTrying) {
      this.#isTrying = false;
      this.tell("connect_error", new ConnectError("io server disconnect", undefined, undefined));
    }
    this.#left("io server disconnect");
  }

  #closed(close: CloseInfo): void {
    const { connected } = this;
    if (connected) this.#left(REASONS[close.cause ?? ""] ?? "transport close", close);
    // What the application has ended itself says nothing of the attempt that it has begun since.
    if (close.cause === "disconnected" || close.cause === "replaced") return;
    if (!connected && this.#isTrying) {
      this.#isTrying = false;
      const why = close.cause === "connect_timeout" ? "timeout" : close.code === OLD_SERVER ? OLD : "websocket error";
      this.#failed(new ConnectError(why, undefined, close));
    }
    if (!this.io.reconnection() && this.active) this.#core.command(this.#host, "disconnect");
  }

  #left(reason: Reason, details?: CloseInfo): void {
    if (!this.connected) return;
    this.connected = false;
    this.id = undefined;
    this.tell("disconnect", reason, details);
    this.io.left(reason, details);
  }

  #failed(failure: ConnectError): void {
    this.io.failed(failure, this.#attempt);
    this.tell("connect_error", failure);
  }

  #heard(packet: readonly unknown[], acknowledge: ((args: EncodedArguments) => void) | undefined): void {
    // What the application has left it does not hear any more.
    if (!this.connected) return;
    // Servers may number their events instead of naming them.
    const event = String(packet[0]);
    const args = packet.slice(1);
    if (acknowledge) {
      let send: typeof acknowledge | undefined = acknowledge;
      args.push((...answer: unknown[]) => {
        send?.(encodeArguments(answer));
        send = undefined;
      });
    }
    this.#tellAny(this.#anyListeners, event, args);
    this.tellAll(event, args);
  }

  #tellAny(listeners: readonly CatchAllListener[], event: string, args: readonly unknown[]): void {
    for (const listener of listeners) attempt(() => listener.call(this, event, ...args));
  }

  #dropped(event: string, args: readonly unknown[], reason: DroppedEvent["reason"]): void {
    this.io.tell("drop", { namespace: this.nsp, event, args, reason });
  }
}

/** The types that socket.io-client has by this name. */
export declare namespace Socket {
  /** Why a client is not in its namespace any more. */
  type DisconnectReason = Reason;
}

const REASONS: { readonly [cause: string]: Reason } = {
  pong_timeout: "ping timeout",
  protocol_violation: "parse error",
};

const without = (listeners: readonly CatchAllListener[], gone: CatchAllListener | undefined): CatchAllListener[] =>
  gone ? listeners.filter((listener) => listener !== gone) : [];

/** The size of the largest frame of an event: servers limit each. */
const largestFrame = ({ text, attachments }: EncodedArguments, header: number): number =>
  attachments.map(size).reduce((most, bytes) => Math.max(most, bytes), byteLength(text) + header);

const size = (attachment: Attachment): number => ("byteLength" in attachment ? attachment.byteLength : attachment.size);

/** How the core closes a connection whose server lets clients in without an id. */
const OLD_SERVER = 1002;
const OLD = "the server speaks Socket.IO 2: everwire/socket.io needs 3 or 4";

/** As large as an id can be in front of the arguments, with the number of attachments. */
const LONGEST_ID = 20;

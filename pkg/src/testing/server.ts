import { type ConnectionKeeper, ServerConnection, type TestConnection } from "./connection.js";
import type { MessageHandler, PublishOptions, ReceivedMessage, RefusedMessage } from "./context.js";
import { type Author, Delivery } from "./delivery.js";
import { DIALECTS, type Dialect, type DialectName } from "./dialects.js";
import { type Data, isObject } from "./envelope.js";
import { type FaultAct, Faults } from "./faults.js";
import { Intake } from "./intake.js";
import { entry, Memory, type Origin, push } from "./memory.js";
import { Network } from "./network.js";
import { Problems, shortened, TestServerError } from "./problem.js";
import { Rooms } from "./rooms.js";
import { type Acceptor, type Remote, type RemoteListener, webSocketClass } from "./socket.js";

/** Accepts every event; payloads are objects of unknown fields. */
export interface AnyEventData {
  readonly [event: string]: Data;
}

/** What a server is like. Every option has a default. */
export interface TestServerOptions {
  /**
   * Whether the server knows the reliable mode of docs/PROTOCOL.md. Default `true`: clients with `delivery: "reliable"` get acknowledgements, replies and what they have
   * missed, and others notice nothing of it. With `false` such a client goes on at most once.
   */
  readonly reliable?: boolean | undefined;
  /**
   * Whose server it plays: `"masterx"` (sessions), `"colabmatch"` (matches), or functions of your own, such as `colabmatch({ matches })`. Default: none; then every message is taken, and
   * nobody is told of it, until `on()` says otherwise. With a dialect, types that nobody handles are refused as `unknown_type`.
   */
  readonly dialect?: DialectName | Dialect | readonly (DialectName | Dialect)[] | undefined;
  /**
   * Who a token speaks for. Default: the `sub` of a JWT, which is not verified, or else the text of the token itself, and `"anonymous"` without one. Returning `null` refuses
   * the connection with 1008.
   */
  readonly authenticate?: ((token: string | null, url: URL) => string | null) | undefined;
  /** The query parameter that carries the token. Default `"token"`. */
  readonly tokenParam?: string | undefined;
  /** The largest message in UTF-8 bytes. Default 10 240. A larger one is refused as `too_large` if it has a number, and ends the connection with 1009 if not. */
  readonly maxMessageBytes?: number | undefined;
  /** How many messages may be unacknowledged, from 1 to 1 024. Default 128. */
  readonly window?: number | undefined;
  /** Repeats what is random in the server, which is the latency of a `delay` between two bounds. Default 1. */
  readonly seed?: number | undefined;
}

/** Which connection or message is meant. */
export interface Filter {
  /** Of this user. Default: of anyone. */
  readonly user?: string | undefined;
}

/** To whom an event goes. */
export interface EmitOptions {
  /** A user or several, on all their connections. Default: everyone who is connected, or has been in the reliable mode. */
  readonly to?: string | readonly string[] | undefined;
  /** {@inheritDoc PublishOptions.stored} */
  readonly stored?: boolean | undefined;
}

/** A part of a conversation. */
export interface HistoryQuery {
  /** Only what is older than the message with this id. */
  readonly before?: string | null | undefined;
  /** Only what is newer than the message with this id. */
  readonly after?: string | null | undefined;
  /** Most messages. Default 50. The newest of those that fit; with `after`, the oldest. */
  readonly limit?: number | undefined;
}

/**
 * A server in memory that speaks the Everwire protocol, for tests of apps.
 *
 * It never reaches the network. Frames arrive in microtasks, so that no clock has to move; everything that takes time is on the `setTimeout` and `Date` of the
 * global scope at the time of the call, so that the fake timers of vitest, of jest and of `virtualClock()` drive it.
 *
 * @typeParam FromServer The events that the server sends, by name.
 * @typeParam ToServer The events that clients send, by name.
 */
export class TestServer<FromServer extends object = AnyEventData, ToServer extends object = AnyEventData> {
  /** The class to make sockets of that reach this server, for `Options.WebSocket` or `install()`. */
  readonly WebSocket: typeof WebSocket;
  /** What goes wrong. */
  readonly faults: Faults;
  readonly #options: TestServerOptions;
  readonly #network = new Network();
  readonly #problems = new Problems();
  readonly #connections = new Set<ServerConnection>();
  readonly #handlers = new Map<string, MessageHandler[]>();
  readonly #connected = new Set<(connection: TestConnection) => void>();
  readonly #presence = new Set<(user: string, isOnline: boolean) => void>();
  readonly #roomChanges = new Set<(room: string) => void>();
  readonly #changedRooms = new Set<string>();
  readonly #histories = new Map<string, Data[]>();
  readonly #origins = new Map<string, { readonly id: string; readonly origin: Origin }[]>();
  readonly #delivery: Delivery;
  readonly #rooms: Rooms;
  readonly #waiting = new Set<() => void>();
  readonly #intake: Intake;
  readonly #processed: ReceivedMessage[] = [];
  readonly #refused: RefusedMessage[] = [];
  readonly #transcript: string[] = [];
  #memory = new Memory(1);
  /** How many messages of a type `nextMessage` has handed out, by type and user. */
  readonly #handedOut = new Map<string, number>();
  #connectionCount = 0;
  #deliveries = 0;
  /** Deliveries since the event loop has turned. */
  #withoutPause = 0;
  #isClosed = false;
  #globalBefore: PropertyDescriptor | undefined;
  #isInstalled = false;

  constructor(options: TestServerOptions = {}) {
    this.#options = options;
    const acceptor: Acceptor = {
      latency: () => this.#network.latency(),
      delivered: () => this.#delivered(),
      isSilent: () => this.#network.isSilent,
      opened: (remote) => this.#opened(remote),
      handlerFailed: (event, cause) =>
        this.#problems.add(`a handler of the socket's \`${event}\` event threw: ${cause}`, cause),
    };
    this.WebSocket = webSocketClass(acceptor);
    this.#delivery = new Delivery(
      () => this.#memory,
      () => this.#connections,
      (connection, frame) => this.#transmit(connection, frame),
    );
    this.#rooms = new Rooms(
      () => this.#memory,
      (room) => this.#roomChanged(room),
    );
    this.#intake = new Intake({
      options,
      network: this.#network,
      problems: this.#problems,
      delivery: this.#delivery,
      rooms: this.#rooms,
      memory: () => this.#memory,
      handlers: (type) => [...(this.#handlers.get(type) ?? [])],
      publish: (room, type, data, more, author) => this.#publish(room, type, data, more, author),
      processed: (message) => {
        push(this.#processed, message);
        this.#wake();
      },
      refused: (message) => push(this.#refused, message),
      note: (connection, text) => this.#note(connection, ">", text),
      delivered: () => this.#delivered(),
    });
    this.faults = new Faults(
      {
        network: this.#network,
        each: (act) => this.#each(act),
        forget: (what) => this.#forget(what),
      },
      options.seed ?? 1,
    );
    for (const dialect of [options.dialect ?? []].flat()) {
      const play = typeof dialect === "string" ? DIALECTS[dialect] : dialect;
      if (typeof play !== "function") throw new TypeError(`\`dialect\` must be "masterx", "colabmatch" or a function`);
      play(this as unknown as TestServer);
    }
  }

  // --- Connections -----------------------------------------------------------------------------------------------------------------------------

  /**
   * Makes `globalThis.WebSocket` the one of this server, for apps whose client is made out of the test's reach. Call it before the client connects, and `uninstall()` or
   * `close()` after the test.
   */
  install(): this {
    if (!this.#isInstalled) {
      this.#isInstalled = true;
      this.#globalBefore = Object.getOwnPropertyDescriptor(globalThis, "WebSocket");
      Object.defineProperty(globalThis, "WebSocket", { value: this.WebSocket, configurable: true, writable: true });
    }
    return this;
  }

  /** Puts the `WebSocket` back that was there before. */
  uninstall(): void {
    if (!this.#isInstalled) return;
    this.#isInstalled = false;
    if (this.#globalBefore) Object.defineProperty(globalThis, "WebSocket", this.#globalBefore);
    else Reflect.deleteProperty(globalThis, "WebSocket");
  }

  /** The connections that are open, oldest first. */
  get connections(): readonly TestConnection[] {
    return [...this.#connections];
  }

  /**
   * The newest open connection, or the next one if there is none. Without a `delay`, its client has been welcomed by then, and has sent what waited.
   *
   * @throws TestServerError if none has opened after two seconds of real time: the client does not connect, or waits for a clock that nobody moves.
   */
  async connection({ user }: Filter = {}): Promise<TestConnection> {
    const find = () => this.connections.filter((connection) => user === undefined || connection.user === user).at(-1);
    const connection = await this.#until(
      find,
      () => `no client${user === undefined ? "" : ` of "${user}"`} has connected`,
    );
    await this.#calm();
    return connection;
  }

  /** Calls `listener` with every connection once its handshake is done, before anything else is sent on it. Returns a function that ends that. */
  onConnection(listener: (connection: TestConnection) => void): () => void {
    this.#connected.add(listener);
    return () => this.#connected.delete(listener);
  }

  /** Calls `listener` when a user's first connection opens and when their last one has ended. Returns a function that ends that. */
  onPresence(listener: (user: string, isOnline: boolean) => void): () => void {
    this.#presence.add(listener);
    return () => this.#presence.delete(listener);
  }

  /** Whether a user has an open connection. */
  isOnline(user: string): boolean {
    return this.connections.some((connection) => connection.user === user);
  }

  // --- Messages --------------------------------------------------------------------------------------------------------------------------------

  /**
   * Says what to do with messages of a type. The handler comes before the dialect's and before earlier ones, which `ctx.next()` calls. Returns a function that takes it away.
   */
  on<Type extends string & keyof ToServer>(type: Type, handler: MessageHandler<ToServer[Type]>): () => void {
    const handlers = entry(this.#handlers, type, () => []);
    const added = handler as unknown as MessageHandler;
    handlers.unshift(added);
    return () => {
      const at = handlers.indexOf(added);
      if (at >= 0) handlers.splice(at, 1);
    };
  }

  /** What was processed, in order and each message once, without what was refused. The last 10 000. */
  received(): readonly ReceivedMessage[];
  /** What was processed of one type. */
  received<Type extends string & keyof ToServer>(type: Type): readonly ReceivedMessage<Type, ToServer[Type]>[];
  received(type?: string): readonly ReceivedMessage[] {
    return this.#processed.filter((message) => type === undefined || message.type === type);
  }

  /** What was refused, in order. The last 10 000. */
  refused(type?: string): readonly RefusedMessage[] {
    return this.#refused.filter((message) => type === undefined || message.type === type);
  }

  /**
   * The first processed message of a type that no call has returned yet, or the next one.
   *
   * @throws TestServerError if there is none after two seconds of real time.
   */
  nextMessage<Type extends string & keyof ToServer>(
    type: Type,
    { user }: Filter = {},
  ): Promise<ReceivedMessage<Type, ToServer[Type]>> {
    const key = JSON.stringify([type, user]);
    const find = () => {
      const handedOut = this.#handedOut.get(key) ?? 0;
      const found = this.received(type).filter((message) => user === undefined || message.user === user)[handedOut];
      if (found) this.#handedOut.set(key, handedOut + 1);
      return found;
    };
    return this.#until(find, () => `no \`${type}\` ${user === undefined ? "" : `of "${user}" `}was processed`);
  }

  /** Sends an event to users. */
  emit<Type extends string & keyof FromServer>(type: Type, data: FromServer[Type], options: EmitOptions = {}): void {
    checkEvent(type, data);
    const everyone = () => new Set([...this.connections.map(({ user }) => user), ...this.#memory.users]);
    const users = options.to === undefined ? everyone() : typeof options.to === "string" ? [options.to] : options.to;
    const isStored = options.stored ?? !MOMENTARY.has(type);
    for (const user of users) this.#delivery.toUser(user, type, data as Data, { isStored });
  }

  /** Sends an event to everyone in a room: a session, a match, or whatever handlers have joined users to. */
  publish<Type extends string & keyof FromServer>(
    room: string,
    type: Type,
    data: FromServer[Type],
    options: Pick<PublishOptions, "stored"> = {},
  ): void {
    this.#publish(room, type, data as Data, options);
  }

  /** The users who get the events of a room. */
  members(room: string): readonly string[] {
    return this.#rooms.receivers(room);
  }

  /** Calls `listener` when someone joins a room, leaves it, comes or goes; once for what happens in the same moment. Returns a function that ends that. */
  onRoomChange(listener: (room: string) => void): () => void {
    this.#roomChanges.add(listener);
    return () => this.#roomChanges.delete(listener);
  }

  // --- Conversations ---------------------------------------------------------------------------------------------------------------------------

  /** Puts messages into the history of a conversation, as if they had been written before the test. Each needs an `id`. */
  seedHistory(room: string, messages: readonly Data[]): void {
    for (const message of messages) this.remember(room, message);
  }

  /** What was written in a conversation, oldest first: what an app fetches over HTTP. */
  history(room: string, query: HistoryQuery = {}): { readonly messages: readonly Data[]; readonly hasMore: boolean } {
    const { before, after, limit = 50 } = query;
    const all = this.#histories.get(room) ?? [];
    const at = (id: string) => all.findIndex((message) => message["id"] === id);
    const end = before == null || at(before) < 0 ? all.length : at(before);
    const start = after == null ? 0 : at(after) + 1;
    const fitting = all.slice(start, end);
    const messages = after == null ? fitting.slice(-limit) : fitting.slice(0, limit);
    return { messages, hasMore: messages.length < fitting.length };
  }

  /** Adds a message to the history of a conversation, or replaces the one with its id. For dialects. */
  remember(room: string, message: Data): void {
    const messages = entry(this.#histories, room, () => []);
    const at = messages.findIndex(({ id }) => id === message["id"]);
    if (at >= 0) messages[at] = message;
    else messages.push(message);
  }

  /** Tells the senders of messages of a room up to this one that others have read them. For dialects. */
  read(room: string, messageId: string, reader: string): void {
    const origins = this.#origins.get(room) ?? [];
    const last = origins.map(({ id }) => id).lastIndexOf(messageId);
    for (const { origin } of origins.slice(0, last + 1)) {
      if (origin.user !== reader) this.#delivery.advance(origin, "read");
    }
  }

  // --- The test's end --------------------------------------------------------------------------------------------------------------------------

  /**
   * Resolves when nothing is on its way any more that needs no clock.
   *
   * @throws TestServerError if a handler has thrown since the last time, a client has broken the protocol, or client and server answer each other without end. Of several, an
   * `AggregateError`.
   */
  async settled(): Promise<void> {
    await this.#calm();
    this.#problems.raise();
  }

  /** What `settled()` and `close()` would throw. Taking it says that the test has dealt with it. */
  takeProblems(): readonly TestServerError[] {
    return this.#problems.take();
  }

  /** The last 1 000 frames, as text for people: `ada#1 > {…}` from a client, `ada#1 < {…}` to it. */
  transcript(): readonly string[] {
    return this.#transcript;
  }

  /** A memory that stream positions are forgotten in, up to an offset, as when a history is bounded: those who were away are told of a gap. */
  forgetEvents(user: string, upTo = Number.MAX_SAFE_INTEGER): void {
    this.#memory.stream(user, "user").forget(upTo);
  }

  /**
   * Ends the server: nothing passes any more, timers are cancelled, and the global `WebSocket` is put back. For `afterEach`.
   *
   * @throws TestServerError as {@link TestServer.settled} does, so that no mistake goes unnoticed.
   */
  close(): void {
    this.#isClosed = true;
    this.uninstall();
    this.faults.end();
    for (const connection of [...this.#connections]) {
      connection.remote.silence();
      connection.end();
    }
    this.#waiting.clear();
    this.#problems.raise();
  }

  /** {@inheritDoc close} */
  [Symbol.dispose](): void {
    this.close();
  }

  // --- Connecting ------------------------------------------------------------------------------------------------------------------------------

  #opened(remote: Remote): RemoteListener | undefined {
    const refusal = this.#network.refusals.shift();
    if (this.#isClosed || this.#network.isOffline || this.#network.isDown || (refusal && "http" in refusal)) {
      remote.drop();
      return undefined;
    }
    const token = remote.url.searchParams.get(this.#options.tokenParam ?? "token");
    const user = (this.#options.authenticate ?? userOf)(token, remote.url);
    remote.accept(remote.protocols[0] ?? "");
    if (refusal || user === null) {
      const { code, reason = "" } = refusal ?? { code: 1008, reason: "token refused" };
      remote.close(code, reason);
      return undefined;
    }
    const keeper: ConnectionKeeper = {
      transmit: (connection, frame) => this.#transmit(connection, frame),
      ended: (connection) => this.#ended(connection),
    };
    const connection = new ServerConnection(keeper, remote, ++this.#connectionCount, user, token);
    const isFirst = !this.isOnline(user);
    this.#connections.add(connection);
    this.#tell(this.#connected, "onConnection", connection);
    if (isFirst) this.#presenceChanged(user, true);
    this.#wake();
    return {
      received: (data) => this.#intake.take(connection, data),
      closed: () => connection.end(),
    };
  }

  #ended(connection: ServerConnection): void {
    this.#connections.delete(connection);
    if (this.#isClosed || this.isOnline(connection.user)) return;
    this.#rooms.gone(connection.user);
    this.#presenceChanged(connection.user, false);
  }

  #presenceChanged(user: string, isOnline: boolean): void {
    for (const listener of this.#presence) this.#guarded("onPresence", () => listener(user, isOnline));
    for (const room of this.#rooms.of(user)) this.#roomChanged(room);
  }

  #roomChanged(room: string): void {
    if (this.#changedRooms.size === 0) {
      Promise.resolve().then(() => {
        this.#delivered();
        const rooms = [...this.#changedRooms];
        this.#changedRooms.clear();
        for (const changed of rooms) this.#tell(this.#roomChanges, "onRoomChange", changed);
      });
    }
    this.#changedRooms.add(room);
  }

  // --- Events ----------------------------------------------------------------------------------------------------------------------------------

  #publish(room: string, type: string, data: Data, options: PublishOptions, author?: Author): void {
    checkEvent(type, data);
    const isStored = options.stored ?? !MOMENTARY.has(type);
    const origin = author && isStored ? this.#originOf(room, data, author) : undefined;
    const leftOut = options.except === "nobody" ? undefined : author;
    for (const user of this.#rooms.receivers(room))
      this.#delivery.toUser(user, type, data, { isStored, leftOut, origin });
  }

  /** The message behind an event of a room, if its sender can be told more of it. */
  #originOf(room: string, data: Data, { connection: { user, clientId }, seq }: Author): Origin | undefined {
    if (clientId === null || seq === null) return undefined;
    const origin: Origin = { user, clientId, seq, status: "sent" };
    const id = isObject(data["message"]) ? data["message"]["id"] : data["id"];
    if (typeof id === "string")
      push(
        entry(this.#origins, room, () => []),
        { id, origin },
      );
    return origin;
  }

  #transmit(connection: ServerConnection, frame: object): void {
    if (!connection.isOpen) return;
    const text = JSON.stringify(frame);
    this.#note(connection, "<", text);
    if (!this.#network.loses("server", (frame as { type?: string }).type)) connection.remote.send(text);
  }

  // --- Faults ----------------------------------------------------------------------------------------------------------------------------------

  #each(act: FaultAct): void {
    for (const connection of [...this.#connections]) {
      if (act === "drop") connection.drop();
      else if (act === "silence") {
        connection.remote.silence();
        connection.end();
      } else if (act === "hold" || act === "release") connection.remote.hold(act === "hold");
      else connection.close(act.close, act.reason);
    }
  }

  #forget(what: "clients" | "everything"): void {
    this.#origins.clear();
    if (what === "clients") this.#memory.forgetClients();
    else this.#memory = new Memory(this.#memory.epoch + 1);
  }

  // --- Waiting ---------------------------------------------------------------------------------------------------------------------------------

  /** Resolves when nothing is on its way any more that needs no clock. */
  async #calm(): Promise<void> {
    for (let seen = -1; seen !== this.#deliveries; ) {
      seen = this.#deliveries;
      for (let turn = 0; turn < SETTLING_TURNS; turn++) await Promise.resolve();
    }
  }

  #until<T>(find: () => T | undefined, complaint: () => string): Promise<T> {
    return new Promise((resolve, reject) => {
      let guard: ReturnType<typeof setTimeout> | undefined;
      const look = () => {
        const found = find();
        if (found === undefined) return;
        this.#waiting.delete(look);
        clearRealTimeout(guard);
        resolve(found);
      };
      this.#waiting.add(look);
      look();
      if (!this.#waiting.has(look)) return;
      guard = realTimeout(() => {
        this.#waiting.delete(look);
        const [mistake] = this.#problems.all;
        const hint = mistake
          ? `; ${mistake.message}`
          : "; with fake timers, somebody has to move the clock while the client waits";
        reject(new TestServerError(complaint() + hint));
      }, PATIENCE_MS);
    });
  }

  #wake(): void {
    for (const look of [...this.#waiting]) look();
  }

  /** Microtasks come before everything else, so two sides that answer each other for ever would hang the test. */
  #delivered(): void {
    this.#deliveries++;
    if (this.#withoutPause++ === 0) {
      realTimeout(() => {
        this.#withoutPause = 0;
      }, 0);
    }
    if (this.#withoutPause < MAX_WITHOUT_PAUSE) return;
    this.#withoutPause = 1;
    this.#problems.add(
      `client and server answer each other without end: ${this.#transcript.slice(-2).map(shortened).join(" ")}`,
    );
    this.#each("silence");
  }

  // --- Helpers ---------------------------------------------------------------------------------------------------------------------------------

  #note(connection: ServerConnection, direction: ">" | "<", text: string): void {
    push(this.#transcript, `${connection.user}#${connection.id} ${direction} ${text}`, MAX_TRANSCRIPT);
  }

  #tell<T>(listeners: Iterable<(value: T) => void>, name: string, value: T): void {
    for (const listener of listeners) this.#guarded(name, () => listener(value));
  }

  #guarded(name: string, act: () => void): void {
    try {
      act();
    } catch (cause) {
      this.#problems.add(`a listener of \`${name}\` threw: ${cause instanceof Error ? cause.message : cause}`, cause);
    }
  }
}

/** Whoever a token speaks for, unless the test says otherwise. */
function userOf(token: string | null): string {
  if (!token) return "anonymous";
  const [, claims = ""] = /^[\w-]+\.([\w-]+)\.[\w-]*$/.exec(token) ?? [];
  try {
    const { sub } = JSON.parse(atob(claims.replaceAll("-", "+").replaceAll("_", "/"))) as { sub?: unknown };
    return typeof sub === "string" ? sub : token;
  } catch {
    return token;
  }
}

function checkEvent(type: string, data: unknown): void {
  if (typeof type !== "string" || type === "")
    throw new TypeError("the type of an event must be a string that is not empty");
  if (!isObject(data)) throw new TypeError(`the data of \`${type}\` must be an object`);
}

/** What is true for a moment only, and so is never stored. */
const MOMENTARY: ReadonlySet<string> = new Set([
  ...["typing_indicator", "user_typing", "typing_stopped", "user_online_status", "session_members", "message_delta"],
]);

/** The clock of the machine, unless it was already a fake one when this module was loaded. Nothing that the server does depends on it. */
const realTimeout = globalThis.setTimeout;
const clearRealTimeout = globalThis.clearTimeout;

/** How long a test waits for something that must happen by itself. */
const PATIENCE_MS = 2_000;
const SETTLING_TURNS = 100;
const MAX_WITHOUT_PAUSE = 50_000;
const MAX_TRANSCRIPT = 1_000;

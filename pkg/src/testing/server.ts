import { Admission } from "./admission.js";
import type { ServerConnection, TestConnection } from "./connection.js";
import type { MessageHandler, PublishOptions, ReceivedMessage, RefusedMessage } from "./context.js";
import { Conversations, type HistoryPage, type HistoryQuery } from "./conversations.js";
import { Delivery } from "./delivery.js";
import { DIALECTS } from "./dialects.js";
import type { Data } from "./envelope.js";
import { type FaultAct, Faults } from "./faults.js";
import { GlobalWebSocket } from "./globalWebSocket.js";
import { Intake } from "./intake.js";
import { entry, Memory, push } from "./memory.js";
import { Network } from "./network.js";
import { Pace } from "./pace.js";
import { Problems, shortened, TestServerError } from "./problem.js";
import { checkEvent, Publisher } from "./publisher.js";
import { Rooms } from "./rooms.js";
import type { AnyEventData, EmitOptions, TestServerOptions, UserFilter } from "./serverOptions.js";
import { type Acceptor, webSocketClass } from "./socket.js";

/**
 * A server in memory that speaks the Everwire protocol, for tests of apps.
 *
 * It never reaches the network. Frames arrive in microtasks, so that no clock has to move; everything that takes time is on the `setTimeout` and `Date` of the
 * global scope at the time of the call, so that the fake timers of vitest, of jest and of `virtualClock()` drive it. It has no rate limits and closes no idle connection; `faults` can
 * do either.
 *
 * @typeParam FromServer The events that the server sends, by name.
 * @typeParam ToServer The events that clients send, by name.
 */
export class TestServer<FromServer extends object = AnyEventData, ToServer extends object = AnyEventData> {
  /** The class to make sockets of that reach this server, for `Options.WebSocket` or `install()`. */
  readonly WebSocket: typeof WebSocket;
  /** What goes wrong. */
  readonly faults: Faults;
  readonly #network = new Network();
  readonly #problems = new Problems();
  readonly #handlers = new Map<string, MessageHandler[]>();
  readonly #connected = new Set<(connection: TestConnection) => void>();
  readonly #presence = new Set<(user: string, isOnline: boolean) => void>();
  readonly #roomChanges = new Set<(room: string) => void>();
  readonly #changedRooms = new Set<string>();
  readonly #conversations = new Conversations();
  readonly #global = new GlobalWebSocket();
  readonly #admission: Admission;
  readonly #delivery: Delivery;
  readonly #rooms: Rooms;
  readonly #publisher: Publisher;
  readonly #pace = new Pace(() => this.#endless());
  readonly #intake: Intake;
  readonly #processed: ReceivedMessage[] = [];
  readonly #refused: RefusedMessage[] = [];
  readonly #transcript: string[] = [];
  #memory = new Memory(1);
  /** How many messages of a type `nextMessage` has handed out, by type and user. */
  readonly #handedOut = new Map<string, number>();
  #isClosed = false;

  constructor(options: TestServerOptions = {}) {
    const acceptor: Acceptor = {
      latency: () => (this.#isClosed ? 0 : this.#network.latency()),
      delivered: () => this.#pace.delivered(),
      isSilent: () => !this.#isClosed && this.#network.isSilent,
      opened: (remote) => this.#admission.admit(remote),
      handlerFailed: (event, cause) =>
        this.#problems.add(`a handler of the socket's \`${event}\` event threw: ${cause}`, cause),
    };
    this.WebSocket = webSocketClass(acceptor);
    this.#admission = new Admission({
      options,
      network: this.#network,
      isClosed: () => this.#isClosed,
      opened: (connection, isFirst) => this.#opened(connection, isFirst),
      received: (connection, data) => this.#intake.take(connection, data),
      transmit: (connection, frame) => this.#transmit(connection, frame),
      ended: (connection, isLast) => this.#ended(connection, isLast),
    });
    this.#delivery = new Delivery(
      () => this.#memory,
      () => this.#admission.connections,
      (connection, frame) => this.#transmit(connection, frame),
    );
    this.#rooms = new Rooms(
      () => this.#memory,
      (room) => this.#roomChanged(room),
    );
    this.#publisher = new Publisher(this.#delivery, this.#rooms, this.#conversations);
    this.#intake = new Intake({
      options,
      network: this.#network,
      problems: this.#problems,
      delivery: this.#delivery,
      rooms: this.#rooms,
      memory: () => this.#memory,
      handlers: (type) => [...(this.#handlers.get(type) ?? [])],
      publish: (room, type, data, more, author) => this.#publisher.toRoom(room, type, data, more, author),
      processed: (message) => {
        push(this.#processed, message);
        this.#pace.wake();
      },
      refused: (message) => push(this.#refused, message),
      note: (connection, text) => this.#note(connection, ">", text),
      delivered: () => this.#pace.delivered(),
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

  /**
   * Makes `globalThis.WebSocket` the one of this server, for apps whose client is made out of the test's reach. Call it before the client connects, and `uninstall()` or
   * `close()` after the test.
   */
  install(): this {
    this.#global.replace(this.WebSocket);
    return this;
  }

  /** Puts the `WebSocket` back that was there before. */
  uninstall(): void {
    this.#global.restore();
  }

  /** The connections that are open, oldest first. */
  get connections(): readonly TestConnection[] {
    return [...this.#admission.connections];
  }

  /**
   * The newest open connection, or the next one if there is none. Without a `delay`, its client has been welcomed by then, and has sent what waited.
   *
   * @throws TestServerError if none has opened after two seconds of real time: the client does not connect, or waits for a clock that nobody moves.
   */
  async connection({ user }: UserFilter = {}): Promise<TestConnection> {
    const find = () => this.connections.filter((connection) => user === undefined || connection.user === user).at(-1);
    const connection = await this.#pace.until(find, () => this.#complaint(`no client${of(user)} has connected`));
    await this.#pace.calm();
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
    return this.#admission.isOnline(user);
  }

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
    { user }: UserFilter = {},
  ): Promise<ReceivedMessage<Type, ToServer[Type]>> {
    const key = JSON.stringify([type, user]);
    const find = () => {
      const handedOut = this.#handedOut.get(key) ?? 0;
      const found = this.received(type).filter((message) => user === undefined || message.user === user)[handedOut];
      if (found) this.#handedOut.set(key, handedOut + 1);
      return found;
    };
    return this.#pace.until(find, () => this.#complaint(`no \`${type}\`${of(user)} was processed`));
  }

  /**
   * Sends an event to users.
   *
   * @throws TestServerError if no client has connected yet, so that nobody could hear of it. TypeError if `data` is no object.
   */
  emit<Type extends string & keyof FromServer>(type: Type, data: FromServer[Type], options: EmitOptions = {}): void {
    checkEvent(type, data);
    if (this.#admission.count === 0) throw unheard(type, "no client has connected yet, await `server.connection()`");
    const everyone = () => new Set([...this.connections.map(({ user }) => user), ...this.#memory.users]);
    const users = options.to === undefined ? everyone() : typeof options.to === "string" ? [options.to] : options.to;
    this.#publisher.toUsers(users, type, data as Data, options.stored);
  }

  /**
   * Sends an event to everyone in a room: a session, a match, or whatever handlers have joined users to. It goes into no history: a `read_message` for a `new_message` that was only
   * published is refused as `not_found`, unless {@link seedHistory} has it too.
   *
   * @throws TestServerError if nobody has joined it yet. TypeError if `data` is no object.
   */
  publish<Type extends string & keyof FromServer>(
    room: string,
    type: Type,
    data: FromServer[Type],
    options: Pick<PublishOptions, "stored"> = {},
  ): void {
    if (!this.#memory.rooms.has(room)) {
      throw unheard(type, `nobody has joined "${room}" yet, await \`server.nextMessage()\` of what joins it`);
    }
    this.#publisher.toRoom(room, type, data as Data, options);
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

  /** Puts messages into the history of a conversation, as if they had been written before the test. Each needs an `id`. */
  seedHistory(room: string, messages: readonly Data[]): void {
    for (const message of messages) this.remember(room, message);
  }

  /** What was written in a conversation, oldest first: what an app fetches over HTTP, and what `loadEarlier` and `loadMissed` of `chat()` ask for. */
  history(room: string, query: HistoryQuery = {}): HistoryPage {
    return this.#conversations.page(room, query);
  }

  /** Adds a message to the history of a conversation, or replaces the one with its id. The last 10 000 are kept. For dialects. */
  remember(room: string, message: Data): void {
    this.#conversations.remember(room, message);
  }

  /** Tells the senders of messages of a room up to this one that others have read them. For dialects. */
  markAsRead(room: string, messageId: string, reader: string): void {
    for (const origin of this.#conversations.sentUpTo(room, messageId)) {
      if (origin.user !== reader) this.#delivery.advance(origin, "read");
    }
  }

  /**
   * Resolves when nothing is on its way any more that needs no clock.
   *
   * @throws TestServerError if a handler has thrown since the last time, a client has broken the protocol, or client and server answer each other without end. Of several, an
   * `AggregateError`.
   */
  async settled(): Promise<void> {
    await this.#pace.calm();
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

  /** Forgets the stored events of a user up to an offset, by default all, as a bounded history does: a client that has not had them yet is told of a gap. */
  forgetEvents(user: string, upTo = Number.MAX_SAFE_INTEGER): void {
    this.#memory.stream(user, "user").forget(upTo);
  }

  /**
   * Ends the server, for `afterEach`: connections are closed with 1002, and so are attempts, at which a client stops until it is told to connect anew, so that none is left to disturb
   * another test. Timers are cancelled, and the global `WebSocket` is put back.
   *
   * @throws TestServerError as {@link TestServer.settled} does, so that no mistake goes unnoticed.
   */
  close(): void {
    this.#isClosed = true;
    this.uninstall();
    this.faults.end();
    this.#admission.end();
    this.#problems.raise();
  }

  /** {@inheritDoc close} */
  [Symbol.dispose](): void {
    this.close();
  }

  #opened(connection: ServerConnection, isFirst: boolean): void {
    this.#tell(this.#connected, "onConnection", connection);
    if (isFirst) this.#presenceChanged(connection.user, true);
    this.#pace.wake();
  }

  #ended({ user }: ServerConnection, isLast: boolean): void {
    this.#rooms.gone(user, isLast);
    if (isLast) this.#presenceChanged(user, false);
  }

  #presenceChanged(user: string, isOnline: boolean): void {
    for (const listener of this.#presence) this.#guarded("onPresence", () => listener(user, isOnline));
    for (const room of this.#rooms.of(user)) this.#roomChanged(room);
  }

  #roomChanged(room: string): void {
    if (this.#changedRooms.size === 0) {
      Promise.resolve().then(() => {
        this.#pace.delivered();
        const rooms = [...this.#changedRooms];
        this.#changedRooms.clear();
        for (const changed of rooms) this.#tell(this.#roomChanges, "onRoomChange", changed);
      });
    }
    this.#changedRooms.add(room);
  }

  #transmit(connection: ServerConnection, frame: object): void {
    if (!connection.isOpen) return;
    const text = JSON.stringify(frame);
    this.#note(connection, "<", text);
    if (!this.#network.loses("server", (frame as { type?: string }).type)) connection.remote.send(text);
  }

  #each(act: FaultAct): void {
    for (const connection of [...this.#admission.connections]) {
      if (act === "drop") connection.drop();
      else if (act === "silence") {
        connection.remote.silence();
        connection.end();
      } else if (act === "hold" || act === "release") connection.remote.hold(act === "hold");
      else connection.close(act.close, act.reason);
    }
  }

  #forget(what: "clients" | "everything"): void {
    this.#conversations.forgetSenders();
    if (what === "clients") this.#memory.forgetClients();
    else this.#memory = new Memory(this.#memory.epoch + 1);
  }

  /** Why a test waits in vain. */
  #complaint(what: string): string {
    const [mistake] = this.#problems.all;
    return `${what}; ${mistake?.message ?? "with fake timers, somebody has to move the clock while the client waits"}`;
  }

  #endless(): void {
    const latest = this.#transcript.slice(-2).map(shortened);
    this.#problems.add(`client and server answer each other without end: ${latest.join(" ")}`);
    this.#each("silence");
  }

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

const of = (user: string | undefined): string => (user === undefined ? "" : ` of "${user}"`);

const unheard = (type: string, why: string): TestServerError =>
  new TestServerError(`nobody can hear of \`${type}\`: ${why}`);

const MAX_TRANSCRIPT = 1_000;

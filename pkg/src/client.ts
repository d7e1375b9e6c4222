/// <reference lib="esnext.disposable" preserve="true" />
import * as host from "../wasm/host.js";
import type { EverwireError } from "./errors.js";
import { listen } from "./log.js";
import { Message } from "./message.js";
import type { Outbox, StoredMessage } from "./outbox.js";
import type {
  AnyEvents,
  ConnectionState,
  DataArgument,
  Envelope,
  Handler,
  LifecycleEvents,
  Options,
  RequestOptions,
  SendOptions,
  SendResult,
  Snapshot,
} from "./types.js";

/** Loads the wasm module if need be, and gives its functions. */
export type Load = () => Core;

/** A client of the wasm module: a pointer. */
type Pointer = number;

/** What the wasm module can do. */
export interface Core {
  everwire_create(): Pointer;
  everwire_dispose(client: Pointer): void;
  everwire_signal(client: Pointer, now: number, fact: number, a: number, b: number, c: number): number;
  /** One of the constants below, and the number of the message that it is about. Says whether it was in time. */
  everwire_command(client: Pointer, command: number, seq?: number): number;
  /**
   * The message's number, negative if it is queued, or 0 if it was refused. `undefined` arrives as NaN or 0 and stands for none. A message with a `sender` is one
   * that an earlier page has left.
   */
  everwire_send(
    client: Pointer,
    frame: number,
    bytes: number,
    purpose: number,
    key: number,
    ttlMs: number | undefined,
    isDurable: number,
    replyWithinMs: number | undefined,
    sender: number | undefined,
    seq: number | undefined,
    ageMs: number | undefined,
  ): number;
}

/** What a client has to give back. Must not lead to the client, which would never become unused. */
interface Native {
  readonly core: Core;
  readonly pointer: Pointer;
  readonly outbox: Outbox | undefined;
}

function free({ core, pointer, outbox }: Native): void {
  core.everwire_dispose(pointer);
  outbox?.close();
}

/** Frees the clients whose stores, and so their sockets and timers, are gone. */
const unused = new FinalizationRegistry(free);

const disposed = (): EverwireError => host.error("disposed", "the client was disposed of");

const CONNECT = 0;
const RECONNECT = 1;
const DISCONNECT = 2;
const FORGET = 3;
const STORED = 4;
const CANCEL = 5;

/**
 * One logical connection to a server, over as many WebSockets as it takes.
 *
 * `Events` maps the names of the events that `on` takes to their payloads, `Sends` those that `send` takes; with one map, both
 * take the same. Without a map, every event is accepted.
 */
export class Client<Events extends object = AnyEvents, Sends extends object = Events> {
  readonly #store: host.Store;
  /** `undefined` once the client is disposed of. */
  #native: Native | undefined;
  /** Resolves when the messages of earlier pages are back in the queue, or cannot be had. */
  #restored: Promise<void> | undefined;
  /** How often the application has logged out. */
  #logouts = 0;
  readonly #options: Options;

  /** Reads the options; does not connect. Throws a `ConfigError` that names a wrong option and what it accepts. */
  constructor(load: Load, options: Options = {}) {
    host.checkOptions(options);
    this.#options = options;
    const { token, logger, outbox } = options;
    // What earlier pages have left is sent first, so the first token waits for it.
    const source: Options["token"] = outbox
      ? async (request) => {
          await this.#restored;
          return (typeof token === "function" ? token(request) : token) ?? null;
        }
      : token;
    const core = load();
    const store = host.newStore(options, source);
    const pointer = host.within(store, core.everwire_create);
    store.signal = (now, fact, a, b, c) => core.everwire_signal(pointer, now, fact, a, b, c);
    store.outbox = outbox;
    this.#store = store;
    this.#native = { core, pointer, outbox };
    unused.register(store, this.#native, store);
    if (logger) listen(this as unknown as Client, logger);
  }

  /** Connects, unless a connection is open, under way or scheduled. Throws when the URL cannot be connected to. */
  connect(): void {
    this.#connect(CONNECT);
  }

  /** Closes with code 1000 and stays closed. The queue is kept for the next connection. */
  disconnect(): void {
    this.#command(DISCONNECT);
  }

  /** Drops whatever connection there is and connects anew, with a fresh budget of attempts. */
  reconnect(): void {
    this.#connect(RECONNECT);
  }

  /**
   * Sends an event, or queues it until the connection is open and sessions are rejoined. The result says which, or why it was
   * refused; a refused message is neither sent nor queued. An accepted one goes on to tell its status. Pings and typing are never
   * queued for a later connection.
   */
  send<Name extends keyof Sends & string>(event: Name, ...args: DataArgument<Sends[Name], SendOptions>): SendResult;
  send(event: string, ...args: unknown[]): SendResult {
    const [data, options = {}] = args as [data?: unknown, options?: SendOptions];
    const result = this.#submit(event, data, options);
    if (typeof result !== "number")
      return { status: "refused", code: result.code, reason: result.message, error: result };
    const seq = Math.abs(result);
    const isSent = result > 0;
    const isEphemeral = options.volatile || host.purpose(event, data) === 1;
    const isDone = isSent && (isEphemeral || this.getSnapshot().delivery !== "reliable");
    const { messages, outbox, clientId } = this.#store;
    const message = new Message(isSent ? "sent" : "queued", isDone, isEphemeral, options.durable === true, () => {
      const isInTime = this.#command(CANCEL, seq);
      if (isInTime) {
        messages.delete(seq);
        if (options.durable) outbox?.remove(clientId, seq);
        message.move("cancelled", host.error("cancelled", "the message was taken back"));
      }
      return isInTime;
    });
    if (!isDone) messages.set(seq, message);
    return message as SendResult;
  }

  /**
   * Sends an event and waits for the server's reply to it. Needs the reliable mode. Rejects with an {@link EverwireError} whose code is that of
   * a refused message, `refused` by the server, `timed_out`, `abandoned` (the connection was given up or closed), or the reason of
   * a drop.
   */
  request<Reply = unknown, Name extends keyof Sends & string = keyof Sends & string>(
    event: Name,
    ...args: DataArgument<Sends[Name], RequestOptions>
  ): Promise<Reply>;
  request<Reply>(event: string, ...args: unknown[]): Promise<Reply> {
    const [data, { timeoutMs = 10_000 } = {}] = args as [data?: unknown, options?: RequestOptions];
    return new Promise((resolve, reject) => {
      const result = this.#submit(event, data, {}, timeoutMs);
      if (typeof result !== "number") reject(result);
      else this.#store.requests.set(Math.abs(result), [resolve as (reply: unknown) => void, reject]);
    });
  }

  /** Resolves when a message would be sent at once, or queued while there is no connection: the pace at which to send a lot. */
  async whenRoom(): Promise<void> {
    while (this.#native && !this.getSnapshot().hasRoom) {
      await new Promise<void>((resolve) => {
        const stop = this.subscribe(() => {
          stop();
          resolve();
        });
      });
    }
  }

  /**
   * Disconnects and forgets every message, also those of the outbox, of other tabs and earlier pages: the user has logged out. Resolves
   * when the outbox is empty, and rejects if it could not be emptied; then its messages are still on disk, and it has to be called again before
   * another user logs in.
   */
  async logout(): Promise<void> {
    this.#logouts++;
    this.disconnect();
    this.#command(FORGET);
    this.#store.joins.clear();
    await this.#options.outbox?.wipe();
  }

  /**
   * Disconnects at once and for good, and gives back everything that the client holds: its memory, its timers and listeners, and the outbox with
   * its locks. What is stored there stays, for other pages to send. What waits fails with the code `disposed`; so does what is asked of the client
   * afterwards, except for what ends something, which is in vain. Calling it again does nothing.
   */
  dispose(): void {
    const native = this.#native;
    if (!native) return;
    this.#native = undefined;
    unused.unregister(this.#store);
    host.within(this.#store, () => native.core.everwire_command(native.pointer, DISCONNECT));
    host.end(this.#store, disposed());
    // A token function may be who calls, and the core be waiting for it.
    queueMicrotask(() => free(native));
  }

  /** {@inheritDoc dispose} */
  [Symbol.dispose](): void {
    this.dispose();
  }

  #connect(command: number): void {
    if (!this.#native) throw disposed();
    const { url, path } = this.#options;
    try {
      this.#store.endpoint = host.endpoint(url, path);
    } catch (error) {
      host.setError(this.#store, error);
      throw error;
    }
    void this.#open();
    this.#command(command);
  }

  #command(command: number, seq?: number): boolean {
    const native = this.#native;
    return !!native && host.within(this.#store, () => native.core.everwire_command(native.pointer, command, seq)) > 0;
  }

  #submit(event: string, data: unknown, options: SendOptions, timeoutMs?: number): number | EverwireError {
    const { volatile, ttlMs, durable, coalesce = host.coalesceKey(this.#store, event, data) } = options;
    try {
      for (const [name, value] of Object.entries({ ttlMs, timeoutMs })) {
        if (value !== undefined && !(value >= 1)) throw new host.ConfigError(name, "a number from 1");
      }
      if (durable && (!this.#options.outbox || volatile)) {
        throw new host.ConfigError("durable", "used with the client's `outbox` and without `volatile`");
      }
      const frame = host.encode(event, data, timeoutMs !== undefined, this.#store.clientId !== undefined);
      const bytes = host.byteLength(frame);
      const purpose = host.purpose(event, data) || (volatile ? 1 : 0);
      const session = purpose > 1 ? host.session(event, data) : coalesce;
      const isDurable = durable === true && this.#store.outbox !== undefined;
      const result = this.#hand(frame, bytes, purpose, session, ttlMs, isDurable, timeoutMs);
      if (isDurable && typeof result === "number") {
        const seq = Math.abs(result);
        const expiresAt = ttlMs === undefined || ttlMs === Infinity ? null : Date.now() + ttlMs;
        const { clientId } = this.#store;
        void this.#keep({ clientId, seq, frame, bytes, purpose, session, expiresAt, createdAt: Date.now() });
      }
      return result;
    } catch (error) {
      return error as EverwireError;
    }
  }

  #hand(
    frame: string,
    bytes: number,
    purpose: number,
    keyText: string | undefined,
    ttlMs: number | undefined,
    isDurable: boolean,
    replyWithinMs: number | undefined,
    sender?: number,
    seq?: number,
    ageMs?: number,
  ): number {
    const native = this.#native;
    if (!native) throw disposed();
    const store = this.#store;
    const [draft, key] = host.draft(store, frame, purpose, keyText);
    const result = host.within(store, () =>
      native.core.everwire_send(
        native.pointer,
        draft,
        bytes,
        purpose,
        key,
        ttlMs,
        +isDurable,
        replyWithinMs,
        sender,
        seq,
        ageMs,
      ),
    );
    if (result) return result;
    store.drafts.delete(draft);
    throw store.refusal;
  }

  /** Puts a message on disk, or says why it stays in memory; then it may be sent. */
  async #keep(message: StoredMessage): Promise<void> {
    await this.#open();
    // It may have been taken back meanwhile, and must not come again with the next page.
    if (!this.#store.messages.has(message.seq)) return;
    try {
      await this.#store.outbox?.put(message);
    } catch (cause) {
      this.#complain(cause);
    }
    this.#command(STORED, message.seq);
  }

  /** Opens the outbox with the first need for it, so that a client that is thrown away unused has taken nothing over. */
  #open(): Promise<void> | undefined {
    const { outbox } = this.#options;
    if (outbox) this.#restored ??= this.#restore(outbox);
    return this.#restored;
  }

  async #restore(outbox: Outbox): Promise<void> {
    const self = new WeakRef(this);
    const logouts = this.#logouts;
    try {
      const messages = await outbox.open(this.#store.clientId, (later) => {
        const client = self.deref();
        if (client) client.#adopt(later);
      });
      // What a user has left who has logged out meanwhile must not be sent under the token of the next.
      if (logouts === this.#logouts) this.#adopt(messages);
    } catch (cause) {
      this.#store.outbox = undefined;
      this.#complain(cause);
    }
  }

  /** Takes over what pages that are gone have left. */
  #adopt(messages: StoredMessage[]): void {
    if (!this.#native) return;
    const { senders } = this.#store;
    const now = Date.now();
    for (const {
      frame,
      bytes,
      purpose,
      session,
      expiresAt,
      createdAt = now,
      clientId: sender,
      seq,
    } of messages.reverse()) {
      const ttl = expiresAt === null ? Infinity : Math.max(expiresAt - now, 0);
      let index = senders.indexOf(sender);
      if (index < 0) index = senders.push(sender) - 1;
      this.#hand(frame, bytes, purpose, session, ttl, false, undefined, index, seq, now - createdAt);
    }
  }

  #complain(cause: unknown): void {
    const { code = "storage_failed", message } = cause as { code?: EverwireError["code"]; message: string };
    host.tellError(this.#store, host.error(code, message, cause));
  }

  /**
   * Calls `handler` with the payload and the whole message of every event of this name. Returns a function that ends exactly this
   * subscription. A handler that throws does not stop the others; the exception is reported as an `error` event.
   */
  on<Name extends keyof LifecycleEvents>(
    event: Name,
    handler: (data: LifecycleEvents[Name], message: undefined) => void,
  ): () => void;
  on<Name extends keyof Events & string>(
    event: Name,
    handler: Handler<Events[Name], Envelope<Name, Events[Name]>>,
  ): () => void;
  on(event: string, handler: unknown): () => void {
    const id = host.addHandler(this.#store, event, handler);
    return () => host.removeHandler(this.#store, event, id);
  }

  /** Removes a handler of an event, or all of them. */
  off(event: (keyof Events & string) | keyof LifecycleEvents, handler?: unknown): void {
    host.removeHandler(this.#store, event, undefined, handler);
  }

  /** Whether messages flow. */
  isConnected(): boolean {
    return this.getState() === "open";
  }

  /** The state of the WHATWG WebSocket interface; {@link getSnapshot} also says why. */
  getState(): ConnectionState {
    return this.getSnapshot().state;
  }

  /** Where the connection stands, and why. The same object until something changes. */
  getSnapshot(): Snapshot {
    return this.#store.snapshot;
  }

  /** Calls `listener` whenever the snapshot has changed. Returns a function that ends the subscription. */
  subscribe(listener: () => void): () => void {
    return host.listen(this.#store.listeners, listener);
  }
}

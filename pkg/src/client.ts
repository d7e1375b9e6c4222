/// <reference lib="esnext.disposable" preserve="true" />
import { Core } from "../wasm/everwire.js";
import type { Chat, ChatClient, ChatKind } from "./chat.js";
import type { AnyEventHandler, AnyEvents, Envelope, Handler } from "./envelope.js";
import { ConfigError, disposed, EverwireError, error } from "./errors.js";
import { classify } from "./host/classify.js";
import type { OutgoingMessage, RestoredMessage } from "./host/contract.js";
import { encode } from "./host/encode.js";
import { endpoint } from "./host/endpoint.js";
import type { AnyHandler } from "./host/handlers.js";
import { Host } from "./host/host.js";
import { byteLength } from "./host/json.js";
import { checkOptions } from "./host/options.js";
import { randomNumbers, webSocketClass } from "./host/platform.js";
import { warnOfUnknownMessageOptions, warnOfUnknownOptions } from "./host/unknownOptions.js";
import { REFUSAL_TEXTS } from "./host/words.js";
import type { LifecycleEvents } from "./lifecycle.js";
import { listen, log } from "./log.js";
import { Message } from "./message.js";
import type { Options } from "./options.js";
import type { Outbox, StoredMessage } from "./outbox.js";
import type { DataArgument, RequestOptions, SendOptions, SendResult } from "./sending.js";
import type { ConnectionState, Snapshot } from "./snapshot.js";

/** Loads the wasm module if need be. */
export type Load = () => void;

/** What a message is for, as it is stored. */
const STORED_PURPOSES = ["ordinary", "volatile", "join", "leave"] as const;

/**
 * One logical connection to a server, over as many WebSockets as it takes.
 *
 * `Events` maps the names of the events that `on` takes to their payloads, `Sends` those that `send` takes; with one map, both
 * take the same. Without a map, every event is accepted.
 */
export class Client<Events extends object = AnyEvents, Sends extends object = Events> {
  readonly #host: Host;
  /** `undefined` once the client is disposed of. */
  #core: Core | undefined;
  /** Resolves when the messages of previous client instances are back in the queue, or cannot be had. */
  #restored: Promise<void> | undefined;
  /** How often the application has logged out. */
  #logouts = 0;

  /** Reads the options; does not connect. Throws a `ConfigError` that names a wrong option and what it accepts, or an {@link EverwireError} that says why there can be no client here. */
  constructor(load: Load, options: Options = {}) {
    checkOptions(options);
    if (DEVELOPMENT) warnOfUnknownOptions(options);
    const { token, logger, outbox, chat } = options;
    // What previous client instances have left is sent first, so the first token waits for it.
    const source: Options["token"] = outbox
      ? async (request) => {
          await this.#restored;
          await outbox.ready;
          return typeof token === "function" ? token(request) : token;
        }
      : token;
    load();
    const host = new Host(options, source);
    const core = new Core(host, seed());
    host.core = core;
    host.show(core.snapshot());
    this.#host = host;
    this.#core = core;
    host.handlers.chats = chat?.(this as unknown as Client as ChatClient, error);
    if (logger) listen(this as unknown as Client, logger);
  }

  /** Connects, unless a connection is open, under way or scheduled. Throws when the URL cannot be connected to, or there is no `WebSocket`. */
  connect(): void {
    this.#prepare().command(this.#host, "connect");
  }

  /** Closes with code 1000 and stays closed. The queue is kept for the next connection. */
  disconnect(): void {
    this.#core?.command(this.#host, "disconnect");
  }

  /** Drops whatever connection there is and connects anew, with a fresh budget of attempts. */
  reconnect(): void {
    this.#prepare().command(this.#host, "reconnect");
  }

  /**
   * Says that `token` has another one now, as when somebody has logged in. Connects if the client waits in the phase `logged_out` or for its next
   * attempt, has given up, or has stopped because the server refused the token. A connection that is open keeps its own; {@link reconnect} replaces it.
   */
  tokenChanged(): void {
    this.#core?.command(this.#host, "token_changed");
  }

  /**
   * Sends an event, or queues it until the connection is open and sessions are rejoined. The result says which, or why it was
   * refused; a refused message is neither sent nor queued. An accepted one goes on to tell its status. Pings and typing are never
   * queued for a later connection.
   */
  send<Name extends keyof Sends & string>(event: Name, ...args: DataArgument<Sends[Name], SendOptions>): SendResult;
  send(event: string, ...args: unknown[]): SendResult {
    const [data, options] = args as [data?: unknown, options?: SendOptions];
    if (DEVELOPMENT && options) warnOfUnknownMessageOptions(options, false);
    return this.#host.beforeDelivery(() => this.#send(event, data, options ?? {}));
  }

  #send(event: string, data: unknown, options: SendOptions): SendResult {
    const host = this.#host;
    try {
      const { seq, isSent, isVolatile } = this.#submit(event, data, options);
      const isDurable = options.durable === true;
      const isDone = isSent && (isVolatile || this.getSnapshot().delivery !== "reliable");
      const message = new Message(host, seq, isSent ? "sent" : "queued", isDone, isVolatile, isDurable);
      if (!isDone) host.outcomes.watch(seq, message);
      return message as SendResult;
    } catch (cause) {
      const refusal = this.#refusal(event, cause);
      return { status: "refused", code: refusal.code, reason: refusal.message, error: refusal };
    }
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
    const [data, options] = args as [data?: unknown, options?: RequestOptions];
    if (DEVELOPMENT && options) warnOfUnknownMessageOptions(options, true);
    const host = this.#host;
    return new Promise((resolve, reject) =>
      host.beforeDelivery(() => {
        try {
          const { seq } = this.#submit(event, data, {}, options?.timeoutMs ?? 10_000);
          host.outcomes.expectReply(seq, resolve as (reply: unknown) => void, reject);
        } catch (cause) {
          reject(this.#refusal(event, cause));
        }
      }),
    );
  }

  /** Resolves when a message would be sent at once, or queued while there is no connection: the pace at which to send a lot. */
  async whenRoom(): Promise<void> {
    while (this.#core && !this.getSnapshot().hasRoom) {
      await new Promise<void>((resolve) => {
        const stop = this.subscribe(() => resolve(stop()));
      });
    }
  }

  /**
   * A session of MasterX: its messages, members and who types, as a store. The same object for the same id while it is in use. Throws `not_configured` without the
   * option `chat`, and `invalid_data` for an empty id.
   */
  session(id: string): Chat {
    return this.#chat("session", id);
  }

  /** A match of CoLabMatch, like {@link session}. */
  match(id: string): Chat {
    return this.#chat("match", id);
  }

  #chat(kind: ChatKind, id: string): Chat {
    const { chats } = this.#host.handlers;
    if (!id) throw error("invalid_data", "a conversation needs an id");
    if (!chats) {
      const where = DEVELOPMENT
        ? ", or to configureWebSocket() where hooks have no <WebSocketProvider> above them"
        : "";
      throw error("not_configured", `pass \`chat: chat()\` of everwire/session in the client's options${where}`);
    }
    return chats.of(kind, id);
  }

  /**
   * Disconnects and forgets every message of this client, and all that the outbox has, also of other tabs and previous pages: the user has logged out.
   * Clients of other tabs go on with what they have in memory, until they are logged out as well. Resolves when the outbox is empty, and rejects if it could
   * not be emptied; then its messages are still on disk, and it has to be called again before another user logs in.
   */
  async logout(): Promise<void> {
    this.#logouts++;
    this.disconnect();
    this.#forget();
    await this.#host.options.outbox?.wipe();
    // What was written meanwhile is the same user's.
    this.#forget();
  }

  #forget(): void {
    this.#core?.command(this.#host, "forget");
    this.#host.handlers.chats?.clear();
  }

  /**
   * Disconnects at once and for good, and gives back everything that the client holds: its memory, its timers and listeners, and the outbox with
   * its locks. What is stored there stays, for other pages to send. What waits fails with the code `disposed`; so does what is asked of the client
   * afterwards, except for `tokenChanged()` and what ends something, which is in vain. Calling it again does nothing.
   */
  dispose(): void {
    const core = this.#core;
    if (!core) return;
    const host = this.#host;
    this.#core = undefined;
    host.outcomes.failAll(disposed());
    core.command(host, "disconnect");
    host.end(disposed());
    // A token function may be who calls, and the core be waiting for it.
    queueMicrotask(() => {
      host.options.outbox?.close();
      core.free();
    });
  }

  /** {@inheritDoc dispose} */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Gets ready to connect. */
  #prepare(): Core {
    const { options } = this.#host;
    try {
      if (!this.#core) throw disposed();
      this.#host.endpoint = endpoint(options.url, options.path);
      webSocketClass(options);
      void this.#open();
      return this.#core;
    } catch (cause) {
      log(options.logger, "error", (cause as EverwireError).message);
      this.#host.setError(cause as EverwireError);
      throw cause;
    }
  }

  /** Hands an event to the core. Throws an error that says why it was not accepted. */
  #submit(
    event: string,
    data: unknown,
    { volatile, ttlMs, durable, coalesce }: SendOptions,
    timeoutMs?: number,
  ): { seq: number; isSent: boolean; isVolatile: boolean } {
    const host = this.#host;
    checkDuration("ttlMs", ttlMs);
    checkDuration("timeoutMs", timeoutMs);
    if (durable && (!host.options.outbox || volatile)) {
      throw new ConfigError("durable", "used with the client's `outbox` and without `volatile`");
    }
    const frame = encode(event, data, timeoutMs !== undefined, host.isReliable);
    let { purpose, key, rank = 0 } = classify(event, data, host.options.sessions);
    if (purpose === "ordinary" && volatile) purpose = "volatile";
    if ((purpose === "ordinary" || purpose === "volatile") && coalesce !== undefined) [key, rank] = [coalesce, 0];
    const bytes = byteLength(frame);
    const isDurable = durable === true && host.outbox !== undefined;
    const message: OutgoingMessage = { frame, bytes, purpose, key, rank, ttlMs, isDurable, timeoutMs, seq: 0 };
    const core = this.#core;
    if (!core) throw disposed();
    const outcome = core.send(host, message);
    if (outcome !== "sent" && outcome !== "queued") {
      const sizes = message.maxBytes ? `: ${bytes} bytes of ${message.maxBytes}` : "";
      throw error(outcome, REFUSAL_TEXTS[outcome] + sizes);
    }
    const { seq } = message;
    if (isDurable) {
      const createdAt = Date.now();
      void this.#keep({
        frame,
        bytes,
        purpose: STORED_PURPOSES.indexOf(purpose),
        session: key,
        expiresAt: ttlMs && ttlMs < Infinity ? createdAt + ttlMs : null,
        createdAt,
        clientId: host.clientId,
        seq,
      });
    }
    return { seq, isSent: outcome === "sent", isVolatile: purpose === "volatile" };
  }

  /** What is told of a message that was not accepted: what its data throws while it is read is its own. */
  #refusal(event: string, cause: unknown): EverwireError {
    const refusal =
      cause instanceof EverwireError ? cause : error("unserialisable", "the data cannot be read (see `cause`)", cause);
    // What is no name of an event may be a payload in the wrong place.
    const type = typeof event === "string" ? event : undefined;
    log(this.#host.options.logger, "warn", `refused ${JSON.stringify({ type, code: refusal.code })}`);
    return refusal;
  }

  /** Puts a message on disk, or says why it stays in memory; then it may be sent. */
  async #keep(message: StoredMessage): Promise<void> {
    await this.#open();
    // It may have been taken back meanwhile, and must not come again with the next page.
    if (!this.#host.outcomes.get(message.seq)) return;
    try {
      await this.#host.outbox?.put(message);
    } catch (cause) {
      this.#complain(cause);
    }
    this.#core?.command(this.#host, "stored", message.seq);
  }

  /** Opens the outbox with the first need for it, so that a client that is thrown away unused has taken nothing over. */
  #open(): Promise<void> | undefined {
    const { outbox } = this.#host.options;
    if (outbox) this.#restored ??= this.#restore(outbox);
    return this.#restored;
  }

  async #restore(outbox: Outbox): Promise<void> {
    const self = new WeakRef(this);
    const logouts = this.#logouts;
    try {
      const messages = await outbox.open(this.#host.clientId, (later) => {
        const client = self.deref();
        if (client) client.#adopt(later);
      });
      // What a user has left who has logged out meanwhile must not be sent under the token of the next.
      if (logouts === this.#logouts) this.#adopt(messages);
    } catch (cause) {
      this.#host.outbox = undefined;
      this.#complain(cause);
    }
  }

  /** Takes over what pages that are gone have left. */
  #adopt(messages: StoredMessage[]): void {
    const now = Date.now();
    for (const message of messages.reverse()) {
      const { frame, bytes, purpose, session: key, expiresAt, createdAt = now, clientId: origin, seq } = message;
      this.#core?.restore(this.#host, {
        frame,
        bytes,
        purpose: STORED_PURPOSES[purpose] ?? "ordinary",
        key,
        ttlMs: expiresAt === null ? Infinity : Math.max(expiresAt - now, 0),
        origin,
        seq,
        // A time in the future says that the clock was wrong, so the message may be old.
        ageMs: Math.abs(now - createdAt),
      } satisfies RestoredMessage);
    }
  }

  #complain(cause: unknown): void {
    const { code = "storage_failed", message } = cause as { code?: EverwireError["code"]; message: string };
    this.#host.handlers.call("error", error(code, message, cause));
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
    return this.#host.handlers.add(event, handler as AnyHandler);
  }

  /**
   * Calls `handler` with the first event of this name from now on, and not again. Returns a function that ends the subscription before that; so does
   * {@link off} with the same handler. To wait for it: `await new Promise((resolve) => client.once("score", resolve))`, which waits for ever if the
   * event never comes.
   */
  once<Name extends keyof LifecycleEvents>(
    event: Name,
    handler: (data: LifecycleEvents[Name], message: undefined) => void,
  ): () => void;
  once<Name extends keyof Events & string>(
    event: Name,
    handler: Handler<Events[Name], Envelope<Name, Events[Name]>>,
  ): () => void;
  once(event: string, handler: unknown): () => void {
    const { handlers } = this.#host;
    const end = handlers.add(
      event,
      (data, message) => {
        end();
        (handler as AnyHandler)(data, message);
      },
      handler,
    );
    return end;
  }

  /**
   * Calls `handler` with the name, the payload and the whole message of every event of the server, also of those that nobody else handles, before
   * the event's own handlers. The client's own events, such as `open`, are not among them. Returns a function that ends the subscription. A handler
   * that throws is reported as with {@link on}.
   */
  onAny<Name extends keyof Events & string>(handler: AnyEventHandler<Events, Name>): () => void {
    const any = handler as (event: string, data: unknown, message: unknown) => void;
    return this.#host.handlers.add(null, (data, message) => any((message as Envelope).type, data, message));
  }

  /** Removes a handler of an event, or all of them; not those of {@link onAny}. */
  off(event: (keyof Events & string) | keyof LifecycleEvents, handler?: unknown): void {
    this.#host.handlers.remove(event, handler);
  }

  /** Whether messages flow. */
  isConnected(): boolean {
    return this.getState() === "open";
  }

  /** The state of the WHATWG WebSocket interface; {@link getSnapshot} also says why. */
  getState(): ConnectionState {
    return this.getSnapshot().state;
  }

  /** Where the connection stands, and why. The same object until something changes. Needs no `this`. */
  readonly getSnapshot = (): Snapshot => this.#host.snapshot;

  /** Calls `listener` whenever the snapshot has changed. Returns a function that ends the subscription. Needs no `this`. */
  readonly subscribe = (listener: () => void): (() => void) => this.#host.listeners.add(listener);
}

/** 53 bits for the randomness of a client. */
const seed = (): number => Number((randomNumbers(1)[0] as bigint) >> 11n);

function checkDuration(name: string, value: unknown): void {
  if (value !== undefined && !(typeof value === "number" && value >= 1)) throw new ConfigError(name, "a number from 1");
}

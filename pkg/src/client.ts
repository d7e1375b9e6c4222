import * as host from "../wasm/host.js";
import type { EverwireError } from "./errors.js";
import { listen } from "./log.js";
import type {
  AnyEvents,
  ConnectionState,
  DataArgument,
  Envelope,
  Handler,
  LifecycleEvents,
  Options,
  SendResult,
  Snapshot,
} from "./types.js";

/** Loads the wasm module if need be, and gives its client class. */
export type Load = () => new (options: Options, token: Options["token"], store: unknown) => Core;

/** What the wasm module's client class can do. */
interface Core {
  connect(endpoint: string): void;
  disconnect(): void;
  reconnect(endpoint: string): void;
  /** `true` if the frame was sent, `false` if it is queued, or the error that says why it was refused. */
  send(frame: string, bytes: number, purpose: number, session: string | undefined): boolean | EverwireError;
}

/**
 * One logical connection to a server, over as many WebSockets as it takes.
 *
 * `Events` maps the names of the events that `on` takes to their payloads, `Sends` those that `send` takes; with one map, both
 * take the same. Without a map, every event is accepted.
 */
export class Client<Events extends object = AnyEvents, Sends extends object = Events> {
  readonly #store = host.newStore();
  readonly #wasm: Core;
  readonly #endpoint: () => string;

  /** Reads the options; does not connect. Throws a `ConfigError` that names a wrong option and what it accepts. */
  constructor(load: Load, options: Options = {}) {
    host.checkOptions(options);
    const { url, path, token, logger } = options;
    this.#endpoint = () => {
      try {
        return host.endpoint(url, path);
      } catch (error) {
        host.setError(this.#store, error);
        throw error;
      }
    };
    this.#wasm = new (load())(options, token, this.#store);
    if (logger) listen(this as unknown as Client, logger);
  }

  /** Connects, unless a connection is open, under way or scheduled. Throws when the URL cannot be connected to. */
  connect(): void {
    this.#wasm.connect(this.#endpoint());
  }

  /** Closes with code 1000 and stays closed. The queue is kept for the next connection. */
  disconnect(): void {
    this.#wasm.disconnect();
  }

  /** Drops whatever connection there is and connects anew, with a fresh budget of attempts. */
  reconnect(): void {
    this.#wasm.reconnect(this.#endpoint());
  }

  /**
   * Sends an event, or queues it until the connection is open and sessions are rejoined. The result says which, or why it was
   * refused; a refused message is neither sent nor queued. Pings and typing are never queued.
   */
  send<Name extends keyof Sends & string>(event: Name, ...[data]: DataArgument<Sends[Name]>): SendResult {
    let result: boolean | EverwireError;
    try {
      const frame = host.encode(event, data);
      result = this.#wasm.send(frame, host.byteLength(frame), host.purpose(event, data), host.session(event, data));
    } catch (error) {
      result = error as EverwireError;
    }
    if (typeof result === "boolean") return { status: result ? "sent" : "queued" };
    return { status: "refused", code: result.code, reason: result.message, error: result };
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
    const own = () => listener();
    const { listeners } = this.#store;
    listeners.add(own);
    return () => listeners.delete(own);
  }
}

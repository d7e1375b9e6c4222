import { Pipe, type Pipework } from "./pipe.js";

/** What a server has of a WebSocket that somebody opens. */
export interface Remote {
  readonly url: URL;
  readonly protocols: readonly string[];
  /** Completes the handshake. */
  accept(protocol: string): void;
  /** Ends the attempt or the connection without a close frame, as far as the client can see; what is on its way is lost. */
  drop(): void;
  /** Nothing passes any more, and nobody is told. */
  silence(): void;
  /** Keeps what passes, in both directions, or lets it go on. */
  hold(isHeld: boolean): void;
  send(text: string): void;
  close(code: number, reason: string): void;
}

/** The server's part of a WebSocket. */
export interface RemoteListener {
  received(data: unknown): void;
  /** The client has closed it, with the code that it gave. */
  closed(code: number): void;
}

/** What stands at the other end of every WebSocket of a class. */
export interface Acceptor extends Pipework {
  /** Whether nothing passes on a connection once it is open. */
  isSilent(): boolean;
  /** Somebody opens a WebSocket. Returns who listens to it; `undefined` if it was dropped. */
  opened(remote: Remote): RemoteListener | undefined;
  /** A handler of an event has thrown. */
  handlerFailed(event: string, cause: unknown): void;
}

type Listener = ((event: object) => void) | { handleEvent(event: object): void };

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

/** The class of WebSockets that reach one server in memory and nothing else. */
export function webSocketClass(acceptor: Acceptor): typeof WebSocket {
  return class TestWebSocket extends InMemorySocket {
    constructor(url: string | URL, protocols: string | readonly string[] = []) {
      super(acceptor, url, typeof protocols === "string" ? [protocols] : protocols);
    }
  } as unknown as typeof WebSocket;
}

/** A WebSocket of the WHATWG interface. */
class InMemorySocket {
  static readonly CONNECTING = CONNECTING;
  static readonly OPEN = OPEN;
  static readonly CLOSING = CLOSING;
  static readonly CLOSED = CLOSED;
  readonly CONNECTING = CONNECTING;
  readonly OPEN = OPEN;
  readonly CLOSING = CLOSING;
  readonly CLOSED = CLOSED;

  readonly url: string;
  readonly extensions = "";
  readonly bufferedAmount = 0;
  protocol = "";
  binaryType = "blob";
  readyState = CONNECTING;
  onopen: ((event: object) => void) | null = null;
  onmessage: ((event: object) => void) | null = null;
  onerror: ((event: object) => void) | null = null;
  onclose: ((event: object) => void) | null = null;
  readonly #acceptor: Acceptor;
  readonly #toServer: Pipe;
  readonly #toClient: Pipe;
  readonly #listeners = new Map<string, Map<Listener, boolean>>();
  #server: RemoteListener | undefined;

  constructor(acceptor: Acceptor, url: string | URL, protocols: readonly string[]) {
    const address = parseAddress(url);
    this.url = address.href;
    this.#acceptor = acceptor;
    this.#toServer = new Pipe(acceptor);
    this.#toClient = new Pipe(acceptor);
    this.#toServer.put(() => {
      this.#server = acceptor.opened(this.#remote(address, protocols));
    });
  }

  send(data: unknown): void {
    if (this.readyState === CONNECTING) throw domError("InvalidStateError", "the WebSocket is still connecting");
    if (this.readyState === OPEN) this.#toServer.put(() => this.#server?.received(data));
  }

  close(code?: number, reason = ""): void {
    if (code !== undefined && code !== 1000 && !(code >= 3000 && code <= 4999)) {
      throw domError("InvalidAccessError", `the close code ${code} is neither 1000 nor from 3000 to 4999`);
    }
    if (this.readyState >= CLOSING) return;
    const wasOpen = this.readyState === OPEN;
    this.readyState = CLOSING;
    if (!wasOpen) {
      this.#toServer.put(() => this.#server?.closed(1006));
      Promise.resolve().then(() => this.#fail());
      return;
    }
    this.#toServer.put(() => {
      this.#server?.closed(code ?? 1005);
      this.#toClient.put(() => this.#ended(code ?? 1005, reason, true));
    });
  }

  addEventListener(type: string, listener: Listener | null, options?: boolean | { readonly once?: boolean }): void {
    if (listener === null) return;
    const listeners = this.#listeners.get(type) ?? new Map<Listener, boolean>();
    this.#listeners.set(type, listeners);
    if (!listeners.has(listener)) listeners.set(listener, typeof options === "object" && options.once === true);
  }

  removeEventListener(type: string, listener: Listener | null): void {
    if (listener !== null) this.#listeners.get(type)?.delete(listener);
  }

  dispatchEvent(event: { readonly type: string }): boolean {
    this.#tell(event.type, event);
    return true;
  }

  #remote(url: URL, protocols: readonly string[]): Remote {
    return {
      url,
      protocols,
      accept: (protocol) =>
        this.#toClient.put(() => {
          if (this.readyState !== CONNECTING) return;
          this.readyState = OPEN;
          this.protocol = protocol;
          if (this.#acceptor.isSilent()) this.#hold(true);
          this.#tell("open", {});
        }),
      drop: () => {
        this.#cut();
        Promise.resolve().then(() => {
          this.#acceptor.delivered();
          this.#fail();
        });
      },
      silence: () => this.#cut(),
      hold: (isHeld) => this.#hold(isHeld),
      send: (text) =>
        this.#toClient.put(() => {
          if (this.readyState === OPEN) this.#tell("message", { data: text, origin: url.origin });
        }),
      close: (code, reason) => {
        this.#toServer.cut();
        this.#toClient.put(() => this.#ended(code, reason, true));
      },
    };
  }

  #hold(isHeld: boolean): void {
    this.#toServer.hold(isHeld);
    this.#toClient.hold(isHeld);
  }

  #cut(): void {
    this.#toServer.cut();
    this.#toClient.cut();
  }

  #fail(): void {
    if (this.readyState === CLOSED) return;
    this.#tell("error", {});
    this.#ended(1006, "", false);
  }

  #ended(code: number, reason: string, wasClean: boolean): void {
    if (this.readyState === CLOSED) return;
    this.readyState = CLOSED;
    this.#toClient.cut();
    this.#tell("close", { code, reason, wasClean });
  }

  #tell(type: string, details: object): void {
    const event = { ...details, type, target: this, currentTarget: this, isTrusted: true };
    const handlers: Listener[] = [];
    const property = this[`on${type}` as "onopen"];
    if (typeof property === "function") handlers.push(property);
    for (const [listener, isOnce] of this.#listeners.get(type) ?? []) {
      if (isOnce) this.#listeners.get(type)?.delete(listener);
      handlers.push(listener);
    }
    for (const handler of handlers) {
      try {
        if (typeof handler === "function") handler.call(this, event);
        else handler.handleEvent(event);
      } catch (cause) {
        this.#acceptor.handlerFailed(type, cause);
      }
    }
  }
}

function parseAddress(url: string | URL): URL {
  let address: URL;
  try {
    address = new URL(url, globalThis.location?.href);
  } catch {
    throw domError("SyntaxError", "the URL of the WebSocket is invalid");
  }
  address.protocol = address.protocol.replace(/^http/, "ws");
  if (!/^wss?:$/.test(address.protocol) || address.hash) {
    throw domError("SyntaxError", "the URL of a WebSocket begins with ws: or wss: and has no fragment");
  }
  return address;
}

/** What browsers throw; not everywhere where tests run is there a `DOMException`. */
function domError(name: string, message: string): Error {
  if (typeof DOMException === "function") return new DOMException(message, name);
  return Object.assign(new Error(message), { name });
}

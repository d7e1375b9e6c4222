import type { WebSocketClass, WebSocketLike } from "../webSocket.js";
import { report } from "./handlers.js";

/** What a {@link Socket} reports. */
export interface SocketListener {
  socketOpened(): void;
  frameArrived(event: MessageEvent): void;
  socketClosed(code: number, reason: string, wasClean: boolean): void;
}

/** The one WebSocket that a client has at a time. */
export class Socket {
  #socket: WebSocketLike | undefined;
  /** What it says as soon as it is open. */
  #first: string | undefined;
  /** Made once, for every WebSocket of the client. */
  readonly #handlers: Pick<WebSocketLike, "onopen" | "onmessage" | "onclose" | "onerror">;

  constructor(listener: SocketListener) {
    this.#handlers = {
      onopen: () => {
        if (this.#first) this.send(this.#first);
        this.#first = undefined;
        listener.socketOpened();
      },
      onmessage: (event: MessageEvent) => listener.frameArrived(event),
      onclose: ({ code, reason, wasClean }: CloseEvent) => {
        this.#release();
        listener.socketClosed(code, reason, wasClean);
      },
      // A `close` follows and says more. Without a handler, Node's `ws` ends the process.
      onerror: () => {},
    };
  }

  /**
   * Says whether the browser takes the URL and the subprotocols. Its error is not handed on, because browsers put them, and so the token, into it.
   */
  open(Class: WebSocketClass, url: string, protocols: string[], first?: string): boolean {
    try {
      this.#socket = Object.assign(new Class(url, protocols), this.#handlers);
      this.#first = first;
      return true;
    } catch {
      return false;
    }
  }

  /** Hands a frame over. Returns how many bytes wait in the browser; `undefined` if the socket takes none. */
  send(frame: string | ArrayBuffer | ArrayBufferView<ArrayBuffer> | Blob): number | undefined {
    const socket = this.#socket;
    if (socket?.readyState !== 1) return undefined;
    try {
      socket.send(frame);
      return socket.bufferedAmount ?? 0;
    } catch (cause) {
      report(cause);
    }
    return undefined;
  }

  get buffered(): number {
    return this.#socket?.bufferedAmount ?? 0;
  }

  /** Closing with 1000 keeps Firefox from delaying the next connection. */
  close(): void {
    this.#socket?.close(1000);
  }

  /** Closes and stops listening at once. Says whether there was a WebSocket. */
  abandon(): boolean {
    const socket = this.#release();
    socket?.close(1000);
    return !!socket;
  }

  /** What is taken off a WebSocket cannot report on a replaced one. It may still fail, so `onerror` stays. */
  #release(): WebSocketLike | undefined {
    const socket = this.#socket;
    this.#socket = this.#first = undefined;
    return socket && Object.assign(socket, { onopen: null, onmessage: null, onclose: null });
  }
}

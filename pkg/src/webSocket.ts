/** A class of WebSockets: the browser's own, that of the package `ws`, or a test's. */
export type WebSocketClass = new (url: string, protocols?: string[]) => WebSocketLike;

/** The part of a WebSocket that a client uses, as in the WHATWG interface. */
export interface WebSocketLike {
  /** 0 while connecting, 1 open, 2 closing, 3 closed. */
  readonly readyState: number;
  /** How many bytes wait to be sent. Where it is missing, messages are never held back. */
  readonly bufferedAmount?: number;
  /** Called when the connection is open. */
  onopen: ((event: never) => unknown) | null;
  /** Called with an event whose `data` is the text of a frame. */
  onmessage: ((event: never) => unknown) | null;
  /** Called with an event that has `code`, `reason` and `wasClean`, also when the connection could not be made. */
  onclose: ((event: never) => unknown) | null;
  /** Called before `onclose` if the connection failed; the client learns nothing from it. */
  onerror: ((event: never) => unknown) | null;
  /** Sends a text frame; a binary one only for `everwire/socket.io`. */
  send(frame: string | ArrayBuffer | ArrayBufferView<ArrayBuffer> | Blob): void;
  /** Begins the closing handshake. */
  close(code?: number): void;
}

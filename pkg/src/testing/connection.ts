import type { Data, Frame } from "./envelope.js";
import type { Remote } from "./socket.js";

/** One connection, as the server sees it. */
export interface TestConnection {
  /** Counts the connections of the server, from 1. */
  readonly id: number;
  /** Whoever the token speaks for. */
  readonly user: string;
  /** The token that the client gave; `null` if it gave none. */
  readonly token: string | null;
  /** The address that was asked for, query included. */
  readonly url: URL;
  /** The subprotocols that the client offered. */
  readonly protocols: readonly string[];
  /** The client id of the reliable mode; `null` before a `hello`. */
  readonly clientId: string | null;
  /** Whether it is open: neither side has closed it, and it was not lost. */
  readonly isOpen: boolean;
  /** Sends an event on this connection alone, at most once. What is for a user, or must outlive the connection, is for `TestServer.emit()`. */
  send(type: string, data?: Data): void;
  /** Sends this text as a frame, whatever it is: what a client does with a broken server. */
  sendText(text: string): void;
  /** Closes it with a close code (RFC 6455) and a reason of at most 123 bytes. Default 1000 and none. The client decides by the code what to do. */
  close(code?: number, reason?: string): void;
  /** Loses it, as a network does: the client sees 1006, and what is on its way is lost. */
  drop(): void;
}

/** What the server does for a connection. */
export interface ConnectionKeeper {
  transmit(connection: ServerConnection, frame: object): void;
  ended(connection: ServerConnection): void;
}

/** The server's own view of a connection. */
export class ServerConnection implements TestConnection {
  readonly id: number;
  readonly user: string;
  readonly token: string | null;
  readonly url: URL;
  readonly protocols: readonly string[];
  clientId: string | null = null;
  isOpen = true;
  /** When the latest `hello` came. */
  greetedAt = 0;
  /** The streams that it carries, and how far each is sent. */
  readonly carried = new Map<string, number>();
  /** Frames behind one that is still being processed. */
  inbox: { readonly frame: Frame; readonly text: string }[] = [];
  isBusy = false;
  /** Whether a `hello` waits for its answer. */
  isGreeting = false;
  readonly remote: Remote;
  readonly #keeper: ConnectionKeeper;

  constructor(keeper: ConnectionKeeper, remote: Remote, id: number, user: string, token: string | null) {
    this.#keeper = keeper;
    this.remote = remote;
    this.id = id;
    this.user = user;
    this.token = token;
    this.url = remote.url;
    this.protocols = remote.protocols;
  }

  send(type: string, data: Data = {}): void {
    this.#keeper.transmit(this, { type, data, timestamp: Date.now() });
  }

  sendText(text: string): void {
    if (this.isOpen) this.remote.send(text);
  }

  close(code = 1000, reason = ""): void {
    if (!this.isOpen) return;
    this.remote.close(code, reason);
    this.end();
  }

  drop(): void {
    if (!this.isOpen) return;
    this.remote.drop();
    this.end();
  }

  /** It has ended, for whatever reason. */
  end(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.inbox = [];
    this.#keeper.ended(this);
  }
}

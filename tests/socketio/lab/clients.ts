import { io as everwire } from "everwire/socket.io";
import { io as socketIoClient } from "socket.io-client";

/** What the scenarios use of a client: the part of `io()` that both have. */
export interface AnySocket {
  readonly connected: boolean;
  readonly active: boolean;
  readonly recovered: boolean;
  readonly id?: string | undefined;
  readonly io: { on(event: string, listener: Listener): unknown };
  readonly volatile: { emit(event: string, ...args: unknown[]): unknown };
  auth: unknown;
  connect(): unknown;
  disconnect(): unknown;
  on(event: string, listener: Listener): unknown;
  emit(event: string, ...args: unknown[]): unknown;
  timeout(ms: number): { emit(event: string, ...args: unknown[]): unknown };
}

export type Listener = (...args: never[]) => void;

/** The options that the scenarios give, with the names and meanings of socket.io-client. */
export interface ClientOptions {
  readonly auth?: unknown;
  readonly autoConnect?: boolean;
  readonly forceNew?: boolean;
  readonly transports?: string[];
  readonly reconnectionAttempts?: number;
  readonly reconnectionDelay?: number;
  readonly reconnectionDelayMax?: number;
  readonly randomizationFactor?: number;
  readonly timeout?: number;
  readonly retries?: number;
  readonly ackTimeout?: number;
  /** Everwire's own: names events that may come again, so that a server knows repetitions. */
  readonly retryIds?: boolean;
}

export type Connect = (url: string, options: ClientOptions) => AnySocket;

/** Both clients, behind the same function. */
export const CLIENTS: Readonly<Record<string, Connect>> = {
  "socket.io-client": (url, options) => socketIoClient(url, options as object) as unknown as AnySocket,
  everwire: (url, options) => everwire(url, options as object) as unknown as AnySocket,
};

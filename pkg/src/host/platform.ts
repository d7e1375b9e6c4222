import { type EverwireError, error } from "../errors.js";
import type { Options } from "../options.js";
import type { WebSocketClass } from "../webSocket.js";

/** The class to make sockets of. Throws an error that says how to supply one. */
export function webSocketClass(options: Options): WebSocketClass {
  const Class = options.WebSocket ?? globalThis.WebSocket;
  if (Class) return Class;
  throw missing("WebSocket", 'pass `WebSocket: (await import("ws")).WebSocket`, or use Node 22');
}

/** So many times 64 bits of randomness. */
export function randomNumbers(count: number): BigUint64Array {
  if (globalThis.crypto) return crypto.getRandomValues(new BigUint64Array(count));
  throw missing("crypto", 'set `globalThis.crypto = (await import("node:crypto")).webcrypto`, or use Node 20');
}

const missing = (part: string, remedy: string): EverwireError =>
  error("missing_platform", `this place has no ${part}: ${remedy}`);

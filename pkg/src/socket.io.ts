/**
 * A client for Socket.IO servers, with the interface of socket.io-client.
 *
 * @module everwire/socket.io
 */

import { Manager } from "./socketio/manager.js";
import { type ManagerOptions, place, type SocketOptions } from "./socketio/options.js";
import { Socket } from "./socketio/socket.js";
import type { AnyEvents } from "./socketio/types.js";

export { ConfigError, type ErrorCode, EverwireError, isClientError } from "./errors.js";
export {
  ConnectError,
  type DisconnectReason,
  type DroppedEvent,
  type ManagerOwnEvents,
  type SocketOwnEvents,
} from "./socketio/events.js";
export { ready } from "./socketio/load.js";
export { type Engine, Manager, type Transport } from "./socketio/manager.js";
export type { ManagerOptions, SocketOptions } from "./socketio/options.js";
export { type OverSocketIoOptions, overSocketIo } from "./socketio/overSocketIo.js";
export { type CatchAllListener, Socket, type SocketSnapshot } from "./socketio/socket.js";
export type {
  AllButLast,
  Answer,
  AnyEvents,
  AnyListener,
  ArgumentsWithoutAck,
  Auth,
  EventArguments,
  EventName,
  LastOf,
  ListenerIn,
  WithTimeout,
} from "./socketio/types.js";

/** The managers that are shared, by the URLs of their servers. */
const managers = /* @__PURE__ */ new Map<string, Manager>();

/** Addresses that change with every call must not pile up. */
const MOST_MANAGERS = 100;

/**
 * A client of a Socket.IO server, which connects at once. The path of `uri` is the namespace; without a URL it is the page's own server. The same arguments as
 * those of socket.io-client. Throws a `ConfigError` that names a wrong option, or an `EverwireError` that says why there can be no client here.
 */
export function io<ListenEvents extends object = AnyEvents, EmitEvents extends object = ListenEvents>(
  uri?: string | (ManagerOptions & SocketOptions),
  options: ManagerOptions & SocketOptions = {},
): Socket<ListenEvents, EmitEvents> {
  if (typeof uri === "object") return io(undefined, uri);
  const { url, namespace } = place(uri, options);
  const shared = managers.get(url);
  const isAlone = options.forceNew || options.multiplex === false || shared?.has(namespace);
  const manager = (!isAlone && shared) || new Manager(uri, options);
  // Not that of a client that could not be made.
  const socket = manager.socket(namespace, options) as unknown as Socket<ListenEvents, EmitEvents>;
  if (!isAlone) managers.set(url, manager);
  if (managers.size > MOST_MANAGERS) managers.delete(managers.keys().next().value as string);
  return socket;
}

// As code has it that imports one thing only.
io.connect = io;
io.Manager = Manager;
io.Socket = Socket;

export { io as connect, io as default };

/** The version of the protocol that is spoken. */
export const protocol = 5;

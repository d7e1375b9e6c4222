"use client";

/**
 * Hooks for React 18 and 19, and the provider whose connection they share.
 *
 * @module everwire/react
 */

import { type AnyEvents, NativeSocketClient, nativeSocketClient, type Options } from "everwire";
import { type ClientProviderProps, internals } from "everwire/react/slim";
import { createContext, type ReactNode } from "react";
import type { Connection } from "./connection.js";
import { useOptionsWarning } from "./react/changedOptions.js";
import type { CreateWebSocketHooksOptions, UseWebSocket, WebSocketHooks } from "./react/hooks.js";

export { configureWebSocket } from "everwire";
export type { ConversationId, SocketMessage, UseConversation, UseSocket } from "./react/conversation.js";
export type {
  CreateWebSocketHooksOptions,
  EventHandler,
  EventReducer,
  UseWebSocket,
  WebSocketHooks,
} from "./react/hooks.js";
export type { AnyClient, ClientProviderProps } from "./react/provider.js";

/** Where components below a provider connect to: options for a client, or a client. */
export type WebSocketProviderProps =
  | (ClientProviderProps & {
      /** Left out: the client has them. */
      readonly options?: undefined;
    })
  | {
      /** What may use the connection. */
      readonly children?: ReactNode;
      /** Of the client that the provider makes with the first component that uses it, and disconnects with the last. */
      readonly options: Options;
      /** Left out: it is made from the options. */
      readonly client?: undefined;
    };

/**
 * Gives the components below it one shared connection: that of a client, which stays its owner's, or one with options. The options are read once; to
 * change them, change the provider's `key`.
 */
export function WebSocketProvider(props: WebSocketProviderProps): ReactNode {
  return useProviderIn(internals.shared, props);
}

const hooks = /* @__PURE__ */ internals.hooksOf(internals.shared, pageConnection);

/** {@inheritDoc WebSocketHooks.useWebSocket} */
export const useWebSocket: <Events extends object = AnyEvents, Sends extends object = Events>() => UseWebSocket<
  Events,
  Sends
> = hooks.useWebSocket as never;
/** {@inheritDoc WebSocketHooks.useEvent} */
export const useEvent: WebSocketHooks["useEvent"] = hooks.useEvent;
/** {@inheritDoc WebSocketHooks.useEventState} */
export const useEventState: WebSocketHooks["useEventState"] = hooks.useEventState;
/** {@inheritDoc WebSocketHooks.useConnection} */
export const useConnection: WebSocketHooks["useConnection"] = hooks.useConnection;
/** {@inheritDoc WebSocketHooks.useSend} */
export const useSend: WebSocketHooks["useSend"] = hooks.useSend;
/** {@inheritDoc WebSocketHooks.useSession} */
export const useSession: WebSocketHooks["useSession"] = hooks.useSession;
/** {@inheritDoc WebSocketHooks.useMatch} */
export const useMatch: WebSocketHooks["useMatch"] = hooks.useMatch;
/** {@inheritDoc WebSocketHooks.useSocket} */
export const useSocket: WebSocketHooks["useSocket"] = hooks.useSocket;

/**
 * The hooks for the events of one application, so that their types are written once, and the provider to use with them. Call it once, in a module, which
 * needs `"use client"` where there are server components.
 */
export function createWebSocketHooks<FromServer extends object = AnyEvents, ToServer extends object = FromServer>(
  options: CreateWebSocketHooksOptions = {},
): WebSocketHooks<FromServer, ToServer> & {
  /** The provider to use with these hooks. */
  readonly WebSocketProvider: (props: WebSocketProviderProps) => ReactNode;
} {
  const { hooksOf, missing, shared } = internals;
  const context = options.isolated ? createContext<Connection | undefined>(undefined) : shared;
  return {
    ...(hooksOf(context, options.isolated ? missing : pageConnection) as WebSocketHooks<never, never>),
    WebSocketProvider: (props: WebSocketProviderProps) => useProviderIn(context, props),
  } as never;
}

function useProviderIn(
  context: typeof internals.shared,
  { children, client, options }: WebSocketProviderProps,
): ReactNode {
  if (DEVELOPMENT) useOptionsWarning(options);
  return internals.useProvider(context, children, client, () => new NativeSocketClient(options));
}

let page: Connection | undefined;

function pageConnection(): Connection {
  page ??= new internals.Connection(() => nativeSocketClient);
  return page;
}

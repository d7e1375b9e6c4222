"use client";

/**
 * The hooks of `everwire/react` without a client of their own, for applications on `everwire/slim`.
 *
 * @module everwire/react/slim
 */

import type { AnyEvents } from "everwire";
import { type Context, createContext, type ReactNode } from "react";
import { Connection } from "./connection.js";
import { type CreateWebSocketHooksOptions, hooksOf, type UseWebSocket, type WebSocketHooks } from "./react/hooks.js";
import { type ClientProviderProps, useProvider } from "./react/provider.js";

export type { ConversationId, SocketMessage, UseConversation, UseSocket } from "./react/conversation.js";
export type {
  CreateWebSocketHooksOptions,
  EventHandler,
  EventReducer,
  UseWebSocket,
  WebSocketHooks,
} from "./react/hooks.js";
export type { AnyClient, ClientProviderProps } from "./react/provider.js";

/** Gives the components below it one shared connection: that of the client. */
export function WebSocketProvider({ children, client }: ClientProviderProps): ReactNode {
  return useProvider(shared, children, client, missing);
}

/** The connection that the components of a page share, whichever entry they have their hooks of. */
const shared: Context<Connection | undefined> = /* @__PURE__ */ createContext<Connection | undefined>(undefined);
const hooks = /* @__PURE__ */ hooksOf(shared, missing);

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
  readonly WebSocketProvider: (props: ClientProviderProps) => ReactNode;
} {
  const context = options.isolated ? createContext<Connection | undefined>(undefined) : shared;
  return {
    ...(hooksOf(context, missing) as WebSocketHooks<never, never>),
    WebSocketProvider: ({ children, client }: ClientProviderProps) => useProvider(context, children, client, missing),
  } as never;
}

/** @internal */
export const internals = { Connection, hooksOf, missing, shared, useProvider };

function missing(): never {
  throw new Error("this hook needs its <WebSocketProvider> above it");
}

import type { NativeSocketClient, Snapshot } from "everwire";
import { type Context, createElement, type ReactNode } from "react";
import { Connection } from "../connection.js";
import { useKeyed } from "./keyed.js";

/** A client for the components below the provider. */
export interface ClientProviderProps {
  /** What may use the connection. */
  readonly children?: ReactNode;
  /**
   * The client, of whichever entry. It is connected with the first component that uses it if it is idle, and stays its owner's: it is never disconnected
   * on behalf of components. Another client is another connection, with which hooks begin anew.
   */
  readonly client: AnyClient;
}

/** A client, whatever its events. */
export interface AnyClient {
  /** Where the connection stands. */
  getSnapshot(): Snapshot;
  /** Hears of changes. */
  subscribe(listener: () => void): () => void;
}

/** Gives the components below it the connection of a client, or of a client that is made when the first of them needs it. */
export function useProvider(
  context: Context<Connection | undefined>,
  children: ReactNode,
  client: AnyClient | undefined,
  make: () => NativeSocketClient,
): ReactNode {
  const value = useKeyed(() => new Connection(make, client as NativeSocketClient | undefined), context, client);
  return createElement(context.Provider, { value }, children);
}

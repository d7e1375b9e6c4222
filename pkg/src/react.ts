import { type AnyEvents, NativeSocketClient, nativeSocketClient, type Options, type Snapshot } from "everwire";
import { createContext, createElement, type ReactNode, useContext, useMemo, useSyncExternalStore } from "react";
import { Connection, IDLE } from "./connection.js";

/** What {@link useWebSocket} returns: the snapshot, and functions whose identities never change. */
export interface UseWebSocket<Events extends object = AnyEvents, Sends extends object = Events> extends Snapshot {
  /** Whether messages flow. */
  readonly isConnected: boolean;
  /** Sends an event, or queues it; see `NativeSocketClient.send`. */
  readonly emit: NativeSocketClient<Events, Sends>["send"];
  /** Subscribes to an event and returns the function that ends the subscription; see `NativeSocketClient.on`. */
  readonly subscribe: NativeSocketClient<Events, Sends>["on"];
  readonly reconnect: () => void;
  readonly disconnect: () => void;
  /** The client behind the hook. Made with the first use, so do not touch it while rendering on a server. */
  readonly client: NativeSocketClient<Events, Sends>;
}

/** Where components below a provider connect to: options for a client, or a client. */
export type WebSocketProviderProps = { readonly children?: ReactNode } & (
  | { readonly options: Options; readonly client?: undefined }
  | { readonly client: object; readonly options?: undefined }
);

/**
 * Gives the components below it one shared connection. The options are read once; to change them, change the provider's `key`.
 */
export function WebSocketProvider({ children, client, options }: WebSocketProviderProps): ReactNode {
  // biome-ignore lint/correctness/useExhaustiveDependencies: options are usually written inline, new with every rendering
  const connection = useMemo(
    () => new Connection(() => (client as NativeSocketClient | undefined) ?? new NativeSocketClient(options)),
    [client],
  );
  return createElement(Context.Provider, { value: connection }, children);
}

export { configureWebSocket } from "everwire";

/**
 * The shared connection of the nearest {@link WebSocketProvider}, or that of the page's `nativeSocketClient`. It opens with the first component
 * that uses it and closes with the last, unless it was open or on its way before the first.
 */
export function useWebSocket<Events extends object = AnyEvents, Sends extends object = Events>(): UseWebSocket<
  Events,
  Sends
> {
  const provided = useContext(Context);
  const connection = provided ?? defaultConnection();
  const snapshot = useSyncExternalStore(connection.use, connection.getSnapshot, idle);
  return useMemo(() => {
    const { emit, subscribe, reconnect, disconnect } = connection;
    const hook = {
      ...snapshot,
      isConnected: snapshot.state === "open",
      emit,
      subscribe,
      reconnect,
      disconnect,
      get client() {
        return connection.client;
      },
    };
    // The types of events exist only for the caller.
    return hook as unknown as UseWebSocket<Events, Sends>;
  }, [connection, snapshot]);
}

const Context = /* @__PURE__ */ createContext<Connection | undefined>(undefined);
let shared: Connection | undefined;

function defaultConnection(): Connection {
  shared ??= new Connection(() => nativeSocketClient);
  return shared;
}

const idle = (): Snapshot => IDLE;

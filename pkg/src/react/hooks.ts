import type { AnyEvents, Envelope, LifecycleEvents, NativeSocketClient, Snapshot } from "everwire";
import { type Context, useContext, useEffect, useMemo, useSyncExternalStore } from "react";
import { type Connection, IDLE } from "../connection.js";
import {
  type ConversationId,
  type UseConversation,
  type UseSocket,
  useConversation,
  useSocketOf,
} from "./conversation.js";
import type { Hear } from "./listener.js";
import { useEventOf } from "./useEventOf.js";
import { type Reduce, useEventStateOf } from "./useEventStateOf.js";
import { useSelected } from "./useSelected.js";

/** What {@link WebSocketHooks.useWebSocket} returns: the snapshot, and functions whose identities never change. */
export interface UseWebSocket<Events extends object = AnyEvents, Sends extends object = Events> extends Snapshot {
  /** Whether messages flow. */
  readonly isConnected: boolean;
  /** Sends an event, or queues it; see `NativeSocketClient.send`. */
  readonly emit: NativeSocketClient<Events, Sends>["send"];
  /** Subscribes to an event and returns the function that ends the subscription; see `NativeSocketClient.on`. */
  readonly subscribe: NativeSocketClient<Events, Sends>["on"];
  /** Drops what is there and starts afresh; see `NativeSocketClient.reconnect`. */
  readonly reconnect: () => void;
  /** Closes the connection for all components that share it; see `NativeSocketClient.disconnect`. */
  readonly disconnect: () => void;
  /** The client behind the hook. Made with the first use, so do not touch it while rendering on a server. */
  readonly client: NativeSocketClient<Events, Sends>;
}

/** A handler of an event in a component. Where the payload's type is not known, a handler may name the one that it expects. */
export type EventHandler<Data, Message = Envelope<string, Data>> = {
  /** Takes the payload and the message that it came in. */
  handle(data: Data, message: Message): void;
}["handle"];

/** Makes the next state of an event. Called once for each event, in order, outside of rendering; must not change the state that it is given. */
export type EventReducer<State, Data, Message = Envelope<string, Data>> = {
  /** Makes the next state; the payload comes with the message that it came in. */
  reduce(state: State, data: Data, message: Message): State;
}["reduce"];

/**
 * The hooks of one connection. `FromServer` maps the names of the events that the server sends to their payloads, `ToServer` those that are sent to it.
 * Each of them opens the connection with the first component that uses it, and closes it with the last, unless it was open or on its way before, or
 * the provider was given a client: that one stays its owner's.
 */
export interface WebSocketHooks<FromServer extends object = AnyEvents, ToServer extends object = FromServer> {
  /**
   * The whole snapshot, and functions to send and to listen. Renders whenever the snapshot changes; {@link useConnection}, {@link useEvent} and
   * {@link useSend} render less.
   */
  readonly useWebSocket: () => UseWebSocket<FromServer, ToServer>;
  /**
   * Calls `handler` for every event of this name while the component is there, the client's own events included. Always the latest handler; it need not be memoised, and
   * a new one does not subscribe anew. What arrives between the rendering and its effects is kept for the handler. Never renders.
   */
  readonly useEvent: {
    <Name extends keyof LifecycleEvents>(
      event: Name,
      handler: (data: LifecycleEvents[Name], message: undefined) => void,
    ): void;
    <Name extends keyof FromServer & string>(
      event: Name,
      handler: EventHandler<FromServer[Name], Envelope<Name, FromServer[Name]>>,
    ): void;
  };
  /**
   * A state that every event of this name is reduced into, as it arrives, the client's own events included. However many arrive, the component renders at most once a
   * frame, and in a hidden page once a second. Another name, or another connection, begins again with `initial`, which may be a function that makes it.
   */
  readonly useEventState: {
    <State, Name extends keyof LifecycleEvents>(
      event: Name,
      reduce: (state: State, data: LifecycleEvents[Name], message: undefined) => State,
      initial: State | (() => State),
    ): State;
    <State, Name extends keyof FromServer & string>(
      event: Name,
      reduce: EventReducer<State, FromServer[Name], Envelope<Name, FromServer[Name]>>,
      initial: State | (() => State),
    ): State;
  };
  /**
   * What `selector` makes of the snapshot. Renders only when that changes, by `isEqual`, which is `Object.is` if none is given.
   */
  readonly useConnection: <Selected>(
    selector: (snapshot: Snapshot) => Selected,
    isEqual?: (a: Selected, b: Selected) => boolean,
  ) => Selected;
  /** The client's `send`. The same function for as long as the connection is the same, and never a reason to render. */
  readonly useSend: () => NativeSocketClient<FromServer, ToServer>["send"];
  /**
   * A session of MasterX: joined while a component uses it, left a macrotask after the last. Renders when something of it changes: at once for what the
   * user does, and else at most once a frame. Without an id nothing is joined, there is nothing to show, and `send()` throws `invalid_data`. Needs a client with the option `chat`, else it throws `not_configured`.
   */
  readonly useSession: (id: ConversationId) => UseConversation;
  /** A match of CoLabMatch; otherwise like {@link useSession}. */
  readonly useMatch: (id: ConversationId) => UseConversation;
  /** A match of CoLabMatch as that application's own hook shows it. {@link useMatch} has more: presence of all, retries, earlier pages. */
  readonly useSocket: (matchId: ConversationId) => UseSocket;
}

/** How hooks of one's own find their connection. */
export interface CreateWebSocketHooksOptions {
  /**
   * Whether they have a provider of their own, and nothing to do with other hooks and providers: for a page that talks to two servers. Default `false`:
   * they share the connection of the nearest `<WebSocketProvider>`, whoever it is of. Without their provider above them, isolated hooks throw.
   */
  readonly isolated?: boolean | undefined;
}

/** The hooks below the providers of a context. Without one they use what `fallback` gives, or throws. */
export function hooksOf(context: Context<Connection | undefined>, fallback: () => Connection): WebSocketHooks {
  const useProvided = (): Connection => useContext(context) ?? fallback();

  function useWebSocket(): UseWebSocket {
    const connection = useProvided();
    const snapshot = useSyncExternalStore(connection.use, connection.getSnapshot, idle);
    return useMemo(() => {
      const { emit, subscribe, reconnect, disconnect } = connection;
      return {
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
    }, [connection, snapshot]);
  }

  return {
    useWebSocket,
    useEvent: (event: string, handler: unknown) => useEventOf(useProvided(), event, handler as Hear),
    useEventState: (event: string, reduce: unknown, initial: unknown) =>
      useEventStateOf(useProvided(), event, reduce as Reduce<unknown>, initial) as never,
    useConnection: (selector, isEqual = Object.is) => useSelected(useProvided(), selector, isEqual),
    useSend() {
      const connection = useProvided();
      useEffect(() => connection.hold(), [connection]);
      return connection.emit;
    },
    useSession: (id) => useConversation(useProvided(), "session", id),
    useMatch: (id) => useConversation(useProvided(), "match", id),
    useSocket: (matchId) => useSocketOf(useProvided(), matchId),
  };
}

const idle = (): Snapshot => IDLE;

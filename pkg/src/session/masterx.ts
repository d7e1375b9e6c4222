import type { LifecycleEvents, MasterXServerEvents } from "everwire";
import type { EventClient } from "./eventClient.js";
import { MASTERX_TYPING, TypingAnnouncer } from "./typing.js";

/** What can be heard: the server's events of MasterX, and the client's own. */
export type SocketEvents = MasterXServerEvents & Omit<LifecycleEvents, "error">;

/** What to do with each event that matters, by its name. */
export type SocketHandlers = {
  readonly [Name in keyof SocketEvents]?: (data: SocketEvents[Name]) => void;
};

/** A store whose state can be asked for, as Zustand's and Redux's can. */
export interface StateStore<State> {
  /** The state as it is now, with what changes it. */
  getState(): State;
}

/** What to do with each event that matters, given the state of a store as it is then. */
export type StoreHandlers<State> = {
  readonly [Name in keyof SocketEvents]?: (state: State, data: SocketEvents[Name]) => void;
};

/**
 * Calls a handler for each event of its name, or with a store, with the state of that as well:
 *
 * ```ts
 * initializeSocketHandlers(nativeSocketClient, useChatStore, {
 *   message_received: (chat, { message }) => chat.addMessage(message),
 *   emotion_update: (chat, { message_id, emotion }) => chat.updateMessageEmotion(message_id, emotion),
 * });
 * ```
 *
 * It may be called for several stores. Returns the function that ends this one; {@link cleanupSocketHandlers} ends all of a client.
 */
export function initializeSocketHandlers(client: Pick<EventClient, "on">, handlers: SocketHandlers): () => void;
export function initializeSocketHandlers<State>(
  client: Pick<EventClient, "on">,
  store: StateStore<State>,
  handlers: StoreHandlers<State>,
): () => void;
export function initializeSocketHandlers(
  client: Pick<EventClient, "on">,
  ...[first, second]: readonly [object, object?]
): () => void {
  const store = second && (first as StateStore<unknown>);
  const ends = Object.entries(second ?? first).map(([event, handler]) =>
    client.on(event, store ? (data) => handler(store.getState(), data) : (data) => handler(data)),
  );
  const { cleanups } = of(client);
  const end = (): void => {
    cleanups.delete(end);
    for (const endOne of ends.splice(0)) endOne();
  };
  cleanups.add(end);
  return end;
}

/** Ends what every {@link initializeSocketHandlers} of this client has begun, and the user's typing. Other subscriptions stay. */
export function cleanupSocketHandlers(client: object): void {
  const { cleanups, typing } = of(client);
  for (const end of [...cleanups]) end();
  for (const announcer of [...typing.values()]) announcer.stopped();
}

/**
 * Says that the user of this page has pressed a key in a session, or has stopped. By {@link MASTERX_TYPING}: typing is announced after 300 ms, repeated while it goes on,
 * and ends by itself 2 s after the last call, so it may be called for every key.
 */
export function emitTypingIndicator(client: Pick<EventClient, "send">, sessionId: string, isTyping: boolean): void {
  const { typing } = of(client);
  let announcer = typing.get(sessionId);
  if (!isTyping) {
    announcer?.stopped();
    typing.delete(sessionId);
    return;
  }
  announcer ??= new TypingAnnouncer((isTyping) => {
    if (!isTyping) typing.delete(sessionId);
    client.send("user_typing", { session_id: sessionId, isTyping });
  }, MASTERX_TYPING);
  typing.set(sessionId, announcer);
  announcer.keyPressed();
}

/** Joins a session, which the client joins again on every later connection before anything else goes out. */
export function joinSession(client: Pick<EventClient, "send">, sessionId: string): void {
  client.send("join_session", { session_id: sessionId });
}

/** Leaves a session; the user's typing in it ends first. */
export function leaveSession(client: Pick<EventClient, "send">, sessionId: string): void {
  emitTypingIndicator(client, sessionId, false);
  client.send("leave_session", { session_id: sessionId });
}

interface Handling {
  readonly cleanups: Set<() => void>;
  readonly typing: Map<string, TypingAnnouncer>;
}

/** What was begun for each client. */
const handlings = /* @__PURE__ */ new WeakMap<object, Handling>();

function of(client: object): Handling {
  const known = handlings.get(client) ?? { cleanups: new Set(), typing: new Map() };
  handlings.set(client, known);
  return known;
}

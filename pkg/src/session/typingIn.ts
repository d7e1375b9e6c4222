import type { CoLabMatchServerEvents, MasterXServerEvents } from "everwire";
import type { EventClient } from "./eventClient.js";
import { COLABMATCH_TYPING, MASTERX_TYPING, TypingAnnouncer, type TypingRule } from "./typing.js";
import { TypingUsers } from "./typingUsers.js";

/** Typing in one session, in both directions. */
export interface Typing {
  /** The user has pressed a key. */
  readonly keyPressed: () => void;
  /** The user has stopped: the message is sent, or the field is empty. */
  readonly stopped: () => void;
  /** The other users who type, in the order in which they began. The same array until that changes. */
  readonly getSnapshot: () => readonly string[];
  /** Calls `listener` whenever the snapshot has changed. Returns a function that ends the subscription. */
  readonly subscribe: (listener: () => void) => () => void;
  /** Says that the user has stopped, if that is not known yet, and ends timers and subscriptions. */
  readonly dispose: () => void;
}

/** Whose typing it is, and by which rule it is announced. */
export interface TypingOptions {
  /** The user of this page, whose typing on other devices is not shown. Default: everybody is. */
  readonly userId?: string | undefined;
  /** Default: {@link MASTERX_TYPING} in a session, {@link COLABMATCH_TYPING} in a match. */
  readonly rule?: TypingRule | undefined;
}

/**
 * Typing in a session of MasterX: sends `user_typing`, hears `typing_indicator`. A message of somebody ends their typing. Indicators that name no session
 * count for every session.
 */
export function sessionTyping(client: EventClient, sessionId: string, options: TypingOptions = {}): Typing {
  const { userId, rule = MASTERX_TYPING } = options;
  const users = new TypingUsers(rule);
  const announce = (isTyping: boolean): void => void client.send("user_typing", { session_id: sessionId, isTyping });
  const isHere = (session: string | undefined): boolean => session === undefined || session === sessionId;
  return typing(new TypingAnnouncer(announce, rule), users, [
    client.on("typing_indicator", ({ user_id, session_id, isTyping }: MasterXServerEvents["typing_indicator"]) => {
      if (isHere(session_id) && user_id !== userId) users.heard(user_id, isTyping);
    }),
    client.on("message_received", ({ message }: MasterXServerEvents["message_received"]) => {
      if (message.user_id !== undefined && isHere(message.session_id)) users.heard(message.user_id, false);
    }),
  ]);
}

/** Typing in a match of CoLabMatch: sends `typing`, hears `user_typing` and `typing_stopped`. A message of somebody ends their typing. */
export function matchTyping(client: EventClient, matchId: string, options: TypingOptions = {}): Typing {
  const { userId, rule = COLABMATCH_TYPING } = options;
  const users = new TypingUsers(rule);
  const announce = (isTyping: boolean): void => void client.send("typing", { match_id: matchId, is_typing: isTyping });
  return typing(new TypingAnnouncer(announce, rule), users, [
    client.on("user_typing", ({ match_id, user_id }: CoLabMatchServerEvents["user_typing"]) => {
      if (match_id === matchId && user_id !== userId) users.heard(user_id, true);
    }),
    client.on("typing_stopped", ({ match_id, user_id }: CoLabMatchServerEvents["typing_stopped"]) => {
      if (match_id === matchId) users.heard(user_id, false);
    }),
    client.on("new_message", ({ matchId: match, senderId }: CoLabMatchServerEvents["new_message"]) => {
      if (match === matchId) users.heard(senderId, false);
    }),
  ]);
}

function typing(announcer: TypingAnnouncer, users: TypingUsers, subscriptions: readonly (() => void)[]): Typing {
  const { keyPressed, stopped } = announcer;
  const { getSnapshot, subscribe } = users;
  const dispose = (): void => {
    stopped();
    for (const end of subscriptions) end();
    users.clear();
  };
  return { keyPressed, stopped, getSnapshot, subscribe, dispose };
}

import type { MasterXClientEvents, MasterXServerEvents, Options } from "everwire";
import { createWebSocketHooks } from "everwire/react";
import { chat, MASTERX_TYPING, TypingUsers } from "everwire/session";
import { useState, useSyncExternalStore } from "react";
import { baseOptions } from "../baseOptions";
import { connectionToken } from "../devServer";
import { learner } from "../people";

/** The hooks of this view, which know its events. */
export const { WebSocketProvider, useEvent, useSession } = createWebSocketHooks<
  MasterXServerEvents,
  MasterXClientEvents
>();

/** Of one of the learner's devices: what is written waits in the page. */
export function deviceOptions({ userId } = learner): Options {
  return { ...baseOptions, token: () => connectionToken(userId), chat: chat({ userId }) };
}

/** Whether the learner types on another device. A session's own `typing` names other people only. */
export function useTypingElsewhere(session: string): boolean {
  const [users] = useState(() => new TypingUsers(MASTERX_TYPING));
  useEvent("typing_indicator", ({ user_id, session_id, isTyping }) => {
    if (user_id === learner.userId && session_id === session) users.heard(user_id, isTyping);
  });
  useEvent("message_received", ({ message }) => users.heard(message.user_id ?? "", false));
  return useSyncExternalStore(users.subscribe, users.getSnapshot).length > 0;
}

import { useWebSocket } from "everwire/react";
import { TypingUsers } from "everwire/session";
import { useEffect, useState, useSyncExternalStore } from "react";
import type { Events } from "./events";

/** Whether the other side types; clears itself, because the frame that would clear it can get lost. */
export function usePeerTyping(peerId: string): boolean {
  const { subscribe } = useWebSocket<Events>();
  const [users] = useState(() => new TypingUsers());

  useEffect(() => {
    const unsubscribers = [
      subscribe("user_typing", ({ user_id }) => users.heard(user_id, true)),
      subscribe("typing_stopped", ({ user_id }) => users.heard(user_id, false)),
      subscribe("new_message", ({ senderId }) => users.heard(senderId, false)),
    ];
    return () => {
      for (const unsubscribe of unsubscribers) unsubscribe();
      users.clear();
    };
  }, [subscribe, users]);

  return useSyncExternalStore(users.subscribe, users.getSnapshot).includes(peerId);
}

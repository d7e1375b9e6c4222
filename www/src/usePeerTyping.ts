import { useWebSocket } from "everwire/react";
import { useEffect, useState } from "react";
import type { Events } from "./events";

/** Whether the other side types; clears itself, because the frame that would clear it can get lost. */
export function usePeerTyping(peerId: string): boolean {
  const { subscribe } = useWebSocket<Events>();
  const [typing, setTyping] = useState(false);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const show = (isTyping: boolean) => {
      clearTimeout(timer);
      setTyping(isTyping);
      if (isTyping) timer = setTimeout(() => setTyping(false), CLEAR_MS);
    };
    const unsubscribers = [
      subscribe("user_typing", ({ user_id }) => user_id === peerId && show(true)),
      subscribe("typing_stopped", ({ user_id }) => user_id === peerId && show(false)),
      subscribe("new_message", ({ senderId }) => senderId === peerId && show(false)),
    ];
    return () => {
      clearTimeout(timer);
      for (const unsubscribe of unsubscribers) unsubscribe();
    };
  }, [subscribe, peerId]);

  return typing;
}

const CLEAR_MS = 3_000;

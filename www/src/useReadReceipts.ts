import { useWebSocket } from "everwire/react";
import { useEffect } from "react";
import type { Events, Sends } from "./events";
import type { ChatMessage } from "./messages";

/** Tells the peer that their messages are read: a moment after they have appeared on a page that is looked at. */
export function useReadReceipts(matchId: string, messages: readonly ChatMessage[]): void {
  const { emit, isConnected } = useWebSocket<Events, Sends>();
  const latest = messages.findLast(({ author }) => author === "peer")?.storedId ?? 0;

  useEffect(() => {
    if (latest === 0 || !isConnected) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const read = () => emit("read_message", { match_id: matchId, message_id: String(latest) });
    const look = () => {
      clearTimeout(timer);
      if (document.visibilityState === "visible") timer = setTimeout(read, GLANCE_MS);
    };
    document.addEventListener("visibilitychange", look);
    look();
    return () => {
      document.removeEventListener("visibilitychange", look);
      clearTimeout(timer);
    };
  }, [emit, isConnected, matchId, latest]);
}

const GLANCE_MS = 800;

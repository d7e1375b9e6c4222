import { useWebSocket } from "everwire/react";
import { useEffect } from "react";
import { CatchUp } from "./catchUp";
import { fetchMessages } from "./devServer";
import type { Events, Sends, StoredMessage } from "./events";

/**
 * Calls `deliver`, which must not change, for every message of the match: those from before the page was opened, and live ones.
 *
 * The reliable mode brings what is missed during an outage by itself, or says that it cannot. At most once, the page has to fetch
 * it after every one.
 */
export function useIncoming(userId: string, deliver: (message: StoredMessage) => void): void {
  const { client, emit, subscribe } = useWebSocket<Events, Sends>();

  useEffect(() => {
    const catchUp = new CatchUp(() => fetchMessages(userId), deliver);
    const unsubscribers = [
      subscribe("open", () => {
        if (client.getSnapshot().delivery === "reliable" && catchUp.isCaughtUp) return;
        catchUp.missed();
        emit("ping", {});
      }),
      // The server takes frames in order, so its answer to the ping means that it has seen this side join.
      subscribe("pong", () => void catchUp.listening()),
      subscribe("gap", () => {
        catchUp.missed();
        void catchUp.listening();
      }),
      subscribe("new_message", (message) => catchUp.arrived(message)),
      subscribe("close", () => catchUp.disconnected()),
    ];
    return () => {
      for (const unsubscribe of unsubscribers) unsubscribe();
    };
  }, [userId, deliver, client, emit, subscribe]);
}

import { useWebSocket } from "everwire/react";
import { useEffect, useState } from "react";
import { CatchUp } from "./catchUp";
import type { Events, Sends, StoredMessage } from "./events";
import { fetchPage, fetchSince, PAGE } from "./history";

/**
 * Calls `deliver`, which must not change, for every message of the match: the last ones from before the page was opened, and live ones. Returns whether
 * the server has more from before.
 *
 * The reliable mode brings what is missed during an outage by itself, or says that it cannot. At most once, the page has to fetch
 * it after every one.
 */
export function useIncoming(userId: string, deliver: (message: StoredMessage) => void): boolean {
  const { client, emit, subscribe } = useWebSocket<Events, Sends>();
  const [hasEarlier, setHasEarlier] = useState(false);

  useEffect(() => {
    let newest = 0;
    // Up to here nothing is missing.
    let known = 0;
    let hasHistory = false;
    const loadHistory = async () => {
      if (hasHistory) return fetchSince(userId, known);
      const page = await fetchPage(userId);
      hasHistory = true;
      setHasEarlier(page.length === PAGE);
      return page;
    };
    const catchUp = new CatchUp(loadHistory, (message: StoredMessage) => {
      newest = Math.max(newest, Number(message.id));
      deliver(message);
    });
    const missed = () => {
      if (catchUp.isCaughtUp) known = newest;
      catchUp.missed();
    };
    const unsubscribers = [
      subscribe("open", () => {
        if (client.getSnapshot().delivery === "reliable" && catchUp.isCaughtUp) return;
        missed();
        emit("ping", {});
      }),
      // The server takes frames in order, so its answer to the ping means that it has seen this side join.
      subscribe("pong", () => void catchUp.listening()),
      subscribe("gap", () => {
        missed();
        void catchUp.listening();
      }),
      subscribe("new_message", (message) => catchUp.arrived(message)),
      subscribe("close", () => catchUp.disconnected()),
    ];
    return () => {
      for (const unsubscribe of unsubscribers) unsubscribe();
    };
  }, [userId, deliver, client, emit, subscribe]);

  return hasEarlier;
}

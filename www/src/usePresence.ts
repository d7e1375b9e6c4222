import { useWebSocket } from "everwire/react";
import { useEffect, useState } from "react";
import type { Events } from "./events";

export type Presence = "online" | "offline" | "unknown";

/** Whether a member of the match is there, on any device; nobody knows without a connection of one's own. */
export function usePresence(matchId: string, userId: string): Presence {
  const { subscribe } = useWebSocket<Events>();
  const [presence, setPresence] = useState<Presence>("unknown");

  useEffect(() => {
    const set = (online: boolean) => setPresence(online ? "online" : "offline");
    const unsubscribers = [
      subscribe("session_members", ({ match_id, members }) => {
        const member = members.find(({ user_id }) => user_id === userId);
        if (match_id === matchId && member !== undefined) set(member.online);
      }),
      subscribe("user_online_status", ({ user_id, online }) => {
        if (user_id === userId) set(online);
      }),
      subscribe("close", () => setPresence("unknown")),
    ];
    return () => {
      for (const unsubscribe of unsubscribers) unsubscribe();
    };
  }, [subscribe, matchId, userId]);

  return presence;
}

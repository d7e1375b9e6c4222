import { useWebSocket } from "everwire/react";
import { TypingAnnouncer } from "everwire/session";
import { useEffect, useMemo } from "react";
import type { Events, Sends } from "./events";

/** Tells the match that this user types. */
export function useTyping(matchId: string): TypingAnnouncer {
  const { emit } = useWebSocket<Events, Sends>();
  const announcer = useMemo(
    () => new TypingAnnouncer((isTyping) => void emit("typing", { match_id: matchId, is_typing: isTyping })),
    [emit, matchId],
  );
  useEffect(() => announcer.stopped, [announcer]);
  return announcer;
}

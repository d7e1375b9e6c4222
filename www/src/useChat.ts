import { useWebSocket } from "everwire/react";
import { useCallback, useEffect, useReducer, useState } from "react";
import { delivery } from "./address";
import type { Events, Sends, StoredMessage } from "./events";
import { follow } from "./follow";
import { fetchPage, PAGE } from "./history";
import { type ChatMessage, type Delivery, reduceMessages } from "./messages";
import { randomId } from "./randomId";
import { useIncoming } from "./useIncoming";

export interface Chat {
  readonly messages: readonly ChatMessage[];
  readonly send: (content: string) => void;
  /** Fetches the messages before those that are there, and says whether there are more; `null` if nothing is before them. */
  readonly loadEarlier: (() => Promise<boolean>) | null;
}

/** The conversation of a match; a message appears at once, and how far it has come follows. */
export function useChat(matchId: string, userId: string): Chat {
  const { emit, subscribe } = useWebSocket<Events, Sends>();
  const [messages, dispatch] = useReducer(reduceMessages, []);

  useEffect(
    // On disk until it has arrived once: without it the server would refuse what this page may leave behind.
    () => void emit("join_match", { match_id: matchId }, { durable: delivery === "reliable" }),
    [emit, matchId],
  );

  const receive = useCallback((message: StoredMessage) => dispatch({ kind: "stored", userId, message }), [userId]);
  const hasEarlier = useIncoming(userId, receive);
  const [isWhole, setWhole] = useState(false);
  const loadEarlier = async () => {
    const ids = messages.map(({ storedId }) => storedId).filter((id) => id > 0);
    const page = await fetchPage(userId, Math.min(...ids));
    dispatch({ kind: "earlier", userId, page });
    setWhole(page.length < PAGE);
    return page.length === PAGE;
  };

  useEffect(
    () => subscribe("message_read", ({ message_id }) => dispatch({ kind: "read_by_peer", upTo: Number(message_id) })),
    [subscribe],
  );

  const send = useCallback(
    (content: string) => {
      const id = randomId(12);
      const move = (news: Delivery) => dispatch({ kind: "moved", id, delivery: news });
      dispatch({ kind: "written", id, content, at: Date.now() });
      const data = { match_id: matchId, content, client_id: id };
      const result = emit("send_message", data, { durable: delivery === "reliable" });
      if (result.status === "refused") move({ kind: "failed", reason: result.reason });
      else follow(result, move);
    },
    [emit, matchId],
  );

  return { messages, send, loadEarlier: hasEarlier && !isWhole ? loadEarlier : null };
}

import type { EverwireError, SentMessage } from "everwire";
import { useWebSocket } from "everwire/react";
import { useCallback, useEffect, useReducer } from "react";
import type { Events, Sends, StoredMessage } from "./events";
import { type ChatMessage, type Delivery, reduceMessages } from "./messages";
import { delivery } from "./people";
import { randomId } from "./randomId";
import { useIncoming } from "./useIncoming";

export interface Chat {
  readonly messages: readonly ChatMessage[];
  readonly send: (content: string) => void;
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

  const receive = useCallback(
    (message: StoredMessage) => {
      dispatch({ kind: "stored", author: message.senderId === userId ? "me" : "peer", message });
    },
    [userId],
  );
  useIncoming(userId, receive);

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

  return { messages, send };
}

/** Tells how far a message has come, now and later. */
function follow(message: SentMessage, move: (news: Delivery) => void): void {
  const look = () => {
    const { status } = message;
    if (status in PROGRESS) move({ kind: status as keyof typeof PROGRESS });
  };
  message.subscribe(look);
  message.done().catch((error: EverwireError) => move({ kind: "failed", reason: whyNot(error) }));
  look();
}

/** The server's own words if it was the server who refused. */
function whyNot(error: EverwireError): string {
  const cause = error.cause as { readonly message?: string } | undefined;
  return cause?.message ?? error.message;
}

const PROGRESS = { queued: true, sent: true, acknowledged: true, delivered: true, read: true };

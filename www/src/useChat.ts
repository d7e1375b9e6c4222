import type { MasterXEvents } from "everwire";
import { useWebSocket } from "everwire/react";
import { useCallback, useEffect, useReducer } from "react";
import { type ChatMessage, type Delivery, isQueued, reduceMessages } from "./messages";
import { randomId } from "./randomId";
import { type Incoming, useIncoming } from "./useIncoming";

export interface Chat {
  readonly messages: readonly ChatMessage[];
  readonly send: (content: string) => void;
}

/** Joins the session while mounted; a message appears at once and its delivery follows. */
export function useChat(sessionId: string, peerId: string): Chat {
  const { emit, subscribe, phase, queued } = useWebSocket<MasterXEvents>();
  const [messages, dispatch] = useReducer(reduceMessages, []);

  useEffect(() => {
    emit("join_session", { session_id: sessionId });
    return () => {
      emit("leave_session", { session_id: sessionId });
    };
  }, [emit, sessionId]);

  const receive = useCallback((message: Incoming) => dispatch({ kind: "received", ...message }), []);
  useIncoming(sessionId, peerId, receive);

  useEffect(
    () =>
      subscribe("drop", ({ type, reason }) => {
        if (type === "message_sent") dispatch({ kind: "queue_dropped", reason });
      }),
    [subscribe],
  );

  const waiting = messages.some(isQueued);
  useEffect(() => {
    if (waiting && phase === "open" && queued === 0) dispatch({ kind: "queue_flushed" });
  }, [waiting, phase, queued]);

  const send = useCallback(
    (content: string) => {
      const id = randomId(12);
      const result = emit("message_sent", { session_id: sessionId, message: { id, content } });
      const delivery: Delivery =
        result.status === "refused"
          ? { kind: "failed", reason: result.reason }
          : result.status === "failed"
            ? { kind: "failed", reason: "dropped" }
            : { kind: result.status };
      dispatch({ kind: "written", id, content, at: Date.now(), delivery });
    },
    [emit, sessionId],
  );

  return { messages, send };
}

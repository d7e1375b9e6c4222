import { useWebSocket } from "everwire/react";
import { useCallback, useEffect, useReducer } from "react";
import { follow } from "../follow";
import type { Delivery } from "../messages";
import { randomId } from "../randomId";
import type { Emotion } from "../useEmotions";
import { askTutor } from "./askTutor";
import type { LessonEvents, LessonSends } from "./events";
import { type LessonMessage, reduceLesson } from "./lessonMessages";
import { useFeelings } from "./useFeelings";

export interface Lesson {
  readonly messages: readonly LessonMessage[];
  readonly emotions: readonly Emotion[];
  readonly emotionOf: (messageId: string) => Emotion | undefined;
  readonly send: (content: string) => void;
  readonly askAgain: (message: LessonMessage) => void;
}

/** A session with the tutor, as one of the learner's devices sees it. */
export function useLesson(sessionId: string, userId: string): Lesson {
  const { client, emit, subscribe } = useWebSocket<LessonEvents, LessonSends>();
  const [messages, dispatch] = useReducer(reduceLesson, []);
  const { latest, byMessage, add } = useFeelings();

  useEffect(() => void emit("join_session", { session_id: sessionId }), [emit, sessionId]);

  useEffect(() => {
    const unsubscribers = [
      subscribe("message_received", ({ message }) => dispatch({ kind: "received", message })),
      subscribe("message_delta", ({ message_id: id, text }) => dispatch({ kind: "delta", id, text, at: Date.now() })),
      subscribe("close", () => dispatch({ kind: "cut_off" })),
    ];
    return () => {
      for (const unsubscribe of unsubscribers) unsubscribe();
    };
  }, [subscribe]);

  const ask = useCallback(
    async (id: string, content: string) => {
      dispatch({ kind: "asking", id });
      try {
        const question = { session_id: sessionId, message: content, message_id: id };
        const { message, reply_id, emotion_state, pushed } = await askTutor(userId, question);
        if (!pushed) add(id, emotion_state);
        // What cannot be pushed is here all the same; else it is shown as it is written.
        const isStreamed = pushed && client.isConnected();
        dispatch({ kind: "answered", id: reply_id, content: message, at: Date.now(), isStreamed });
      } catch (error) {
        dispatch({ kind: "unasked", id, reason: (error as Error).message });
      }
    },
    [client, add, sessionId, userId],
  );

  const send = useCallback(
    (content: string) => {
      const id = randomId(12);
      const move = (news: Delivery) => dispatch({ kind: "moved", id, delivery: news });
      dispatch({ kind: "written", id, content, at: Date.now() });
      const result = emit("message_sent", { session_id: sessionId, message: { id, content } });
      if (result.status === "refused") {
        move({ kind: "failed", reason: result.reason });
        return;
      }
      follow(result, move);
      // The tutor is asked about what the server has, so a message that waits for the connection is answered when it is back.
      result.done().then(
        () => ask(id, content),
        () => {},
      );
    },
    [emit, ask, sessionId],
  );

  return {
    messages,
    emotions: latest,
    emotionOf: (messageId) => byMessage.get(messageId),
    send,
    askAgain: ({ id, content }) => void ask(id, content),
  };
}

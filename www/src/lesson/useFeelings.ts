import { useWebSocket } from "everwire/react";
import { useCallback, useEffect, useState } from "react";
import { type Emotion, TRAIL } from "../useEmotions";
import type { LessonEvents } from "./events";

export interface Feelings {
  /** The latest, newest last. */
  readonly latest: readonly Emotion[];
  /** By the message that they are read from. */
  readonly byMessage: ReadonlyMap<string, Emotion>;
  /** Adds one that did not come as an event. */
  readonly add: (messageId: string, emotion: Emotion) => void;
}

/** The learner's emotions. They may come before the message that they are read from, which takes another way. */
export function useFeelings(): Feelings {
  const { subscribe } = useWebSocket<LessonEvents>();
  const [feelings, setFeelings] = useState<Omit<Feelings, "add">>({ latest: [], byMessage: new Map() });

  const add = useCallback(
    (messageId: string, emotion: Emotion) =>
      setFeelings(({ latest, byMessage }) => ({
        latest: [...latest, emotion].slice(-TRAIL),
        byMessage: new Map(byMessage).set(messageId, emotion),
      })),
    [],
  );
  useEffect(() => subscribe("emotion_update", ({ message_id, emotion }) => add(message_id, emotion)), [subscribe, add]);

  return { ...feelings, add };
}

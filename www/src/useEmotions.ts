import { useWebSocket } from "everwire/react";
import { useEffect, useState } from "react";
import type { Events } from "./events";

export type Emotion = Events["emotion_update"]["emotion"];

/** The latest emotions, newest last; the older ones draw the trail. */
export function useEmotions(): readonly Emotion[] {
  const { subscribe } = useWebSocket<Events>();
  const [emotions, setEmotions] = useState<readonly Emotion[]>([]);
  useEffect(
    () => subscribe("emotion_update", ({ emotion }) => setEmotions((past) => [...past, emotion].slice(-TRAIL))),
    [subscribe],
  );
  return emotions;
}

/** How many are kept. */
export const TRAIL = 5;

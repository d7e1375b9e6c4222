import type { MasterXServerEvents } from "everwire";
import type { CSSProperties } from "react";

export type Emotion = MasterXServerEvents["emotion_update"]["emotion"];

/** The emotions by the message that they are read from, with one more at the end; bounded. */
export function remember(
  emotions: ReadonlyMap<string, Emotion>,
  messageId: string,
  emotion: Emotion,
): ReadonlyMap<string, Emotion> {
  const others = [...emotions].filter(([id]) => id !== messageId).slice(1 - MOST_EMOTIONS);
  return new Map([...others, [messageId, emotion]]);
}

/** The colour of an emotion, for a stylesheet that uses `--hue`. */
export function tint(emotion: Emotion | undefined): CSSProperties {
  return { "--hue": emotion ? hueOf(emotion) : 220 } as CSSProperties;
}

/** The name of an emotion, as a word of a text. */
export function inWords(name: string): string {
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A colour for each direction on the plane: joy is amber, calm is green, gloom is blue, anger is red. */
function hueOf({ pad_values: { pleasure, arousal } }: Emotion): number {
  const angle = (Math.atan2(arousal, pleasure) * 180) / Math.PI;
  return Math.round((480 - angle) % 360);
}

const MOST_EMOTIONS = 1_000;

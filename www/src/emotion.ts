import type { CSSProperties } from "react";
import type { Emotion } from "./useEmotions";

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

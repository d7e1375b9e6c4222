import type { CSSProperties } from "react";
import { pushEmotion } from "../devServer";
import type { Person } from "../people";
import { type Emotion, useEmotions } from "../useEmotions";
import { ActionButton } from "./ActionButton";
import { AffectPlane, hueOf } from "./AffectPlane";
import { Level } from "./Level";
import { Meter } from "./Meter";

/** What the latest `emotion_update` says: where on the pleasure/arousal plane, how dominant, how ready to learn. */
export function EmotionCard({ person }: { person: Person }) {
  const emotions = useEmotions();
  const latest = emotions.at(-1);
  return (
    <div className="card emotion" data-testid="emotion" style={tint(latest)}>
      <div className="card-head">
        <h3>Emotion</h3>
        <ActionButton
          testId="push-emotion"
          action={() => pushEmotion(person.userId)}
          hint={`The server sends ${person.name} an emotion_update`}
        >
          Push emotion
        </ActionButton>
      </div>
      <p className="emotion-primary" aria-live="polite">
        <span data-testid="emotion-primary">{latest ? inWords(latest.primary_emotion) : "No reading yet"}</span>
        {latest && <small>{Math.round(latest.intensity * 100)} % intense</small>}
      </p>
      <AffectPlane emotions={emotions} />
      <div className="emotion-meters">
        <Meter label="Dominance" value={latest?.pad_values.dominance} min={-1} />
        <Level label="Readiness" value={latest?.learning_readiness} />
        <Level label="Load" value={latest?.cognitive_load} />
      </div>
    </div>
  );
}

function tint(emotion: Emotion | undefined): CSSProperties {
  return { "--hue": emotion ? hueOf(emotion) : 220 } as CSSProperties;
}

function inWords(name: string): string {
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

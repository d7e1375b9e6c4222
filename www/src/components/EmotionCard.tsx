import { type Emotion, inWords, tint } from "../emotion";
import { AffectPlane, TRAIL } from "./AffectPlane";
import { Level } from "./Level";
import { Meter } from "./Meter";

interface Props {
  /** The latest, newest last. */
  readonly emotions: readonly Emotion[];
}

/** What the latest `emotion_update` says: where on the pleasure/arousal plane, how dominant, how ready to learn. */
export function EmotionCard({ emotions }: Props) {
  const latest = emotions.at(-1);
  return (
    <div className="card emotion" data-testid="emotion" style={tint(latest)}>
      <div className="card-head">
        <h3>Emotion</h3>
      </div>
      <p className="emotion-primary" aria-live="polite">
        <span data-testid="emotion-primary">{latest ? inWords(latest.primary_emotion) : "No reading yet"}</span>
        {latest && <small>{Math.round(latest.intensity * 100)} % intense</small>}
      </p>
      <AffectPlane emotions={emotions.slice(-TRAIL)} />
      <div className="emotion-meters">
        <Meter label="Dominance" value={latest?.pad_values.dominance} min={-1} />
        <Level label="Readiness" value={latest?.learning_readiness} />
        <Level label="Load" value={latest?.cognitive_load} />
      </div>
    </div>
  );
}

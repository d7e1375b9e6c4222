import type { Emotion } from "../emotion";

/** Pleasure to the right, arousal upwards: the newest reading as a disc, the ones before as a fading trail. */
export function AffectPlane({ emotions }: { emotions: readonly Emotion[] }) {
  const latest = emotions.at(-1);
  const points = emotions.map(pointOf);
  const here = points.at(-1);
  return (
    <svg className="plane" viewBox="-57 -57 114 114" role="img" aria-label={describe(latest)}>
      <circle className="plane-field" r={R} />
      <circle className="plane-ring" r={R / 2} />
      <path className="plane-axis" d={`M${-R} 0H${R}M0 ${-R}V${R}`} />
      <text x="0" y={-R - 4}>
        aroused
      </text>
      <text x="0" y={R + 10}>
        calm
      </text>
      <text transform={`translate(${-R - 5} 0) rotate(-90)`}>unpleasant</text>
      <text transform={`translate(${R + 5} 0) rotate(90)`}>pleasant</text>
      {points.length > 1 && <polyline className="plane-trail" points={points.map((p) => `${p.x},${p.y}`).join(" ")} />}
      {points.slice(0, -1).map((point, index) => (
        <circle key={index} className="plane-past" cx={point.x} cy={point.y} r="1.8" opacity={(index + 1) / TRAIL} />
      ))}
      {latest && here && (
        <g className="plane-here" style={{ transform: `translate(${here.x}px, ${here.y}px)` }}>
          <circle className="plane-halo" r={7 + 9 * latest.intensity} />
          <circle className="plane-disc" r="5" />
        </g>
      )}
    </svg>
  );
}

/** Pleasure and arousal span a square; this bends it into the disc, so that the extremes stay inside the drawing. */
function pointOf({ pad_values: pad }: Emotion): { x: number; y: number } {
  const x = clamp(pad.pleasure);
  const y = clamp(pad.arousal);
  return { x: R * x * Math.sqrt(1 - (y * y) / 2), y: -R * y * Math.sqrt(1 - (x * x) / 2) };
}

function describe(emotion: Emotion | undefined): string {
  if (emotion === undefined) return "No reading yet";
  const { pleasure, arousal } = emotion.pad_values;
  return `Pleasure ${pleasure.toFixed(2)}, arousal ${arousal.toFixed(2)}, each from −1 to 1`;
}

function clamp(value: number): number {
  return Math.min(1, Math.max(-1, value));
}

const R = 44;
/** How many are drawn. */
export const TRAIL = 5;

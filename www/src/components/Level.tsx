import { Meter } from "./Meter";

interface Props {
  readonly label: string;
  /** A share from 0 to 1, or a word: servers send either. */
  readonly value: number | string | undefined;
}

export function Level({ label, value }: Props) {
  if (typeof value !== "string") return <Meter label={label} value={value} min={0} />;
  const reached = STEPS.indexOf(value);
  return (
    <div className="meter">
      <span className="meter-label">{label}</span>
      <span className="meter-value">{value}</span>
      {reached !== -1 && (
        <span className="meter-steps" aria-hidden="true">
          {STEPS.map((step, index) => (
            <span key={step} data-reached={index <= reached} />
          ))}
        </span>
      )}
    </div>
  );
}

const STEPS = ["low", "moderate", "high"];

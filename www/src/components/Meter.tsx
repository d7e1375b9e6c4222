interface Props {
  readonly label: string;
  readonly value: number | undefined;
  /** 0 for a share, −1 for a value that swings both ways around the middle. */
  readonly min: 0 | -1;
}

export function Meter({ label, value, min }: Props) {
  const share = value === undefined ? null : (Math.min(1, Math.max(min, value)) - min) / (1 - min);
  const origin = min === 0 ? 0 : 0.5;
  const from = share === null ? origin : Math.min(share, origin);
  const to = share === null ? origin : Math.max(share, origin);
  return (
    <div className="meter">
      <span className="meter-label">{label}</span>
      <span className="meter-value">{value === undefined ? "–" : value.toFixed(2).replace("-", "−")}</span>
      <span
        className="meter-track"
        role="meter"
        aria-label={label}
        aria-valuemin={min}
        aria-valuemax={1}
        aria-valuenow={value ?? min}
        aria-valuetext={value === undefined ? "no reading" : value.toFixed(2)}
      >
        {min !== 0 && <span className="meter-middle" />}
        <span className="meter-fill" style={{ left: `${from * 100}%`, width: `${(to - from) * 100}%` }} />
      </span>
    </div>
  );
}

import { formatTime } from "../formatTime";

interface Props {
  /** Whose connection it is. */
  readonly name: string;
  /** Newest first. */
  readonly entries: readonly LogEntry[];
}

export interface LogEntry {
  readonly id: number;
  readonly at: number;
  readonly event: string;
  readonly text: string;
}

export function EventLog({ name, entries }: Props) {
  return (
    <div className="card log">
      <div className="card-head">
        <h3>Log</h3>
      </div>
      <ol className="log-entries" data-testid="log" aria-label={`Connection log of ${name}`} tabIndex={0}>
        {entries.map((entry) => (
          <li key={entry.id} data-event={entry.event}>
            <time>{formatTime(entry.at)}</time>
            <b>{entry.event}</b>
            <span>{entry.text}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}

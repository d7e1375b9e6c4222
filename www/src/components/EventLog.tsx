import { formatTime } from "../formatTime";
import { useEventLog } from "../useEventLog";

export function EventLog({ name }: { readonly name: string }) {
  const entries = useEventLog();
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

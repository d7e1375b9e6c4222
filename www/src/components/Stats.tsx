import type { Snapshot } from "everwire";

/** The numbers behind the sentence. */
export function Stats({ snapshot }: { snapshot: Snapshot }) {
  return (
    <dl className="stats">
      <div>
        <dt>Round trip</dt>
        <dd data-testid="rtt">{snapshot.lastRttMs === null ? "–" : formatMs(snapshot.lastRttMs)}</dd>
      </div>
      <div>
        <dt>Waiting to be sent</dt>
        <dd>
          <span data-testid="queued">{snapshot.queued}</span>
          {snapshot.queued > 0 && <small> {formatBytes(snapshot.queuedBytes)}</small>}
        </dd>
      </div>
      <div>
        <dt>Last close</dt>
        <dd data-testid="last-close">{snapshot.close === null ? "–" : snapshot.close.code}</dd>
      </div>
    </dl>
  );
}

function formatMs(ms: number): string {
  return ms < 1 ? "< 1 ms" : `${Math.round(ms)} ms`;
}

function formatBytes(bytes: number): string {
  return bytes < 1024 ? `${bytes} B` : `${(bytes / 1024).toFixed(1)} KB`;
}

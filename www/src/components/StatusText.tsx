import type { StatusLine } from "../instruments/statusLine";
import { useNow } from "../useNow";

/** The status in plain words. The countdown is for eyes only: read aloud ten times a second it would drown everything. */
export function StatusText({ line }: { line: StatusLine }) {
  const because = line.because === null ? "" : ` (${line.because})`;
  return (
    <>
      <p className="status" data-testid="status" aria-hidden="true">
        {line.sentence}
        {line.retryAt !== null && <Countdown until={line.retryAt} />}
        {line.because !== null && <span className="status-because">{because}</span>}
        <span className="status-hint">{line.hint}</span>
      </p>
      <p className="visually-hidden" role="status">
        {line.sentence}
        {because}
      </p>
    </>
  );
}

function Countdown({ until }: { until: number }) {
  const left = Math.max(0, until - useNow(true));
  return <span className="countdown"> in {(left / 1000).toFixed(1)} s</span>;
}

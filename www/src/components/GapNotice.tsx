import { useGaps } from "../useGaps";

/** Says that the server could not bring everything that was missed. */
export function GapNotice() {
  const { missing, dismiss } = useGaps();
  return (
    <div role="status">
      {missing !== undefined && (
        <p className="gap" data-testid="gap">
          <span>
            {missing === null
              ? "The server counts anew"
              : `${missing} ${missing === 1 ? "event is" : "events are"} missing`}
            : the server no longer has what happened meanwhile. The conversation was fetched again.
          </span>
          <button type="button" className="button button-quiet" onClick={dismiss}>
            Dismiss
          </button>
        </p>
      )}
    </div>
  );
}

interface Props {
  /** How many events are missing, `null` if that is not known; `undefined` if there is nothing to tell. */
  readonly missing: number | null | undefined;
  readonly onDismiss: () => void;
}

/** Says that the server could not bring everything that was missed. */
export function GapNotice({ missing, onDismiss }: Props) {
  return (
    <div role="status" onKeyDown={({ key }) => key === "Escape" && onDismiss()}>
      {missing !== undefined && (
        <p className="gap" data-testid="gap">
          <span>
            {missing === null
              ? "The server counts anew"
              : `${missing} ${missing === 1 ? "event is" : "events are"} missing`}
            : the server no longer has what happened meanwhile. The conversation was fetched again.
          </span>
          <button type="button" className="button button-quiet" onClick={onDismiss}>
            Dismiss
          </button>
        </p>
      )}
    </div>
  );
}

interface Props {
  /** Why the tutor was not asked, if that failed. */
  readonly reason: string | undefined;
  readonly onAskAgain: () => void;
}

export function Unasked({ reason, onAskAgain }: Props) {
  if (reason === undefined) return null;
  return (
    <span className="unasked" data-testid="unasked">
      The tutor was not asked: {reason}.{" "}
      <button type="button" className="button button-quiet" data-testid="ask-again" onClick={onAskAgain}>
        Ask again
      </button>
    </span>
  );
}

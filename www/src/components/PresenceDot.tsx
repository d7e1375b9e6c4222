interface Props {
  readonly name: string;
  /** Whether they are there, on any device; `undefined` when this side cannot know. */
  readonly isOnline: boolean | undefined;
  /** How many of their messages have not been looked at. */
  readonly unread: number;
}

/** A full dot for somebody who is there, a crossed one for somebody who is not, a hollow one when this side cannot know. */
export function PresenceDot({ name, isOnline, unread }: Props) {
  const presence = isOnline === undefined ? "unknown" : isOnline ? "online" : "offline";
  return (
    <div className="presence">
      <p aria-live="polite" data-presence={presence} data-testid="presence">
        {isOnline === undefined ? `Not known whether ${name} is online` : `${name} is ${presence}`}
      </p>
      <span className="unread" data-testid="unread">
        {unread > 0 && `${unread} unread`}
      </span>
    </div>
  );
}

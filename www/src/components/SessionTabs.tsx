export interface SessionName {
  readonly id: string;
  readonly title: string;
}

interface Props {
  readonly sessions: readonly SessionName[];
  /** How many messages of each have not been looked at. */
  readonly unread: readonly number[];
  readonly shown: SessionName;
  readonly onShow: (session: SessionName) => void;
}

/** The sessions of a learner, and which of them is shown. */
export function SessionTabs({ sessions, unread, shown, onShow }: Props) {
  return (
    <nav className="session-tabs" aria-label="Sessions">
      {sessions.map((session, index) => (
        <button
          key={session.id}
          type="button"
          className="session-tab"
          aria-current={session === shown ? "page" : undefined}
          data-testid={`session-${index + 1}`}
          onClick={() => onShow(session)}
        >
          {session.title}
          {(unread[index] ?? 0) > 0 && <span className="unread">{unread[index]} new</span>}
        </button>
      ))}
    </nav>
  );
}

import type { Snapshot } from "everwire";
import type { ReactNode } from "react";
import type { StatusLine } from "../instruments/statusLine";
import { Stats } from "./Stats";
import { StatusText } from "./StatusText";

interface Props {
  /** Whose connection it is. */
  readonly name: string;
  readonly snapshot: Snapshot;
  readonly line: StatusLine;
  readonly onReconnect: () => void;
  readonly onDisconnect: () => void;
  /** The connection drawn. */
  readonly children: ReactNode;
}

/** Who this is, how the connection is doing, and the one button that changes that. */
export function ConnectionBar({ name, snapshot, line, onReconnect, onDisconnect, children }: Props) {
  return (
    <div className="connection" data-tone={line.tone} data-phase={snapshot.phase} data-testid="connection">
      <div className="connection-head">
        <span className="avatar" aria-hidden="true">
          {name[0]}
        </span>
        <h2>{name}</h2>
        <span className="badge" data-testid="badge">
          {line.badge}
        </span>
        {snapshot.phase === "open" ? (
          <button type="button" className="button button-quiet" data-testid="disconnect" onClick={onDisconnect}>
            Disconnect
          </button>
        ) : (
          <button type="button" className="button button-strong" data-testid="reconnect" onClick={onReconnect}>
            Reconnect
          </button>
        )}
      </div>
      {children}
      <StatusText line={line} />
      <Stats snapshot={snapshot} />
    </div>
  );
}

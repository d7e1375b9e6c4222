import { useWebSocket } from "everwire/react";
import type { ShownMessage } from "../messages";
import { statusLine } from "../statusLine";
import { Stats } from "./Stats";
import { StatusText } from "./StatusText";
import { Wire } from "./Wire";

interface Props {
  /** Whose connection it is. */
  readonly name: string;
  readonly lastMessage: ShownMessage | undefined;
}

/** Who this is, how the connection is doing, and the one button that changes that. */
export function ConnectionBar({ name, lastMessage }: Props) {
  const { isConnected, reconnect, disconnect, ...snapshot } = useWebSocket();
  const line = statusLine(snapshot);
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
        {isConnected ? (
          <button type="button" className="button button-quiet" data-testid="disconnect" onClick={disconnect}>
            Disconnect
          </button>
        ) : (
          <button type="button" className="button button-strong" data-testid="reconnect" onClick={reconnect}>
            Reconnect
          </button>
        )}
      </div>
      <Wire phase={snapshot.phase} retryAt={snapshot.retryAt} rtt={snapshot.lastRttMs} lastMessage={lastMessage} />
      <StatusText line={line} />
      <Stats snapshot={snapshot} />
    </div>
  );
}

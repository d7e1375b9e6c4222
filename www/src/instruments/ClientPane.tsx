import type { ChatMessage } from "everwire";
import { useWebSocket } from "everwire/react";
import type { ReactNode } from "react";
import { ConnectionBar } from "../components/ConnectionBar";
import { EventLog } from "../components/EventLog";
import { Timeline } from "../components/Timeline";
import { statusLine } from "./statusLine";
import { useEventLog } from "./useEventLog";
import { useTimeline } from "./useTimeline";
import { useToasts } from "./useToasts";

interface Props {
  readonly id: string;
  /** Whose connection it is. */
  readonly name: string;
  /** What the pane is. */
  readonly label: string;
  /** What passes over the connection. */
  readonly messages: readonly ChatMessage[];
  /** The chat. */
  readonly children: ReactNode;
  /** What is shown beside the log. */
  readonly details?: ReactNode;
}

/** One client with its connection on display: how it is doing, the application's part, and what has happened. */
export function ClientPane({ id, name, label, messages, children, details }: Props) {
  const { isConnected, emit, subscribe, reconnect, disconnect, client, ...snapshot } = useWebSocket();
  const log = useEventLog();
  const timeline = useTimeline(messages);
  useToasts(name);
  return (
    <section className={`pane pane-${id}`} data-testid={`pane-${id}`} aria-label={label}>
      <ConnectionBar
        name={name}
        snapshot={snapshot}
        line={statusLine(snapshot)}
        onReconnect={reconnect}
        onDisconnect={disconnect}
      >
        <Timeline name={name} {...timeline} />
      </ConnectionBar>
      <div className="chat">{children}</div>
      <div className="pane-details">
        {details}
        <EventLog name={name} entries={log} />
      </div>
    </section>
  );
}

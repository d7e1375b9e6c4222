import { dropConnections, forgetHistory, stopAnswering } from "../devServer";
import { delivery, type Person, sessionId } from "../people";
import { useChat } from "../useChat";
import { useReadReceipts } from "../useReadReceipts";
import { ActionButton } from "./ActionButton";
import { Chat } from "./Chat";
import { ConnectionBar } from "./ConnectionBar";
import { EmotionCard } from "./EmotionCard";
import { EventLog } from "./EventLog";

export function Pane({ person }: { person: Person }) {
  const { userId } = person;
  const { messages, send } = useChat(sessionId, userId);
  useReadReceipts(sessionId, messages);
  return (
    <section className={`pane pane-${person.key}`} data-testid={`pane-${person.key}`} aria-label={person.name}>
      <ConnectionBar person={person} lastMessage={messages.at(-1)} />
      <Chat person={person} messages={messages} onSend={send} />
      <div className="faults" role="group" aria-label={`Trouble for ${person.name}`}>
        <ActionButton
          testId="stop-answering"
          action={() => stopAnswering(userId, "open sockets")}
          hint="The server keeps the socket but says nothing; only the heartbeat can notice"
        >
          Stop answering
        </ActionButton>
        <ActionButton
          testId="drop-connection"
          action={() => dropConnections(userId)}
          hint="Cuts the connection without a goodbye"
        >
          Drop connection
        </ActionButton>
        {delivery === "reliable" && (
          <ActionButton
            testId="forget-history"
            action={() => forgetHistory(userId)}
            hint="The server forgets its stored events; disconnect first and write on the other side, and some are missing"
          >
            Forget history
          </ActionButton>
        )}
      </div>
      <div className="pane-details">
        <EmotionCard person={person} />
        <EventLog person={person} />
      </div>
    </section>
  );
}

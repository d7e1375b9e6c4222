import { delivery, sessionId } from "../address";
import { dropConnections, forgetHistory, pushEmotion, stopAnswering } from "../devServer";
import type { Person } from "../people";
import { useChat } from "../useChat";
import { useEmotions } from "../useEmotions";
import { useReadReceipts } from "../useReadReceipts";
import { useToasts } from "../useToasts";
import { ActionButton } from "./ActionButton";
import { Chat } from "./Chat";
import { ConnectionBar } from "./ConnectionBar";
import { EmotionCard } from "./EmotionCard";
import { EventLog } from "./EventLog";

export function Pane({ person }: { person: Person }) {
  const { name, userId } = person;
  const chat = useChat(sessionId, userId);
  const emotions = useEmotions();
  useReadReceipts(sessionId, chat.messages);
  useToasts(name);
  return (
    <section className={`pane pane-${person.key}`} data-testid={`pane-${person.key}`} aria-label={name}>
      <ConnectionBar name={name} lastMessage={chat.messages.at(-1)} />
      <Chat person={person} chat={chat} />
      <div className="faults" role="group" aria-label={`Trouble for ${name}`}>
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
        <EmotionCard emotions={emotions}>
          <ActionButton
            testId="push-emotion"
            action={() => pushEmotion(userId)}
            hint={`The server sends ${name} an emotion_update`}
          >
            Push emotion
          </ActionButton>
        </EmotionCard>
        <EventLog name={name} />
      </div>
    </section>
  );
}

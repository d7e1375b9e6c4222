import { Bubble } from "../components/Bubble";
import { Composer } from "../components/Composer";
import { Conversation } from "../components/Conversation";
import { Feeling } from "../components/Feeling";
import { TypingLine } from "../components/TypingLine";
import { Unasked } from "../components/Unasked";
import type { Emotion } from "../emotion";
import { learner } from "../people";
import { useGlance } from "../useGlance";
import { useSession } from "./hooks";
import { useTutor } from "./useTutor";

interface Props {
  readonly id: string;
  readonly device: string;
  /** A session that is not shown goes on all the same. */
  readonly isShown: boolean;
  readonly feelings: ReadonlyMap<string, Emotion>;
  readonly onFeeling: (messageId: string, emotion: Emotion) => void;
}

export function SessionChat({ id, device, isShown, feelings, onFeeling }: Props) {
  const session = useSession(id);
  const tutor = useTutor(id, session.messages, onFeeling);
  useGlance(isShown ? session.unread : 0, session.markAsRead);
  if (!isShown) return null;

  const author = `${learner.name}, ${device.toLowerCase()}`;
  const parts = session.messages.filter(({ data }) => "message_id" in data);
  const isTutorTyping = parts.some(({ content }) => content !== "");
  const typing = isTutorTyping
    ? "Tutor is typing"
    : session.isTypingElsewhere && `${learner.name} is typing on another device`;
  return (
    <>
      <Conversation
        label={`Lesson on the ${device.toLowerCase()}`}
        empty="Nothing yet. Try “I’m so excited about this!”, or “I don’t understand the second step.”"
        state={session}
      >
        {session.messages.map((message) => (
          <Bubble
            key={message.id}
            message={message.content === "" ? { ...message, content: "thinking…" } : message}
            peer="Tutor"
            busy={parts.includes(message)}
            onRetry={() => session.retry(message.id)}
            onDiscard={() => session.discard(message.id)}
          >
            <Feeling emotion={feelings.get(message.id)} />
            <Unasked reason={tutor.unasked.get(message.id)} onAskAgain={() => tutor.ask(message)} />
          </Bubble>
        ))}
      </Conversation>
      <TypingLine text={typing || ""} />
      <Composer name={author} typing={session} onSend={(content) => tutor.willAsk(session.send(content))} />
    </>
  );
}

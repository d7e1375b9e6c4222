import { sessionId } from "../address";
import { Bubble } from "../components/Bubble";
import { Composer } from "../components/Composer";
import { TypingLine } from "../components/TypingLine";
import { inWords, tint } from "../emotion";
import { learner } from "../people";
import type { Emotion } from "../useEmotions";
import type { LessonMessage } from "./lessonMessages";
import type { Lesson } from "./useLesson";
import { useSessionTyping } from "./useSessionTyping";

interface Props {
  /** The device on which it is seen. */
  readonly device: string;
  readonly lesson: Lesson;
}

export function LessonChat({ device, lesson: { messages, emotionOf, send, askAgain } }: Props) {
  const { users, ...typing } = useSessionTyping(sessionId);
  return (
    <div className="chat">
      <div
        className="chat-scroll"
        role="log"
        aria-label={`Lesson on the ${device.toLowerCase()}`}
        // Scrollable without a mouse.
        tabIndex={0}
      >
        {messages.length === 0 && (
          <p className="chat-empty">
            Nothing yet. Try “I’m so excited about this!”, or “I don’t understand the second step.”
          </p>
        )}
        <ol>
          {messages.map((message) => (
            <Bubble
              key={message.id}
              message={message.state === "thinking" ? { ...message, content: "thinking…" } : message}
              peer="Tutor"
              busy={message.state !== "whole"}
            >
              <Feeling emotion={emotionOf(message.id)} />
              <Unasked message={message} onAskAgain={askAgain} />
            </Bubble>
          ))}
        </ol>
      </div>
      <TypingLine text={users.includes(learner.userId) ? `${learner.name} is typing on another device` : ""} />
      <Composer name={`${learner.name}, ${device.toLowerCase()}`} typing={typing} onSend={send} />
    </div>
  );
}

function Feeling({ emotion }: { readonly emotion: Emotion | undefined }) {
  if (emotion === undefined) return null;
  return (
    <span className="feeling" style={tint(emotion)} data-testid="message-emotion">
      {inWords(emotion.primary_emotion)}
    </span>
  );
}

function Unasked({
  message,
  onAskAgain,
}: {
  readonly message: LessonMessage;
  readonly onAskAgain: (message: LessonMessage) => void;
}) {
  if (message.unasked === undefined) return null;
  return (
    <span className="unasked" data-testid="unasked">
      The tutor was not asked: {message.unasked}.{" "}
      <button type="button" className="button button-quiet" data-testid="ask-again" onClick={() => onAskAgain(message)}>
        Ask again
      </button>
    </span>
  );
}

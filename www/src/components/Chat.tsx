import type { ChatMessage } from "../messages";
import { type Person, peerOf } from "../people";
import { usePeerTyping } from "../usePeerTyping";
import { Bubble } from "./Bubble";
import { Composer } from "./Composer";
import { GapNotice } from "./GapNotice";

interface Props {
  readonly person: Person;
  readonly messages: readonly ChatMessage[];
  readonly onSend: (content: string) => void;
}

export function Chat({ person, messages, onSend }: Props) {
  const peerTyping = usePeerTyping(peerOf(person).userId);
  const peer = peerOf(person).name;

  return (
    <div className="chat">
      <GapNotice />
      <div
        className="chat-scroll"
        role="log"
        aria-label={`Messages seen by ${person.name}`}
        // Scrollable without a mouse.
        tabIndex={0}
      >
        {messages.length === 0 && (
          <p className="chat-empty">Nothing yet. Write something, or break the connection first and write then.</p>
        )}
        <ol>
          {messages.map((message) => (
            <Bubble key={message.id} message={message} peer={peer} />
          ))}
        </ol>
      </div>
      <p className="chat-typing" aria-live="polite" data-testid="typing">
        {peerTyping && (
          <>
            {peer} is typing
            <span className="dots" aria-hidden="true">
              <i />
              <i />
              <i />
            </span>
          </>
        )}
      </p>
      <Composer person={person} onSend={onSend} />
    </div>
  );
}

import { useRef } from "react";
import { sessionId } from "../address";
import { type Person, peerOf } from "../people";
import type { Chat as Conversation } from "../useChat";
import { usePeerTyping } from "../usePeerTyping";
import { useTyping } from "../useTyping";
import { ActionButton } from "./ActionButton";
import { Bubble } from "./Bubble";
import { Composer } from "./Composer";
import { GapNotice } from "./GapNotice";
import { PresenceDot } from "./PresenceDot";
import { TypingLine } from "./TypingLine";

interface Props {
  readonly person: Person;
  readonly chat: Conversation;
}

export function Chat({ person, chat: { messages, send, loadEarlier } }: Props) {
  const { name: peer, userId: peerId } = peerOf(person);
  const peerTyping = usePeerTyping(peerId);
  const typing = useTyping(sessionId);
  const scroll = useRef<HTMLDivElement>(null);

  const showEarlier = async (load: () => Promise<boolean>) => {
    // The button goes with the last page, and the keyboard must not lose its place.
    if (!(await load())) scroll.current?.focus({ preventScroll: true });
  };

  return (
    <div className="chat">
      <PresenceDot matchId={sessionId} userId={peerId} name={peer} />
      <GapNotice />
      <div
        ref={scroll}
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
        {loadEarlier && (
          <div className="chat-earlier">
            <ActionButton
              testId="earlier"
              action={() => showEarlier(loadEarlier)}
              hint="Fetches the messages before these from the server"
            >
              Earlier messages
            </ActionButton>
          </div>
        )}
      </div>
      <TypingLine text={peerTyping ? `${peer} is typing` : ""} />
      <Composer name={person.name} typing={typing} onSend={send} />
    </div>
  );
}

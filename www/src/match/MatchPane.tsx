import { typingText } from "everwire/session";
import { useState } from "react";
import { sessionId } from "../address";
import { Bubble } from "../components/Bubble";
import { Composer } from "../components/Composer";
import { Conversation } from "../components/Conversation";
import { GapNotice } from "../components/GapNotice";
import { PresenceDot } from "../components/PresenceDot";
import { TypingLine } from "../components/TypingLine";
import { ClientPane } from "../instruments/ClientPane";
import { type Person, peerOf } from "../people";
import { useGlance } from "../useGlance";
import { useConnection, useEvent, useEventState, useMatch } from "./hooks";

/** One person's side of the match. */
export function MatchPane({ person }: { readonly person: Person }) {
  const peer = peerOf(person);
  const match = useMatch(sessionId);
  const isConnected = useConnection(({ phase }) => phase === "open");
  const [missing, setMissing] = useState<number | null>();

  // CoLabMatch's own server lists no members.
  const wasOnline = useEventState(
    "user_online_status",
    (before: boolean | undefined, { user_id, online }) => (user_id === peer.userId ? online : before),
    undefined,
  );
  const member = match.members.find(({ userId }) => userId === peer.userId);

  useEvent("gap", ({ from, to }) => setMissing(to === null ? null : to - from + 1));
  useGlance(isConnected ? match.unread : 0, match.markAsRead);

  return (
    <ClientPane id={person.key} name={person.name} label={person.name} messages={match.messages}>
      <PresenceDot
        name={peer.name}
        isOnline={isConnected ? (member?.online ?? wasOnline) : undefined}
        unread={match.unread}
      />
      <GapNotice missing={missing} onDismiss={() => setMissing(undefined)} />
      <Conversation
        label={`Messages seen by ${person.name}`}
        empty="Nothing yet. Write something, or break the connection first and write then."
        state={match}
        onEarlier={match.hasEarlier ? match.loadEarlier : undefined}
      >
        {match.messages.map((message) => (
          <Bubble
            key={message.id}
            message={message}
            peer={peer.name}
            onRetry={() => match.retry(message.id)}
            onDiscard={() => match.discard(message.id)}
          />
        ))}
      </Conversation>
      <TypingLine text={typingText(match.typing.map(() => peer.name))} />
      <Composer name={person.name} typing={match} onSend={match.send} />
    </ClientPane>
  );
}

import { useCallback, useState } from "react";
import { sessions } from "../address";
import { EmotionCard } from "../components/EmotionCard";
import { SessionTabs } from "../components/SessionTabs";
import { type Emotion, remember } from "../emotion";
import { ClientPane } from "../instruments/ClientPane";
import { learner } from "../people";
import { useEvent, useSession } from "./hooks";
import { SessionChat } from "./SessionChat";

/** One of the learner's devices: the sessions, the one that is shown, and how the learner feels. */
export function DevicePane({ device }: { readonly device: string }) {
  const [shown, show] = useState(sessions[0]);
  const [feelings, setFeelings] = useState<ReadonlyMap<string, Emotion>>(new Map());
  const feel = useCallback((id: string, emotion: Emotion) => setFeelings((all) => remember(all, id, emotion)), []);
  useEvent("emotion_update", ({ message_id, emotion }) => feel(message_id, emotion));
  const chats = [useSession(sessions[0].id), useSession(sessions[1].id)] as const;
  const messages = [...chats[0].messages, ...chats[1].messages];

  return (
    <ClientPane
      id={device.toLowerCase()}
      name={device}
      label={`${learner.name}, ${device.toLowerCase()}`}
      messages={messages}
      details={<EmotionCard emotions={[...feelings.values()]} />}
    >
      <SessionTabs sessions={sessions} unread={chats.map(({ unread }) => unread)} shown={shown} onShow={show} />
      {sessions.map(({ id }) => (
        <SessionChat key={id} id={id} device={device} isShown={id === shown.id} feelings={feelings} onFeeling={feel} />
      ))}
    </ClientPane>
  );
}

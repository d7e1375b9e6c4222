import { sessionId } from "../address";
import { ConnectionBar } from "../components/ConnectionBar";
import { EmotionCard } from "../components/EmotionCard";
import { EventLog } from "../components/EventLog";
import { learner } from "../people";
import { useToasts } from "../useToasts";
import { LessonChat } from "./LessonChat";
import { useLesson } from "./useLesson";

/** One of the learner's devices. */
export function DevicePane({ device }: { readonly device: string }) {
  const lesson = useLesson(sessionId, learner.userId);
  useToasts(device);
  return (
    <section
      className={`pane pane-device`}
      data-testid={`pane-${device.toLowerCase()}`}
      aria-label={`${learner.name}, ${device.toLowerCase()}`}
    >
      <ConnectionBar name={device} lastMessage={lesson.messages.at(-1)} />
      <LessonChat device={device} lesson={lesson} />
      <div className="pane-details">
        <EmotionCard emotions={lesson.emotions} />
        <EventLog name={device} />
      </div>
    </section>
  );
}

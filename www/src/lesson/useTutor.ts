import type { ChatMessage } from "everwire";
import { useCallback, useEffect, useState } from "react";
import { askTutor } from "../askTutor";
import type { Emotion } from "../emotion";
import { learner } from "../people";

/** Asks the tutor about what was written on this device as soon as the server has it, once the connection is back. */
export function useTutor(
  session: string,
  messages: readonly ChatMessage[],
  onFeeling: (messageId: string, emotion: Emotion) => void,
) {
  const [written] = useState(() => new Set<string>());
  const [unasked, setUnasked] = useState<ReadonlyMap<string, string>>(new Map());

  const ask = useCallback(
    async ({ id, content }: ChatMessage) => {
      setUnasked((all) => new Map([...all].filter(([other]) => other !== id)));
      try {
        const question = { session_id: session, message: content, message_id: id };
        const { emotion_state, pushed } = await askTutor(learner.userId, question);
        if (!pushed) onFeeling(id, emotion_state);
      } catch (error) {
        setUnasked((all) => new Map(all).set(id, (error as Error).message));
      }
    },
    [session, onFeeling],
  );

  useEffect(() => {
    const arrived = messages.filter(({ status }) => status !== "sending" && status !== "failed");
    for (const message of arrived) if (written.delete(message.id)) ask(message);
  }, [messages, written, ask]);

  return { unasked, ask, willAsk: (id: string) => written.add(id) };
}

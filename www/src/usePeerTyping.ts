import type { MasterXEvents } from "everwire";
import { useWebSocket } from "everwire/react";
import { useEffect, useState } from "react";

/** Whether the other side types; clears itself, because the frame that would clear it can get lost. */
export function usePeerTyping(): boolean {
  const { subscribe } = useWebSocket<MasterXEvents>();
  const [typing, setTyping] = useState(false);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const show = (isTyping: boolean) => {
      clearTimeout(timer);
      setTyping(isTyping);
      if (isTyping) timer = setTimeout(() => setTyping(false), CLEAR_MS);
    };
    const offTyping = subscribe("typing_indicator", ({ isTyping }) => show(isTyping));
    const offMessage = subscribe("message_received", () => show(false));
    return () => {
      clearTimeout(timer);
      offTyping();
      offMessage();
    };
  }, [subscribe]);

  return typing;
}

const CLEAR_MS = 3_000;

import { useWebSocket } from "everwire/react";
import { sessionTyping, type Typing } from "everwire/session";
import { useEffect, useState, useSyncExternalStore } from "react";

/** Typing in a session: who types elsewhere, and what to call when somebody types here. */
export function useSessionTyping(sessionId: string): Pick<Typing, "keyPressed" | "stopped"> & {
  readonly users: readonly string[];
} {
  const { client } = useWebSocket();
  const [typing, setTyping] = useState<Typing>(NOBODY);

  useEffect(() => {
    const own = sessionTyping(client, sessionId);
    setTyping(own);
    return () => {
      own.dispose();
      setTyping(NOBODY);
    };
  }, [client, sessionId]);

  const { keyPressed, stopped } = typing;
  return { keyPressed, stopped, users: useSyncExternalStore(typing.subscribe, typing.getSnapshot) };
}

const nothing = () => {};
const nobody: readonly string[] = [];
const NOBODY: Typing = {
  keyPressed: nothing,
  stopped: nothing,
  getSnapshot: () => nobody,
  subscribe: () => nothing,
  dispose: nothing,
};

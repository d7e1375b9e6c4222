import type { MasterXEvents } from "everwire";
import { useWebSocket } from "everwire/react";
import { useEffect } from "react";
import { CatchUp } from "./catchUp";
import { fetchMessages } from "./devServer";

export interface Incoming {
  readonly id: string;
  readonly content: string;
  readonly at: number;
}

/** Calls `deliver`, which must not change, for every message of a peer: live ones, and those of the time without a connection. */
export function useIncoming(sessionId: string, peerId: string, deliver: (message: Incoming) => void): void {
  const { emit, subscribe } = useWebSocket<MasterXEvents>();

  useEffect(() => {
    const catchUp = new CatchUp(() => fetchMessages(peerId, sessionId), deliver);
    const unsubscribers = [
      subscribe("open", () => {
        catchUp.connected();
        emit("ping", {});
      }),
      // The server takes frames in order, so its answer to the ping means that it has seen this side join.
      subscribe("pong", () => void catchUp.listening()),
      subscribe("message_received", ({ message: { id, content, timestamp } }) =>
        catchUp.arrived({ id, content, at: Date.parse(timestamp) }),
      ),
      subscribe("close", () => catchUp.disconnected()),
    ];
    return () => {
      for (const unsubscribe of unsubscribers) unsubscribe();
    };
  }, [sessionId, peerId, deliver, emit, subscribe]);
}

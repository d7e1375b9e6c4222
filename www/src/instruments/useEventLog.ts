import type { MasterXServerEvents } from "everwire";
import { useWebSocket } from "everwire/react";
import { useEffect, useState } from "react";
import type { LogEntry } from "../components/EventLog";
import { closeReason } from "./closeReason";
import { rootCause } from "./rootCause";

/** What the connection went through, newest first. */
export function useEventLog(): readonly LogEntry[] {
  const { client, subscribe } = useWebSocket<MasterXServerEvents>();
  const [entries, setEntries] = useState<readonly LogEntry[]>([]);

  useEffect(() => {
    const add = (event: string, text: string) =>
      setEntries((past) =>
        [{ id: (past[0]?.id ?? 0) + 1, at: Date.now(), event, text }, ...past].slice(0, MAX_ENTRIES),
      );
    const unsubscribers = [
      subscribe("open", () =>
        add("open", `connected, delivery ${client.getSnapshot().delivery?.replaceAll("-", " ")}`),
      ),
      subscribe("close", (close) => add("close", closeReason(close) ?? "")),
      subscribe("reconnecting", ({ attempt, delayMs }) =>
        add("reconnecting", `attempt ${attempt} in ${(delayMs / 1000).toFixed(1)} s`),
      ),
      subscribe("give_up", ({ attempts }) => add("give_up", `after ${attempts} attempts`)),
      subscribe("drop", ({ type, reason }) => add("drop", `${type}: ${reason}`)),
      subscribe("gap", ({ from, to }) => add("gap", to === null ? `from ${from} on` : `events ${from} to ${to}`)),
      subscribe("error", (error) => add("error", rootCause(error))),
      subscribe("notification", (data) => add("notification", JSON.stringify(data))),
    ];
    return () => {
      for (const unsubscribe of unsubscribers) unsubscribe();
    };
  }, [client, subscribe]);

  return entries;
}

const MAX_ENTRIES = 60;

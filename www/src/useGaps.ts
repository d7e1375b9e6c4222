import { useWebSocket } from "everwire/react";
import { useEffect, useState } from "react";
import type { Events } from "./events";

/** How many events of the latest gap are missing, `null` as the number of an unknown number; `undefined` if there is no gap to tell of. */
export function useGaps(): { readonly missing: number | null | undefined; readonly dismiss: () => void } {
  const { subscribe } = useWebSocket<Events>();
  const [missing, setMissing] = useState<number | null | undefined>(undefined);
  useEffect(() => subscribe("gap", ({ from, to }) => setMissing(to === null ? null : to - from + 1)), [subscribe]);
  return { missing, dismiss: () => setMissing(undefined) };
}

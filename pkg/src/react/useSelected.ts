import type { Snapshot } from "everwire";
import { useEffect, useMemo, useRef, useSyncExternalStore } from "react";
import { type Connection, IDLE } from "../connection.js";

export function useSelected<Selected>(
  connection: Connection,
  selector: (snapshot: Snapshot) => Selected,
  isEqual: (a: Selected, b: Selected) => boolean,
): Selected {
  const committed = useRef<{ readonly value: Selected }>(undefined);
  const select = useMemo(() => {
    let seen: Snapshot | undefined;
    let selected: { readonly value: Selected } | undefined;
    return (snapshot: Snapshot): Selected => {
      if (selected && snapshot === seen) return selected.value;
      const value = selector(snapshot);
      const before = selected ?? committed.current;
      seen = snapshot;
      selected = before && isEqual(before.value, value) ? before : { value };
      return selected.value;
    };
  }, [selector, isEqual]);
  const value = useSyncExternalStore(
    connection.use,
    () => select(connection.getSnapshot()),
    () => select(IDLE),
  );
  useEffect(() => {
    committed.current = { value };
  }, [value]);
  return value;
}

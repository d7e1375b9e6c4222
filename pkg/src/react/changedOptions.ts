import type { Options } from "everwire";
import { useEffect, useRef } from "react";

/** Warns when the options of a provider are not those that its client was made with. For development alone. */
export function useOptionsWarning(options: Options | undefined): void {
  const first = useRef(options);
  const warned = useRef(new Set<string>());
  useEffect(() => {
    if (!options || !first.current) return;
    for (const name of changedNames(first.current, options)) {
      if (warned.current.has(name)) continue;
      warned.current.add(name);
      console.warn(
        `everwire: the option \`${name}\` of a <WebSocketProvider> has changed, which has no effect: options are read once. To connect anew, change the provider's \`key\`; for a token that changes, pass a function.`,
      );
    }
  });
}

/** The options that are other values. Functions and objects with methods are new with every rendering in most applications, so they are not compared. */
function changedNames(before: Options, after: Options): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]) as Set<keyof Options>;
  return [...names].filter((name) => textOf(before[name]) !== textOf(after[name]));
}

function textOf(value: unknown): string {
  if (typeof value === "function") return "function";
  const isPlain =
    typeof value !== "object" || value === null || Object.values(value).every((member) => typeof member !== "function");
  return isPlain
    ? `${typeof value} ${JSON.stringify(value, (_, member) => (member === Infinity ? "Infinity" : member))}`
    : "object";
}

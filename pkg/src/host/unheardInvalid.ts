import type { InvalidEvent } from "../lifecycle.js";

/** Says on the console, once for each event, that one did not fit its schema and nobody heard of it. For development builds. */
export function warnOfUnheardInvalid({ type, issues }: InvalidEvent): void {
  if (warned.has(type) || warned.size >= MOST_WARNINGS) return;
  warned.add(type);
  // An issue's words may hold parts of the payload.
  const places = issues.map(({ path }) => path.map(String).join(".") || "data").slice(0, MOST_PLACES);
  console.warn(
    `everwire: an event "${type}" of the server does not fit its schema (at ${places.join(", ")}) and is not delivered; client.on("invalid", …) says why`,
  );
}

const warned = /* @__PURE__ */ new Set<string>();
const MOST_WARNINGS = 100;
const MOST_PLACES = 5;

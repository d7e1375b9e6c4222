import type { Envelope } from "../envelope.js";
import { type EverwireError, error } from "../errors.js";
import { isObject } from "./json.js";

/** The object in a frame, whose place in a stream counts even where it is no envelope, or the error that says why there is no JSON. */
export function parse(text: unknown): Envelope | EverwireError {
  // Node's `ws` hands binary frames over as something that JSON.parse would read.
  if (typeof text !== "string") return badFrame("binary", text);
  let envelope: Envelope | undefined;
  try {
    envelope = JSON.parse(text);
  } catch {
    return badFrame("not JSON", text);
  }
  return isObject(envelope) ? envelope : ({} as Envelope);
}

/** What keeps an envelope from the application, if anything does. Gives one without data an empty object. */
export function flawOf(envelope: { type: string; data?: unknown }, text: string): EverwireError | undefined {
  const { type, data } = envelope;
  if (typeof type !== "string") return badFrame("no JSON object with a string `type`", text);
  if (OWN_EVENTS.has(type)) return badFrame("named like an event of the client", type);
  if (data === undefined) envelope.data = {};
  else if (!isObject(data)) return badFrame("an envelope whose `data` is no object", text);
  return undefined;
}

const OWN_EVENTS = /* @__PURE__ */ new Set([
  "open",
  "close",
  "state",
  "reconnecting",
  "give_up",
  "drop",
  "gap",
  "invalid",
]);

const badFrame = (what: string, text: unknown): EverwireError =>
  Object.assign(error("bad_frame", `the server sent no event: the frame is ${what}`), {
    frame: typeof text === "string" ? text.slice(0, 120) : null,
  });

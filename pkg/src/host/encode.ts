import { error } from "../errors.js";

/** A complete frame. Throws an error that says why there can be none, as there can for a `hello` of the application in the reliable mode. */
export function encode(type: string, data: unknown, isRequest: boolean, isReliable: boolean): string {
  if (typeof type !== "string" || !type || (isReliable && type === "hello"))
    throw error("invalid_event", 'an event needs a name: a string, not empty, not "hello"');
  let json: string | undefined;
  try {
    json = data == null ? "{}" : JSON.stringify(data);
  } catch (cause) {
    throw error("unserialisable", "the data cannot be written as JSON (see `cause`)", cause);
  }
  if (json?.[0] !== "{") throw error("invalid_data", "the data of an event must be a JSON object");
  if (isTooDeep(json)) throw error("unserialisable", "the data is nested more than 63 levels deep");
  return wellFormed(
    `{"type":${JSON.stringify(type)},"data":${json},"timestamp":${Date.now()}${isRequest ? ',"request":true' : ""}}`,
  );
}

/** A JSON text whose lone surrogates are replaced, as UTF-8 encoders do. */
const wellFormed = (text: string): string =>
  text.includes("\\u") && LONE.test(text)
    ? text.replace(ESCAPES, (found, isKept) => (isKept ? found : "\ufffd"))
    : text;

/**
 * A lone surrogate as JSON writes it, which many readers refuse (RFC 8259, section 8.2). It looks the same after a backslash that is data, so
 * escapes have to be looked at from the left.
 */
const LONE = /\\ud[89a-f]/i;
const ESCAPES = /(\\[^u]|\\ud[89ab]..\\ud[c-f]..)|\\ud[89a-f]../gi;

/** Whether the arrays and objects of a JSON text, together with the envelope around it, are nested deeper than every server reads. */
function isTooDeep(json: string): boolean {
  // Most texts are too short for that, or have fewer brackets.
  if (json.length < 130 || json.split(/[[{]/).length < 65) return false;
  let depth = 1;
  for (const [mark] of json.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"|[[{}\]]/g)) {
    if (mark.length < 2) depth += "[{".includes(mark) ? 1 : -1;
    if (depth > 64) return true;
  }
  return false;
}

/** A JSON object. */
export type Data = Readonly<Record<string, unknown>>;

/** The numbers of a message of the reliable mode. */
export interface Sequence {
  readonly seq: number;
  /** What must have been processed before it. */
  readonly prev: number;
  readonly isRequest: boolean;
}

/** What was read of a frame. */
export interface Frame {
  /** `undefined` if there is no type, or none that could be read. */
  readonly type: string | undefined;
  readonly data: Data;
  /** `null` if it has no number, `"wrong"` if it has one that breaks the rules. */
  readonly sequence: Sequence | "wrong" | null;
  /** What is wrong with it, for people. */
  readonly flaw: string | undefined;
}

/** Reads a frame as far as it can be read. */
export function readFrame(text: string): Frame {
  let envelope: unknown;
  try {
    envelope = JSON.parse(text);
  } catch {
    return { type: undefined, data: {}, sequence: readSequence(topLevel(text)), flaw: "it is not JSON" };
  }
  if (!isObject(envelope)) return { type: undefined, data: {}, sequence: null, flaw: "it is not a JSON object" };
  const { type, data = {} } = envelope;
  const sequence = readSequence(envelope);
  const isNamed = typeof type === "string" && type.length > 0 && utf8Length(type) <= MAX_NAME_BYTES;
  const named = { type: isNamed ? type : undefined, sequence };
  if (!isNamed) return { ...named, data: {}, flaw: "its `type` is not a string of 1 to 128 bytes" };
  if (!isObject(data)) return { ...named, data: {}, flaw: "its `data` is not an object" };
  return { ...named, data, flaw: flawOf(data, MAX_DEPTH - 1) };
}

/** The size of a text in UTF-8. */
export function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x1_0000 ? 3 : 4;
  }
  return bytes;
}

export const isObject = (value: unknown): value is Data =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Whether it is an integer that may be a position. */
export const isPosition = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function readSequence({ seq, prev, request }: Data): Sequence | "wrong" | null {
  if (seq === undefined) return null;
  if (!isPosition(seq) || seq === 0) return "wrong";
  const before = prev === undefined ? seq - 1 : prev;
  return isPosition(before) && before < seq ? { seq, prev: before, isRequest: request === true } : "wrong";
}

/** The fields at the top level of an envelope that cannot be read in full (docs/PROTOCOL.md, "What cannot be read"). */
function topLevel(text: string): Data {
  const fields: Record<string, unknown> = {};
  let depth = 0;
  let key: string | undefined;
  let isValue = false;
  for (const { 0: token, index } of text.matchAll(TOKENS)) {
    const isOpening = token === "{" || token === "[";
    if (depth === 0 && token !== "{") break;
    if (depth === 1 && token === ":") isValue = true;
    else if (depth === 1 && token === ",") isValue = false;
    else if (depth === 1 && isValue) fields[key ?? ""] = isOpening ? null : scalar(text, token, index);
    else if (depth === 1) key = token.slice(1, -1);
    if (isOpening) depth++;
    else if ((token === "}" || token === "]") && --depth === 0) break;
  }
  return fields;
}

/** Strings, also one without an end, punctuation, and everything between them. */
const TOKENS = /"(?:[^"\\]|\\.)*"|".*$|[{}[\],:]|[^\s{}[\],:"]+/gs;

/** A number at the very end may be the beginning of a longer one. */
function scalar(text: string, token: string, at: number): unknown {
  if (at + token.length === text.length) return undefined;
  try {
    return JSON.parse(token);
  } catch {
    return null;
  }
}

/** What a client never sends, although `JSON.parse` takes it. */
function flawOf(value: unknown, depth: number): string | undefined {
  if (typeof value === "string") return /\p{Surrogate}/u.test(value) ? "a string in it is ill-formed" : undefined;
  if (typeof value === "number") return Number.isFinite(value) ? undefined : "no 64-bit float can hold a number in it";
  if (typeof value !== "object" || value === null) return undefined;
  if (depth === 0) return `it is nested deeper than ${MAX_DEPTH} levels`;
  for (const [key, inner] of Object.entries(value)) {
    const flaw = flawOf(key, depth) ?? flawOf(inner, depth - 1);
    if (flaw) return flaw;
  }
  return undefined;
}

const MAX_NAME_BYTES = 128;
const MAX_DEPTH = 64;

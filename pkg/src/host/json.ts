// How the core reads and writes JSON values, which stay in JavaScript. It names members by the names of docs/PROTOCOL.md.

type Json = Record<string, unknown>;

export const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

let encoder: TextEncoder | undefined;
let scratch: Uint8Array<ArrayBuffer> | undefined;

/** The size of a text in UTF-8. */
export function byteLength(text: string): number {
  encoder ??= new TextEncoder();
  // No character takes more than three bytes for each of its UTF-16 code units.
  if (text.length > LONGEST_MEASURED) return encoder.encode(text).length;
  scratch ??= new Uint8Array(3 * LONGEST_MEASURED);
  return encoder.encodeInto(text, scratch).written;
}

/** How long a text may be, in UTF-16 code units, to be measured without making a copy. */
const LONGEST_MEASURED = 4_096;

const CLIENT_STREAM = "client:";

export const json = {
  has: (value: Json, field: string): boolean => value[field] !== undefined,

  /** The member, if it is an integer that JSON can carry and numbers something. */
  count(value: Json, field: string): number | undefined {
    const member = value[field];
    return Number.isSafeInteger(member) && (member as number) >= 0 ? (member as number) : undefined;
  },

  isText: (value: Json, field: string): boolean => typeof value[field] === "string",

  isObject: (value: Json, field: string): boolean => isObject(value[field]),

  member: (value: Json, field: string): unknown => value[field],

  names: (value: Json): string[] => Object.keys(value),

  /** Without a prototype, so that a member of any name is a member. */
  empty: (): Json => Object.create(null),

  set(value: Json, field: string, member: unknown): void {
    value[field] = member;
  },

  setList(value: Json, field: string, member: unknown): void {
    value[field] = [member];
  },

  toText: (value: Json): string => JSON.stringify(value),

  /** A JSON object with one more member at its end. */
  append: (text: string, field: string, member: number): string => `${text.slice(0, -1)},"${field}":${member}}`,

  byteLength,

  clientStream: (clientId: string): string => CLIENT_STREAM + clientId,

  isClientStream: (name: string): boolean => name.startsWith(CLIENT_STREAM),
};

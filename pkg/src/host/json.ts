// How the core reads and writes JSON values, which stay in JavaScript. It names members by the names of docs/PROTOCOL.md.

type Json = Record<string, unknown>;

export const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The size of a well-formed text in UTF-8, without `TextEncoder`, which jsdom lacks. */
export function byteLength(text: string): number {
  let bytes = text.length;
  if (!NOT_ASCII.test(text)) return bytes;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    // Each half of a surrogate pair stands for two of its four bytes.
    if (unit > 0x7f) bytes += unit > 0x7ff && (unit & 0xf800) !== 0xd800 ? 2 : 1;
  }
  return bytes;
}

// Browsers look for a class four times as fast as for what is not in one.
const NOT_ASCII = /[\x80-\uffff]/;

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

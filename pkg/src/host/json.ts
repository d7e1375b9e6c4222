// How the core reads and writes JSON values, which stay in JavaScript. It names members by the names of docs/PROTOCOL.md.

type Json = Record<string, unknown>;

export const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

let encoder: TextEncoder | undefined;

export function byteLength(text: string): number {
  encoder ??= new TextEncoder();
  return encoder.encode(text).length;
}

const CLIENT_STREAM = "client:";

export const json = {
  /** The member, which is compared with the words that the core knows. */
  word: (value: Json, field: string): unknown => value[field],

  has: (value: Json, field: string): boolean => value[field] !== undefined,

  /** The member, if it is an integer that JSON can carry and numbers something. */
  count(value: Json, field: string): number | undefined {
    const member = value[field];
    return Number.isSafeInteger(member) && (member as number) >= 0 ? (member as number) : undefined;
  },

  text(value: Json, field: string): string | undefined {
    const member = value[field];
    return typeof member === "string" ? member : undefined;
  },

  /** The member, if it is an object and no array. */
  object(value: Json, field: string): Json | undefined {
    const member = value[field];
    return isObject(member) ? member : undefined;
  },

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

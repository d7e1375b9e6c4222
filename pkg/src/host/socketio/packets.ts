// How the core reads the payloads of Socket.IO's packets, which stay in JavaScript (`src/npm/socketio/value.rs`).

import { isObject, json } from "../json.js";

type Json = Record<string, unknown>;

/** Names of events that no packet may have, because clients and servers use them for their own. */
export const RESERVED: ReadonlySet<unknown> = /* @__PURE__ */ new Set([
  "connect",
  "connect_error",
  "disconnect",
  "disconnecting",
  "newListener",
  "removeListener",
]);

export const packets = {
  /** `undefined` for what is no JSON. */
  parse(text: string, from: number): unknown {
    try {
      return JSON.parse(text.slice(from));
    } catch {
      return undefined;
    }
  },

  /** What a value is (`KindName` of `src/npm/socketio/codes.rs`). */
  kind(value: unknown): "named" | "reserved" | "array" | "object" | "string" | "other" | undefined {
    if (Array.isArray(value)) {
      const type = typeof value[0];
      if (type === "string") return RESERVED.has(value[0]) ? "reserved" : "named";
      return type === "number" ? "named" : "array";
    }
    if (typeof value === "string") return "string";
    if (value === undefined) return value;
    return isObject(value) ? "object" : "other";
  },

  lastText(array: readonly unknown[]): string | undefined {
    return packets.asText(array[array.length - 1]);
  },

  asText: (value: unknown): string | undefined => (typeof value === "string" ? value : undefined),

  textOf: (value: Json, member: string): string | undefined => packets.asText(value[member]),

  countOf: json.count,

  has: json.has,

  hasOnlyPlaceholdersBelow(array: unknown, attachments: number): boolean {
    for (const { num } of placeholders(array))
      if (!(Number.isInteger(num) && (num as number) >= 0 && (num as number) < attachments)) return false;
    return true;
  },
};

/** The placeholders in a value, however deep, without recursion. */
function* placeholders(value: unknown): Generator<{ num?: unknown }> {
  const rest = [value];
  while (rest.length) {
    const next = rest.pop();
    if (isPlaceholder(next)) yield next;
    else if (typeof next === "object" && next) for (const member of Object.values(next)) rest.push(member);
  }
}

const isPlaceholder = (value: unknown): value is { num?: unknown } => isObject(value) && value._placeholder === true;

/** Puts attachments in the place of their placeholders, in the value itself. */
export function withAttachments<Value extends object>(value: Value, attachments: readonly unknown[]): Value {
  const rest: object[] = attachments.length ? [value] : [];
  while (rest.length) {
    const parent = rest.pop() as Json;
    for (const [name, member] of Object.entries(parent)) {
      // Not by assignment, which would make an attachment of the name `__proto__` the prototype.
      if (isPlaceholder(member)) Object.defineProperty(parent, name, { value: attachments[member.num as number] });
      else if (typeof member === "object" && member) rest.push(member);
    }
  }
  return value;
}

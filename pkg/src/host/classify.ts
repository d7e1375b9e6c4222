import type { PurposeName } from "../codes.js";
import type { Options } from "../options.js";
import { RULES } from "./rules.js";

/** What a message is for, and what it replaces while it waits. */
export interface Classified {
  readonly purpose: PurposeName;
  /** The session that it joins or leaves, or what it has in common with those that it replaces. */
  readonly key?: string | undefined;
  /** Which of two with the same key says more. */
  readonly rank?: number;
}

/** Applies the rules that the application has declared, then those of the catalogues, to a message. */
export function classify(type: string, data: unknown, declared: Options["sessions"]): Classified {
  if (declared) {
    for (const { join, leave, key } of [declared].flat()) {
      const session = named(data, key);
      if (session && (type === join || type === leave))
        return { purpose: type === join ? "join" : "leave", key: `${join} ${session}` };
    }
  }
  const rule = Object.hasOwn(RULES, type) ? RULES[type] : undefined;
  if (!rule) return ORDINARY;
  const { purpose, session, coalesces, rank } = rule;
  const key = named(data, session);
  if (purpose === "join" || purpose === "leave") return key ? { purpose, key } : ORDINARY;
  const id = member(data, rank);
  const number = Number(typeof id === "number" ? id : typeof id === "string" && /^\d+$/.test(id) ? id : Number.NaN);
  const isRanked = !rank || (Number.isSafeInteger(number) && number >= 0);
  if (!coalesces || !key || !isRanked) return { purpose };
  return { purpose, key: `${type} ${key}`, rank: rank ? number : 0 };
}

const member = (data: unknown, name: string | undefined): unknown =>
  name && (data as Record<string, unknown> | undefined)?.[name];

/** What the field names: a string, or a whole number, which stands for its digits. */
function named(data: unknown, field: string | undefined): string | undefined {
  const name = member(data, field);
  return typeof name === "string" || Number.isSafeInteger(name) ? `${field}=${name}` : undefined;
}

const ORDINARY: Classified = { purpose: "ordinary" };

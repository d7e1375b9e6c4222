import type { PurposeName } from "../codes.js";
import { RULES } from "./rules.js";

/** What a message is for, and what it replaces while it waits. */
export interface Classified {
  readonly purpose: PurposeName;
  /** The session that it joins or leaves, or what it has in common with those that it replaces. */
  readonly key?: string | undefined;
  /** Which of two with the same key says more. */
  readonly rank?: number;
}

/** Applies the rules of the catalogues to a message. */
export function classify(type: string, data: unknown): Classified {
  const rule = Object.hasOwn(RULES, type) ? RULES[type] : undefined;
  if (!rule) return ORDINARY;
  const { purpose, session: field, coalesces, rank } = rule;
  const member = (name: string | undefined): unknown => name && (data as Record<string, unknown> | undefined)?.[name];
  const name = member(field);
  const isNamed = typeof name === "string";
  if (purpose === "join" || purpose === "leave") return isNamed ? { purpose, key: `${field}=${name}` } : ORDINARY;
  const id = member(rank);
  const number = Number(typeof id === "number" ? id : typeof id === "string" && /^\d+$/.test(id) ? id : Number.NaN);
  const isRanked = !rank || (Number.isSafeInteger(number) && number >= 0);
  if (!coalesces || !isNamed || !isRanked) return { purpose };
  return { purpose, key: `${type} ${field}=${name}`, rank: rank ? number : 0 };
}

const ORDINARY: Classified = { purpose: "ordinary" };

import type { OverflowName } from "../codes.js";
import { ConfigError } from "../errors.js";
import type { Options, SessionRule } from "../options.js";
import { OPTION_RANGES } from "./optionRanges.js";
import { isSubprotocol } from "./token.js";

const OVERFLOWS: readonly OverflowName[] = ["drop-oldest", "drop-newest", "reject"];
const TOKEN_PLACES: readonly unknown[] = ["query", "first-message", "subprotocol"];

/** The value at a path of at most two names. */
function option(options: object, path: string): unknown {
  const [group, name] = path.split(".") as [string, string?];
  const value = (options as Record<string, unknown>)[group];
  return name ? (value as Record<string, unknown> | undefined)?.[name] : value;
}

/** The numeric option at a place of the table that Rust and TypeScript share. */
export const numericOption = (options: object, index: number): number | undefined =>
  option(options, (OPTION_RANGES[index] as (typeof OPTION_RANGES)[number])[0]) as number | undefined;

export const isReliable = (options: Options): boolean => options.delivery === "reliable";

/** Throws for an option that has not the type or the range that it must have. */
export function checkOptions(options: Options): void {
  const check = (path: string, fits: (value: unknown) => boolean, expected: string): void => {
    const value = path ? option(options, path) : options;
    if (value !== undefined && !fits(value)) throw new ConfigError(path || "options", expected);
  };
  const isObject = (value: unknown): boolean => typeof value === "object" && value !== null;
  const isString = (value: unknown): boolean => typeof value === "string";
  check("", isObject, "an object");
  for (const group of ["reconnect", "heartbeat", "queue", "buffer", "logger", "outbox"])
    check(group, isObject, "an object");
  for (const [path, least, most, infinite, fractional] of OPTION_RANGES) {
    const fits = (value: unknown): boolean =>
      typeof value === "number" &&
      ((value >= least && value <= most && (fractional || Number.isInteger(value))) ||
        (!!infinite && value === Infinity));
    check(
      path,
      fits,
      `a ${fractional ? "" : "whole "}number from ${least} to ${most}${infinite ? ", or Infinity" : ""}`,
    );
  }
  check(
    "queue.overflow",
    (value) => OVERFLOWS.includes(value as OverflowName),
    '"drop-oldest", "drop-newest" or "reject"',
  );
  for (const text of ["url", "path"]) check(text, isString, "a string");
  const { initialDelayMs = 1_000, maxDelayMs = 5_000 } = options.reconnect ?? {};
  check("reconnect.maxDelayMs", () => maxDelayMs >= initialDelayMs, "at least `reconnect.initialDelayMs`");
  const { highBytes = 262_144, lowBytes = 65_536 } = options.buffer ?? {};
  if (lowBytes > highBytes) throw new ConfigError("buffer.lowBytes", "at most `buffer.highBytes`");
  check("delivery", (value) => isReliable(options) || value === "at-most-once", '"at-most-once" or "reliable"');
  check("outbox", () => isReliable(options), 'used with `delivery: "reliable"`');
  check("anonymous", (value) => value === !!value, "true or false");
  const isName = (value: unknown): boolean => isString(value) && value !== "";
  for (const name of ["tokenParam", "authEvent"]) check(name, isName, "a string that is not empty");
  const isRule = (rule: Partial<SessionRule> | undefined): boolean =>
    [rule?.join, rule?.key, rule?.leave ?? "-"].every(isName) && rule?.join !== rule?.leave;
  check(
    "sessions",
    (value) => [value].flat().every(isRule as never),
    "`{ join, leave?, key }` or an array of such, with names",
  );
  for (const name of ["ping", "pong"]) {
    const fits = (value: unknown): boolean => isName(value) && (value === name || !isReliable(options));
    check(`heartbeat.${name}`, fits, `a string that is not empty, and "${name}" with \`delivery: "reliable"\``);
  }
  check("tokenIn", (value) => TOKEN_PLACES.includes(value), '"query", "first-message" or "subprotocol"');
  const areProtocols = (value: unknown): boolean => {
    const names = [value].flat();
    return names.every(isSubprotocol) && new Set(names).size === names.length;
  };
  check("protocols", areProtocols, "the name of a subprotocol, or an array of different ones");
  const isFunction = (value: unknown): boolean => typeof value === "function";
  check("WebSocket", isFunction, "a class of WebSockets");
  check("schemas", isFunction, "made by `validate()` of `everwire/validate`");
  check("chat", isFunction, "made by `chat()` of `everwire/session`");
  const isToken = (value: unknown): boolean => isString(value) || isFunction(value);
  check("token", isToken, "a string, or a function that returns a string, null, or a promise of either");
}

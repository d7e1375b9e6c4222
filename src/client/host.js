// What only the Rust face needs of JavaScript.

import { call } from "../browser/host.js";

/** Calls the handlers of a name without arguments. */
export const notify = (handlers, name) => call(handlers, name);

export const reportError = (error) => globalThis.reportError?.(error);

export const streamName = (handlers, stream) => handlers.streams[stream] ?? "";

export const parse = (text) => JSON.parse(text);

export const get = (value, name) => value?.[name];

export const text = (value, name) => (typeof value?.[name] === "string" ? value[name] : "");

/** Whether arrays and objects are nested in each other more than `levels` deep. */
export function isDeeperThan(levels, value) {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((part) => isDeeperThan(levels - 1, part));
}

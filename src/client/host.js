// What only the Rust face needs of JavaScript.

import { byteLength, call, coalesceKey, draft, encode, purpose, session } from "../browser/host.js";

export function attach(store, signal, settle) {
  store.signal = signal;
  store.settle = settle;
}

/** What is called from now on, should a frame of a client that has just gone still be at work. */
export function detach(store) {
  store.signal = () => false;
  store.settle = undefined;
}

export function setEndpoint(store, endpoint) {
  store.endpoint = endpoint;
}

export function draftEvent(store, type, data, coalesce, isVolatile, isRequest) {
  const text = encode(type, data, isRequest, store.clientId);
  const kind = purpose(type, data) || +isVolatile;
  const name = kind > 1 ? session(type, data) : (coalesce ?? coalesceKey(store, type, data));
  const [frame, key] = draft(store, text, kind, name);
  return new Uint32Array([frame, byteLength(text), kind, key]);
}

/** Forgets what would enter sessions again. */
export const forgetJoins = ({ joins }) => joins.clear();

export function takeDraft({ drafts }, frame) {
  const { text } = drafts.get(frame) ?? { text: "{}" };
  drafts.delete(frame);
  return JSON.parse(text);
}

/** Calls the handlers of a name without arguments. */
export const notify = (store, name) => call(store, name);

export const reportError = (error) => globalThis.reportError?.(error);

export const streamName = ({ streams }, stream) => streams[stream] ?? "";

export const get = (value, name) => value?.[name];

/** The result in a reply. */
export const result = (data) => data.result ?? {};

export const text = (value, name) => (typeof value?.[name] === "string" ? value[name] : "");

/** Whether arrays and objects are nested in each other more than `levels` deep. */
export function isDeeperThan(levels, value) {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((part) => isDeeperThan(levels - 1, part));
}

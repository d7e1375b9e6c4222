import { type EverwireError, error } from "../errors.js";
import type { Options } from "../options.js";
import { encode } from "./encode.js";
import { withToken } from "./endpoint.js";
import { isReliable } from "./options.js";

/** Gets a token from whatever `source` is, at once if it is there at once. Exactly one of the two is called, but for a client that is gone. */
export function askForToken(
  source: Options["token"],
  refused: boolean,
  settled: (token: string | null | undefined) => void,
  failed: (cause: EverwireError) => void,
): void {
  const take = (token: string | null | undefined) => {
    if (token != null && typeof token !== "string") throw new TypeError(`a token of type ${typeof token}`);
    settled(token);
  };
  const fail = (cause: unknown) =>
    failed(error("token_failed", "`token` threw, rejected, or gave no string (see `cause`)", cause));
  try {
    const answer = typeof source === "function" ? source({ refused }) : source;
    if (typeof (answer as PromiseLike<unknown>)?.then === "function")
      Promise.resolve(answer as PromiseLike<string | null>)
        .then(take)
        .catch(fail)
        .catch(() => {});
    else take(answer as string | null | undefined);
  } catch (cause) {
    fail(cause);
  }
}

/** What a WebSocket is made of, and what it says first. */
export type Opening = readonly [url: string, protocols: string[], first?: string];

/** How a token travels, if there is one; an empty one is none. `undefined` if it cannot. */
export function openingWith(token: string | null | undefined, endpoint: string, options: Options): Opening | undefined {
  const { tokenIn, tokenParam = "token", authEvent = "authenticate" } = options;
  const protocols = [options.protocols ?? []].flat();
  if (!token) return [endpoint, protocols];
  if (tokenIn === "first-message") {
    return [endpoint, protocols, encode(authEvent, { [tokenParam]: token }, false, isReliable(options))];
  }
  if (tokenIn !== "subprotocol") return [withToken(endpoint, tokenParam, token), protocols];
  return isSubprotocol(token) ? [endpoint, [...protocols, token]] : undefined;
}

/** Whether it has only the characters that RFC 6455, section 4.1, allows (RFC 7230, section 3.2.6). */
export const isSubprotocol = (text: unknown): boolean => typeof text === "string" && /^[\w!#$%&'*+.^`|~-]+$/.test(text);

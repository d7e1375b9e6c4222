import { type EverwireError, error } from "../errors.js";
import type { Options } from "../types.js";

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
      (answer as Promise<string | null>)
        .then(take)
        .catch(fail)
        .catch(() => {});
    else take(answer as string | null | undefined);
  } catch (cause) {
    fail(cause);
  }
}

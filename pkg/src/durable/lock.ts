import { explain, failure, UNAVAILABLE } from "./errors.js";

/** The page that holds a Web Lock, as the browser names it; `undefined` if it does not say. */
export const holderOf = (name: string): Promise<string | undefined> =>
  navigator.locks.query().then(
    ({ held }) => held?.find((lock) => lock.name === name)?.clientId,
    () => undefined,
  );

/**
 * Takes a Web Lock, which the browser frees by itself when the page dies. Resolves with the function that frees it, or, with
 * `ifAvailable`, with `undefined` if another page has it.
 */
export async function takeLock(name: string, options: LockOptions): Promise<(() => void) | undefined> {
  const locks = globalThis.navigator?.locks as LockManager | undefined;
  if (!locks) throw failure(UNAVAILABLE, "the page has no Web Locks: serve it over https or from localhost");
  return new Promise((resolve, reject) => {
    const hold = (lock: Lock | null) => (lock ? new Promise<void>(resolve) : resolve(undefined));
    locks.request(name, options, hold).catch((cause) => reject(explain(cause, UNAVAILABLE)));
  });
}

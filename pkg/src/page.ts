import { Client } from "./client.js";
import type { Options } from "./options.js";

let options: Options | undefined;
let isInUse = false;

/**
 * Options of the page's one client, which `nativeSocketClient` and components without a provider share. Call it before either is first used; later it
 * has no effect.
 */
export function configureWebSocket(given: Options): void {
  if (DEVELOPMENT && isInUse) {
    console.warn(
      "everwire: configureWebSocket() has no effect, because the page's client is in use already; call it before",
    );
  }
  options = given;
}

/** A client that is made with the first call of one of its methods, so that importing it does nothing. Its methods need no `this`. */
export function lazyClient<Own extends Client>(Class: new (options?: Options) => Own): Own {
  let made: Record<PropertyKey, (...args: unknown[]) => unknown> | undefined;
  const lazy = Object.create(Class.prototype) as Own;
  for (const name of [...Reflect.ownKeys(Client.prototype), "getSnapshot", "subscribe"]) {
    if (name === "constructor") continue;
    const value = (...args: unknown[]): unknown => {
      if (DEVELOPMENT) isInUse = true;
      made ??= new Class(options) as object as NonNullable<typeof made>;
      return made[name]?.(...args);
    };
    Object.defineProperty(lazy, name, { value, configurable: true, writable: true });
  }
  return lazy;
}

import type { Options } from "everwire";
import { durableOutbox } from "everwire/durable";
import { fetchToken, makeMatch } from "./devServer";
import { delivery } from "./people";

export const MAX_ATTEMPTS = 5;

/** The defaults, except for a heartbeat short enough that a visitor sees a dead link noticed within seconds. */
export function connectionOptions(userId: string): Options {
  const reliable: Options = { delivery, outbox: durableOutbox({ name: `everwire-demo ${userId}` }) };
  return {
    token: async () => {
      // A server that was started anew knows nobody.
      await makeMatch();
      return fetchToken(userId);
    },
    reconnect: { maxAttempts: MAX_ATTEMPTS },
    heartbeat: { intervalMs: 5_000, timeoutMs: 2_000 },
    ...(delivery === "reliable" && reliable),
  };
}

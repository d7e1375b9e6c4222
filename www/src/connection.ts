import type { Options } from "everwire";
import { durableOutbox } from "everwire/durable";
import { delivery } from "./address";
import { fetchToken, makeMatch } from "./devServer";

export const MAX_ATTEMPTS = 5;

/** Of a person in the match: what they write waits on disk until the server has it. */
export function personOptions(userId: string): Options {
  const outbox = durableOutbox({ name: `everwire-demo ${userId}` });
  return {
    ...baseOptions(async () => {
      // A server that was started anew knows nobody.
      await makeMatch();
      return fetchToken(userId);
    }),
    ...(delivery === "reliable" && { outbox }),
  };
}

/** Of one of the learner's devices: what is written waits in the page. */
export function deviceOptions(userId: string): Options {
  return baseOptions(() => fetchToken(userId));
}

/** The defaults, except for a heartbeat short enough that a visitor sees a dead link noticed within seconds. */
function baseOptions(token: () => Promise<string>): Options {
  return {
    token,
    reconnect: { maxAttempts: MAX_ATTEMPTS },
    heartbeat: { intervalMs: 5_000, timeoutMs: 2_000 },
    ...(delivery === "reliable" && { delivery }),
  };
}

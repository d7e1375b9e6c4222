import type { Options } from "everwire";
import { fetchToken } from "./devServer";

export const MAX_ATTEMPTS = 5;

/** The defaults, except for a heartbeat short enough that a visitor sees a dead link noticed within seconds. */
export function connectionOptions(userId: string): Options {
  return {
    token: () => fetchToken(userId),
    reconnect: { maxAttempts: MAX_ATTEMPTS },
    heartbeat: { intervalMs: 5_000, timeoutMs: 2_000 },
  };
}

import type { Options } from "everwire";
import { delivery } from "./address";
import { SlowSocket } from "./slowSocket";

export const MAX_ATTEMPTS = 5;

/** The defaults, except for a heartbeat short enough that a visitor sees a dead link noticed within seconds. */
export const baseOptions: Options = {
  WebSocket: SlowSocket,
  reconnect: { maxAttempts: MAX_ATTEMPTS },
  heartbeat: { intervalMs: 5_000, timeoutMs: 2_000 },
  ...(delivery === "reliable" && { delivery }),
};

import type { Client } from "./client.js";
import type { Logger } from "./types.js";

/** Tells a logger what happens, without tokens and payloads. */
export function listen(client: Client, logger: Logger): void {
  for (const [event, level] of Object.entries(LEVELS)) {
    client.on(event, ({ code, message, data: _, ...news }: News) => {
      // An `error` without a code is the server's own, and so a payload.
      if (event !== "error") logger[level]?.(`everwire: ${event} ${JSON.stringify({ code, ...news })}`);
      else if (code !== undefined) logger[level]?.(`everwire: ${message}`);
    });
  }
}

interface News {
  code?: unknown;
  message?: string;
  data?: unknown;
}

const LEVELS = {
  open: "info",
  close: "info",
  reconnecting: "info",
  give_up: "warn",
  drop: "warn",
  error: "error",
} as const;

import type { Client } from "./client.js";
import type { Logger } from "./types.js";

/** Tells a logger what happens, without tokens and payloads. */
export function listen(client: Client, logger: Logger): void {
  for (const [event, level] of Object.entries(LEVELS)) {
    client.on(event, (report: { data?: unknown }) => {
      const { data: _, ...told } = report;
      if (event !== "error") logger[level]?.(`everwire: ${event} ${JSON.stringify(told)}`);
      // Any other `error` is the server's own, and so a payload.
      else if (report instanceof Error) logger[level]?.(`everwire: ${report.message}`);
    });
  }
}

const LEVELS = {
  open: "info",
  close: "info",
  reconnecting: "info",
  give_up: "warn",
  drop: "warn",
  gap: "warn",
  error: "error",
} as const;

import type { Client } from "./client.js";
import { attempt } from "./host/handlers.js";
import type { Logger } from "./options.js";

/** Tells a logger what happens, without tokens and payloads. */
export function listen(client: Client, logger: Logger): void {
  for (const [event, level] of Object.entries(LEVELS)) {
    client.on(event, (report: { data?: unknown; message?: unknown; issues?: unknown }) => {
      const { data: _, message: __, issues: ___, ...told } = report;
      if (event !== "error") log(logger, level, `${event} ${JSON.stringify(told)}`);
      // Any other `error` is the server's own, and so a payload.
      else if (report instanceof Error) log(logger, level, report.message);
    });
  }
}

export const log = (logger: Logger | undefined, level: keyof Logger, text: string): void =>
  attempt(() => logger?.[level]?.(`everwire: ${text}`));

const LEVELS = {
  open: "info",
  close: "info",
  reconnecting: "info",
  give_up: "warn",
  drop: "warn",
  gap: "warn",
  invalid: "warn",
  error: "error",
} as const;

import type { Client } from "./client.js";
import type { Logger } from "./types.js";

/** Tells a logger what happens, without tokens and payloads. */
export function listen(client: Client, logger: Logger): void {
  client.on("open", () => logger.info?.("everwire: open"));
  client.on("close", ({ code, reason }) => logger.info?.(`everwire: closed with ${code} ${reason}`));
  client.on("reconnecting", ({ attempt, delayMs }) => logger.info?.(`everwire: attempt ${attempt} in ${delayMs} ms`));
  client.on("give_up", ({ attempts }) => logger.warn?.(`everwire: gave up after ${attempts} attempts`));
  client.on("drop", ({ type, reason }) => logger.warn?.(`everwire: dropped "${type}": ${reason}`));
  client.on("error", (error) => {
    if (error.code !== undefined) logger.error?.(`everwire: ${error.message}`);
  });
}

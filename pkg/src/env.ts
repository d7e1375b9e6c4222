import { ConfigError } from "./errors.js";
import type { Options } from "./options.js";

/**
 * Options from environment variables, under the names that MasterX has for them. It reads the object that it is given and nothing else: pass
 * `import.meta.env` with Vite, `process.env` elsewhere. Other names are not looked at; a variable that is missing, empty or blank is left to the
 * client's default.
 *
 * - `VITE_BACKEND_URL`: `url`. Default: the page's own origin. An `/api` at its end is left out, for the default `path` begins with it.
 * - `VITE_WS_RECONNECT_MAX_ATTEMPTS`: `reconnect.maxAttempts`, a whole number from 0 to 4 294 967 294, or `Infinity`. Default 5.
 * - `VITE_WS_RECONNECT_DELAY`: `reconnect.initialDelayMs`, in milliseconds, from 1 to 2 147 483 647. Default 1 000. The longest delay becomes at least as long.
 * - `VITE_WS_HEARTBEAT_INTERVAL`: `heartbeat.intervalMs`, in milliseconds, from 1 to 2 147 483 647, or `Infinity`. Default 30 000.
 *
 * Throws a {@link ConfigError} whose `field` is the variable that is wrong.
 */
export function optionsFromEnv(env: object): Options {
  const url = text(env, "VITE_BACKEND_URL");
  const maxAttempts = number(env, "VITE_WS_RECONNECT_MAX_ATTEMPTS", 0, 2 ** 32 - 2, true);
  const delay = number(env, "VITE_WS_RECONNECT_DELAY", 1, LONGEST_TIMER, false);
  const interval = number(env, "VITE_WS_HEARTBEAT_INTERVAL", 1, LONGEST_TIMER, true);
  const reconnect = {
    ...(maxAttempts !== undefined && { maxAttempts }),
    ...(delay !== undefined && { initialDelayMs: delay }),
    ...(delay !== undefined && delay > DEFAULT_LONGEST_DELAY && { maxDelayMs: delay }),
  };
  return {
    ...(url !== undefined && { url: base(url) }),
    ...(Object.keys(reconnect).length > 0 && { reconnect }),
    ...(interval !== undefined && { heartbeat: { intervalMs: interval } }),
  };
}

const LONGEST_TIMER = 2 ** 31 - 1;
const DEFAULT_LONGEST_DELAY = 5_000;

/** The value of a variable; `undefined` if there is none, or nothing in it. */
function text(env: object, name: string): string | undefined {
  const value: unknown = Reflect.get(env, name);
  return value == null ? undefined : String(value).trim() || undefined;
}

function number(env: object, name: string, least: number, most: number, infinite: boolean): number | undefined {
  const given = text(env, name);
  if (given === undefined) return undefined;
  if (infinite && given === "Infinity") return Infinity;
  const value = /^\d+$/.test(given) ? Number(given) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new ConfigError(name, `a whole number from ${least} to ${most}${infinite ? ", or Infinity" : ""}`);
}

function base(url: string): string {
  try {
    if (!/^(http|ws)s?:$/.test(new URL(url).protocol)) throw new TypeError("not a protocol of WebSockets");
  } catch {
    throw new ConfigError(
      "VITE_BACKEND_URL",
      'an absolute URL such as "https://example.com", or empty for the page\'s own origin',
    );
  }
  return url.replace(/\/api\/?$/, "");
}

import type { Dialect, DialectName } from "./dialects.js";
import type { Data } from "./envelope.js";
import type { AuthenticationOptions } from "./greeting.js";

/** Accepts every event; payloads are objects of unknown fields. */
export interface AnyEventData {
  readonly [event: string]: Data;
}

/** What a server is like. Every option has a default. */
export interface TestServerOptions extends AuthenticationOptions {
  /**
   * Whether the server knows the reliable mode of docs/PROTOCOL.md. Default `true`: clients with `delivery: "reliable"` get acknowledgements, replies and what they have
   * missed, and others notice nothing of it. With `false` such a client goes on at most once.
   */
  readonly reliable?: boolean | undefined;
  /**
   * Whose server it plays: `"masterx"` (sessions), `"colabmatch"` (matches), or functions of your own, such as `colabmatch({ matches })`. Default: none; then every message is taken, and
   * nobody is told of it, until `on()` says otherwise. With a dialect, types that nobody handles are refused as `unknown_type`.
   */
  readonly dialect?: DialectName | Dialect | readonly (DialectName | Dialect)[] | undefined;
  /** The names of `ping` and `pong`, as in the client's option `heartbeat`. Default: these. */
  readonly heartbeat?:
    | {
        /** What the client asks with. Default `"ping"`. */
        readonly ping?: string | undefined;
        /** What the server answers with. Default `"pong"`. */
        readonly pong?: string | undefined;
      }
    | undefined;
  /** The largest message in UTF-8 bytes. Default 10 240. A larger one is refused as `too_large` if it has a number, and ends the connection with 1009 if not. */
  readonly maxMessageBytes?: number | undefined;
  /** How many messages may be unacknowledged, from 1 to 1 024. Default 128. */
  readonly window?: number | undefined;
  /** Repeats what is random in the server, which is the latency of a `delay` between two bounds. Default 1. */
  readonly seed?: number | undefined;
}

/** Which connection or message is meant. */
export interface UserFilter {
  /** Of this user. Default: of anyone. */
  readonly user?: string | undefined;
}

/** To whom an event goes. */
export interface EmitOptions {
  /** A user or several, on all their connections. Default: everyone who is connected, or has been in the reliable mode. */
  readonly to?: string | readonly string[] | undefined;
  /** {@inheritDoc PublishOptions.stored} */
  readonly stored?: boolean | undefined;
}

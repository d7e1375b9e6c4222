import { readFrame } from "./envelope.js";

/** How clients say who they are; the names are those of the client's options. */
export interface AuthenticationOptions {
  /**
   * Who a token speaks for. Default: the `sub` of a JWT, which is not verified, or else the text of the token itself, and `"anonymous"` without one. Returning `null` refuses
   * the connection with 1008.
   */
  readonly authenticate?: ((token: string | null, url: URL) => string | null) | undefined;
  /** Where the token travels. Default `"query"`. */
  readonly tokenIn?: "query" | "first-message" | "subprotocol" | undefined;
  /** The query parameter, or the field of the first message, that carries the token. Default `"token"`. */
  readonly tokenParam?: string | undefined;
  /** The type of the first message with `tokenIn: "first-message"`. Default `"authenticate"`. */
  readonly authEvent?: string | undefined;
}

/** The token that a handshake carries; `null` if it carries none. */
export function tokenOf(options: AuthenticationOptions, url: URL, protocols: readonly string[]): string | null {
  if (options.tokenIn === "subprotocol") return protocols.at(-1) ?? null;
  return url.searchParams.get(options.tokenParam ?? "token");
}

/** The token in the first message; `undefined` if it is another message. */
export function tokenInFirst(options: AuthenticationOptions, text: unknown): string | undefined {
  const frame = typeof text === "string" ? readFrame(text) : undefined;
  if (frame?.type !== (options.authEvent ?? "authenticate")) return undefined;
  const token = frame.data[options.tokenParam ?? "token"];
  return typeof token === "string" ? token : undefined;
}

/** Whoever a token speaks for, unless the test says otherwise. */
export function userOf(token: string | null): string {
  if (!token) return "anonymous";
  const [, claims = ""] = /^[\w-]+\.([\w-]+)\.[\w-]*$/.exec(token) ?? [];
  try {
    const { sub } = JSON.parse(atob(claims.replaceAll("-", "+").replaceAll("_", "/"))) as { sub?: unknown };
    return typeof sub === "string" ? sub : token;
  } catch {
    return token;
  }
}

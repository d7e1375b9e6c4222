import { error } from "../errors.js";

/**
 * Where to connect, with everything but the token: `http` becomes `ws`, query parameters are kept, the fragment is not. The
 * page's origin stands in for a missing or empty URL, and an empty path leaves the URL's own. Throws an error that says how to mend the URL.
 */
export function endpoint(base: string | undefined, path = "/api/ws"): string {
  let url: URL;
  try {
    url = new URL(base || location.origin);
  } catch {
    throw error("invalid_url", '`url` is not an absolute URL such as "https://example.com"');
  }
  if (!/^(http|ws)s?:/.test(url.protocol)) {
    throw error("invalid_url", "`url` must start with http://, https://, ws:// or wss://");
  }
  url.protocol = url.protocol.replace("http", "ws");
  // Browsers treat loopback addresses as trustworthy without encryption (W3C Secure Contexts, section 3.1).
  const isSafe = url.protocol === "wss:" || /^(.+\.)?localhost$|^127\.|^\[::1]$/.test(url.hostname);
  if (!isSafe && globalThis.location?.protocol === "https:") {
    throw error("insecure_url", "an https page cannot open ws:// connections: `url` needs https:// or wss://");
  }
  if (path) {
    const [, pathname, query] = /^\/?([^?#]*)\??([^#]*)/.exec(path) as RegExpExecArray;
    url.pathname = `${url.pathname.replace(/\/+$/, "")}/${pathname}`;
    url.search = [url.search.slice(1), query].filter(Boolean).join("&");
  }
  url.hash = "";
  return url.href;
}

/** The endpoint with a token in the query parameter of this name. */
export const withToken = (endpoint: string, name: string, token: string): string =>
  `${endpoint}${endpoint.includes("?") ? "&" : "?"}${encodeURIComponent(name)}=${encodeURIComponent(token)}`;

//! Where to connect.

use js_sys::JsString;
use web_sys::Url;

use super::scope::scope;
use crate::client::EndpointError;

/// The URL with everything but the token: `http` becomes `ws`, query parameters are kept, the fragment is not. The page's origin stands in
/// for a missing or empty URL, and an empty path leaves the URL's own.
pub(crate) fn endpoint(base: Option<&str>, path: &str) -> Result<JsString, EndpointError> {
    let location = scope().location();
    let origin = || location.as_ref().and_then(|location| location.origin().ok()).unwrap_or_default();
    let base = base.filter(|base| !base.is_empty()).map_or_else(origin, str::to_owned);
    let url = Url::new(&base).map_err(|_| invalid("`url` is not an absolute URL such as \"https://example.com\""))?;
    let protocol = match url.protocol().as_str() {
        "http:" | "ws:" => "ws:",
        "https:" | "wss:" => "wss:",
        _ => return Err(invalid("`url` must start with http://, https://, ws:// or wss://")),
    };
    let is_page_secure = location.and_then(|location| location.protocol().ok()).is_some_and(|own| own == "https:");
    if is_page_secure && protocol == "ws:" && !is_loopback(&url.hostname()) {
        let text = "an https page cannot open ws:// connections: `url` needs https:// or wss://";
        return Err(EndpointError::Insecure { text: text.into() });
    }
    url.set_protocol(protocol);
    if !path.is_empty() {
        let (pathname, query) = split(path);
        url.set_pathname(&format!("{}/{pathname}", url.pathname().trim_end_matches('/')));
        let own_query = url.search();
        let queries = [own_query.trim_start_matches('?'), query];
        url.set_search(&queries.into_iter().filter(|query| !query.is_empty()).collect::<Vec<_>>().join("&"));
    }
    url.set_hash("");
    Ok(url.href().into())
}

fn invalid(text: &str) -> EndpointError {
    EndpointError::Invalid { text: text.into() }
}

/// Browsers treat loopback addresses as trustworthy without encryption (W3C Secure Contexts, section 3.1).
fn is_loopback(hostname: &str) -> bool {
    hostname == "localhost" || hostname.ends_with(".localhost") || hostname.starts_with("127.") || hostname == "[::1]"
}

/// The path without its leading slash, and the query without its question mark. The fragment is left out.
fn split(path: &str) -> (&str, &str) {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.split_once('#').map_or(path, |(before, _)| before);
    path.split_once('?').unwrap_or((path, ""))
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::{is_loopback, split};

    #[test]
    fn a_path_is_split_into_its_parts() {
        for (path, parts) in [
            ("/api/ws", ("api/ws", "")),
            ("api/ws", ("api/ws", "")),
            ("/ws?room=1&x=?", ("ws", "room=1&x=?")),
            ("?room=1", ("", "room=1")),
            ("/ws?a#b?c", ("ws", "a")),
            ("//ws", ("/ws", "")),
            ("", ("", "")),
        ] {
            assert_eq!(split(path), parts, "{path}");
        }
    }

    #[test]
    fn only_loopback_addresses_are_trusted_without_encryption() {
        for hostname in ["localhost", "app.localhost", "127.0.0.1", "127.1", "[::1]"] {
            assert!(is_loopback(hostname), "{hostname}");
        }
        for hostname in ["notlocalhost", "localhost.example", "10.127.0.1", "[::2]", ""] {
            assert!(!is_loopback(hostname), "{hostname}");
        }
    }
}

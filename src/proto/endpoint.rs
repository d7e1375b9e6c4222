//! Where to connect: base URL, path and query put together.

use alloc::string::String;
use core::fmt;

/// The URL of the WebSocket endpoint, with everything but the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    url: String,
}

/// A URL that cannot be connected to: the caller has to change `url` or `path`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointError {
    /// The base URL has no host or no known form.
    Unparsable,
    /// The scheme is none of http, https, ws and wss.
    Scheme,
    /// A page served over https may not open an unencrypted WebSocket (W3C Mixed Content, section 5.3).
    Insecure,
}

impl Endpoint {
    /// Joins the base URL in the form that a URL parser serialised it (WHATWG URL, section 4.5) with the path.
    ///
    /// `http` becomes `ws`, `https` becomes `wss`, query parameters of both are kept, fragments are not.
    pub fn new(href: &str, path: &str, page_is_secure: bool) -> Result<Self, EndpointError> {
        let (base, base_query) = split_query(href);
        let (path, path_query) = split_query(path);
        let after_scheme = base.strip_prefix("http").or_else(|| base.strip_prefix("ws"));
        let after_scheme = after_scheme.ok_or(EndpointError::Scheme)?;
        let (scheme, mut rest) = match (after_scheme.strip_prefix("s://"), after_scheme.strip_prefix("://")) {
            (Some(rest), _) => ("wss://", rest),
            (None, Some(rest)) if page_is_secure && !is_loopback(rest) => return Err(EndpointError::Insecure),
            (None, Some(rest)) => ("ws://", rest),
            (None, None) => return Err(EndpointError::Scheme),
        };
        while let Some(shorter) = rest.strip_suffix('/') {
            rest = shorter;
        }
        let mut url = String::from(scheme);
        url.push_str(rest);
        if !path.is_empty() && !path.starts_with('/') {
            url.push('/');
        }
        url.push_str(path);
        let mut separator = '?';
        for query in [base_query, path_query] {
            if !query.is_empty() {
                url.push(separator);
                url.push_str(query);
                separator = '&';
            }
        }
        Ok(Self { url })
    }

    /// The URL for a connection without a token.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The URL up to the place where the percent-encoded token belongs.
    pub fn url_before_token(&self) -> String {
        let mut url = self.url.clone();
        url.push(if split_at(&url, b'?').1.is_some() { '&' } else { '?' });
        url.push_str("token=");
        url
    }
}

impl EndpointError {
    /// The stable name that programs can test for.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unparsable | Self::Scheme => "invalid_url",
            Self::Insecure => "insecure_url",
        }
    }

    /// What is wrong and how to mend it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Unparsable => "`url` is not an absolute URL such as \"https://example.com\"",
            Self::Scheme => "`url` must start with http://, https://, ws:// or wss://",
            Self::Insecure => {
                "a page served over https cannot open a ws:// connection: give `url` with https:// or wss://"
            }
        }
    }
}

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl core::error::Error for EndpointError {}

/// What stands before the query, and the query; the fragment is left out.
fn split_query(text: &str) -> (&str, &str) {
    let (before, query) = split_at(split_at(text, b'#').0, b'?');
    (before, query.unwrap_or_default())
}

/// What stands before the first `delimiter`, and what stands behind it. The general searches of `str` cost a kilobyte.
fn split_at(text: &str, delimiter: u8) -> (&str, Option<&str>) {
    match text.bytes().position(|byte| byte == delimiter) {
        Some(at) => (text.get(..at).unwrap_or_default(), text.get(at + 1..)),
        None => (text, None),
    }
}

/// Browsers treat loopback addresses as trustworthy without encryption (W3C Secure Contexts, section 3.1).
fn is_loopback(authority_and_path: &str) -> bool {
    let authority = split_at(authority_and_path, b'/').0;
    // A URL parser leaves one `@` at most: it encodes those in user names.
    let (before, behind) = split_at(authority, b'@');
    let host_and_port = behind.unwrap_or(before);
    let host = split_at(host_and_port, b':').0;
    host == "localhost"
        || host.ends_with(".localhost")
        || host.starts_with("127.")
        || host_and_port.starts_with("[::1]")
}

#[cfg(test)]
mod tests {
    use super::{Endpoint, EndpointError};

    fn url(href: &str, path: &str) -> String {
        Endpoint::new(href, path, false).unwrap().url_before_token()
    }

    #[test]
    fn schemes_are_translated_and_the_path_is_appended() {
        assert_eq!(url("http://localhost:8001/", "/api/ws"), "ws://localhost:8001/api/ws?token=");
        assert_eq!(url("https://example.com/", "/api/ws"), "wss://example.com/api/ws?token=");
        assert_eq!(url("wss://example.com/app/", "api/ws"), "wss://example.com/app/api/ws?token=");
        assert_eq!(url("ws://example.com/socket", ""), "ws://example.com/socket?token=");
    }

    #[test]
    fn query_parameters_are_kept_and_fragments_are_not() {
        assert_eq!(url("http://a.test/?tenant=1#top", "/ws?v=2#x"), "ws://a.test/ws?tenant=1&v=2&token=");
        assert_eq!(Endpoint::new("http://a.test/?tenant=1", "/ws", false).unwrap().url(), "ws://a.test/ws?tenant=1");
    }

    #[test]
    fn a_secure_page_connects_unencrypted_to_loopback_only() {
        assert_eq!(Endpoint::new("http://example.com/", "/ws", true), Err(EndpointError::Insecure));
        assert_eq!(Endpoint::new("ws://127.0.0.1.example.com@evil.test/", "/ws", true), Err(EndpointError::Insecure));
        for base in ["http://localhost:1/", "ws://127.0.0.1/", "ws://[::1]:8080/", "https://example.com/"] {
            assert!(Endpoint::new(base, "/ws", true).is_ok(), "{base}");
        }
    }

    #[test]
    fn other_schemes_are_refused() {
        assert_eq!(Endpoint::new("ftp://example.com/", "/ws", false), Err(EndpointError::Scheme));
        assert_eq!(Endpoint::new("data:text/plain,x", "/ws", false), Err(EndpointError::Scheme));
        assert_eq!(Endpoint::new("https+x://example.com/", "/ws", false), Err(EndpointError::Scheme));
    }
}

//! The options of a client.

use std::fmt;
use std::rc::Rc;

use js_sys::JsString;
use wasm_bindgen::prelude::*;

use super::EndpointError;
use crate::events::rules::SessionRule;
use crate::proto::{Config, ConfigError, ValidatedConfig};
use crate::web::{self, Asked, TokenSource};

/// Where to connect, as whom, and how persistently.
///
/// An application that is configured from its environment passes the values on when it is compiled, as in
/// `option_env!("WS_RECONNECT_MAX_ATTEMPTS").and_then(|text| text.parse().ok())`.
#[derive(Clone, Default)]
pub struct Options {
    url: Option<String>,
    path: Option<String>,
    token: Token,
    is_anonymous: bool,
    socket: SocketOptions,
    sessions: Vec<SessionRule>,
    heartbeat_names: HeartbeatNames,
    config: Config,
}

/// What pings and their answers are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeartbeatNames {
    pub(crate) ping: String,
    pub(crate) pong: String,
}

impl Default for HeartbeatNames {
    fn default() -> Self {
        Self { ping: "ping".to_owned(), pong: "pong".to_owned() }
    }
}

impl HeartbeatNames {
    fn check(&self, is_reliable: bool) -> Result<(), ConfigError> {
        let usual = Self::default();
        for (field, name, usual) in
            [("heartbeat.ping", &self.ping, &usual.ping), ("heartbeat.pong", &self.pong, &usual.pong)]
        {
            if name.is_empty() || (is_reliable && name != usual) {
                let expected = "a string that is not empty, and the default in the reliable mode";
                return Err(ConfigError { field, expected });
            }
        }
        Ok(())
    }
}

/// Where the token of a connection travels. In every place it is as secret as the connection: use `wss:` URLs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenPlace {
    /// In the URL, as a [query parameter](Options::token_param). Servers and proxies write URLs into their access logs, unless they are told not
    /// to, and browsers into their console when an attempt fails: use tokens that live for minutes, or another place.
    #[default]
    Query,
    /// As the first message on the open socket, before everything else: an event of the type [`auth_event`](Options::auth_event), whose field
    /// [`token_param`](Options::token_param) is the token. It is in no URL and no header, but the server accepts the handshake of anyone, so it has to
    /// close connections that do not say who they are within seconds. Nothing is waited for: what follows may be read before the
    /// token is checked, and a server that refuses it closes with 1008 or 4401.
    FirstMessage,
    /// As the last of the [subprotocols](Options::protocols), in the header `Sec-WebSocket-Protocol`, which is logged less often than URLs. The server must choose one of
    /// the others, so offer one, and must not send the token back. A token with other characters than subprotocols may have, such as
    /// the `=` and `/` of base64, is reported as [`ClientError::TokenFailed`](super::ClientError::TokenFailed); JWTs have none.
    Subprotocol,
}

/// What sockets are made with.
#[derive(Clone, Debug)]
pub(crate) struct SocketOptions {
    pub(crate) protocols: Vec<String>,
    pub(crate) token_place: TokenPlace,
    pub(crate) token_param: String,
    pub(crate) auth_event: String,
}

impl Default for SocketOptions {
    fn default() -> Self {
        Self {
            protocols: Vec::new(),
            token_place: TokenPlace::Query,
            token_param: "token".to_owned(),
            auth_event: "authenticate".to_owned(),
        }
    }
}

impl SocketOptions {
    fn check(&self, is_reliable: bool) -> Result<(), ConfigError> {
        let names = &self.protocols;
        let is_name = |name: &String| !name.is_empty() && name.bytes().all(is_subprotocol_byte);
        let is_unique = |(index, name)| !names[..index].contains(name);
        let hello_is_taken = is_reliable && self.auth_event == "hello";
        let (field, expected) = if !names.iter().all(is_name) || !names.iter().enumerate().all(is_unique) {
            ("protocols", "different names of subprotocols (RFC 6455)")
        } else if self.token_param.is_empty() {
            ("tokenParam", "a string that is not empty")
        } else if self.auth_event.is_empty() || hello_is_taken {
            ("authEvent", "a string that is not empty, and not \"hello\" in the reliable mode")
        } else {
            return Ok(());
        };
        Err(ConfigError { field, expected })
    }
}

/// Whether a subprotocol may have it (RFC 6455, section 4.1, and RFC 7230, section 3.2.6).
pub(crate) const fn is_subprotocol_byte(byte: u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(byte, b'"' | b'(' | b')' | b',' | b'/' | b':'..=b'@' | b'['..=b']' | b'{' | b'}')
}

/// What a token function is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenRequest {
    /// Whether the server refused the previous token, so that a cached one will not do.
    pub refused: bool,
}

/// Where tokens come from.
#[derive(Clone, Default)]
pub(super) enum Token {
    #[default]
    None,
    Fixed(String),
    Function(Rc<dyn Fn(TokenRequest) -> Asked>),
}

impl Options {
    /// The defaults: the page's own origin, `/api/ws`, no token, and [`Config::default`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Base URL, with http, https, ws or wss. Default, also for an empty one: the page's own origin. Checked by
    /// [`connect`](super::Client::connect). Its query parameters are kept.
    #[must_use]
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// Path of the endpoint, appended to the URL's own. Default `/api/ws`. May have query parameters. With an empty one, the URL is the
    /// endpoint exactly.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// A token for every attempt. Default: none, and the server is asked without one. It travels in the query parameter `token`, or [elsewhere](Self::token_in), and appears in no
    /// error. An empty one means that nobody is logged in; see [`anonymous`](Self::anonymous). For one that expires, use [`token_with`](Self::token_with) or [`token_from`](Self::token_from).
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Token::Fixed(token.into());
        self
    }

    /// Asks `provider` for a token before every attempt; `None` means that nobody is logged in. See [`anonymous`](Self::anonymous).
    #[must_use]
    pub fn token_with<T: Into<Option<String>>>(mut self, provider: impl Fn(TokenRequest) -> T + 'static) -> Self {
        self.token = Token::Function(Rc::new(move |request| Asked::Now(provider(request).into().into())));
        self
    }

    /// Asks `provider` for a token before every attempt, and waits for it within `connect_timeout_ms`; `None` means that
    /// nobody is logged in. See [`anonymous`](Self::anonymous). An error is reported as [`ClientError::TokenFailed`](super::ClientError::TokenFailed), and the attempt counts as
    /// failed. A future that the client does not wait for any more is dropped.
    #[must_use]
    pub fn token_from<F, T, E>(mut self, provider: impl Fn(TokenRequest) -> F + 'static) -> Self
    where
        F: Future<Output = Result<T, E>> + 'static,
        T: Into<Option<String>>,
        E: Into<JsValue>,
    {
        self.token = Token::Function(Rc::new(move |request| {
            let answer = provider(request);
            Asked::Later(Box::pin(async move {
                let token = answer.await.map_err(Into::into)?;
                Ok(JsValue::from(token.into()))
            }))
        }));
        self
    }

    /// Whether to connect without a token while there is none. Default `false`: the client waits in
    /// [`Phase::LoggedOut`](crate::proto::Phase::LoggedOut) for [`token_changed`](super::Client::token_changed) or
    /// [`connect`](super::Client::connect). Says nothing to a client that was given neither a token nor a function.
    #[must_use]
    pub const fn anonymous(mut self, is_anonymous: bool) -> Self {
        self.is_anonymous = is_anonymous;
        self
    }

    /// The WebSocket subprotocols to offer, the preferred first (RFC 6455, section 1.9). Default: none. Each has only letters, digits and
    /// the signs ``!#$%&'*+-.^_`|~``, and they differ, else [`ConfigError`]. A server that answers with one that was not offered, and in some
    /// browsers one that answers with none, makes the attempt fail with 1006.
    #[must_use]
    pub fn protocols<T: Into<String>>(mut self, protocols: impl IntoIterator<Item = T>) -> Self {
        self.socket.protocols = protocols.into_iter().map(Into::into).collect();
        self
    }

    /// Where the token travels. Default [`TokenPlace::Query`].
    #[must_use]
    pub const fn token_in(mut self, place: TokenPlace) -> Self {
        self.socket.token_place = place;
        self
    }

    /// The name of the token's query parameter, or of its field in the first message. Default `token`. Not empty, else [`ConfigError`].
    #[must_use]
    pub fn token_param(mut self, name: impl Into<String>) -> Self {
        self.socket.token_param = name.into();
        self
    }

    /// The type of the message that carries the token with [`TokenPlace::FirstMessage`]. Default `authenticate`. Not empty, and in the reliable
    /// mode not `hello`, else [`ConfigError`].
    #[must_use]
    pub fn auth_event(mut self, event: impl Into<String>) -> Self {
        self.socket.auth_event = event.into();
        self
    }

    /// Which events join and leave sessions, beside those of the [catalogues](crate::events). Default: none. These rules come before the
    /// catalogues'. What was joined is joined again on every connection before anything else goes out, until it is left; a client can
    /// be in 1 000 sessions. A rule with an empty name is a [`ConfigError`].
    #[must_use]
    pub fn sessions(mut self, rules: impl IntoIterator<Item = SessionRule>) -> Self {
        self.sessions = rules.into_iter().collect();
        self
    }

    /// The types of the event that asks whether the server is there and of the event that answers. Default `ping` and `pong`. Not empty, and no
    /// others in the reliable mode, whose protocol names them, else [`ConfigError`]. For a server that sends back what it gets, both are the
    /// same. One that answers nothing needs [`heartbeat.interval_ms`](crate::proto::config::Heartbeat::interval_ms) to be
    /// [`FOREVER`](crate::proto::time::FOREVER).
    #[must_use]
    pub fn heartbeat_names(mut self, ping: impl Into<String>, pong: impl Into<String>) -> Self {
        self.heartbeat_names = HeartbeatNames { ping: ping.into(), pong: pong.into() };
        self
    }

    /// Everything else. Default: [`Config::default`]. Its ranges are checked by [`Client::new`](super::Client::new).
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    pub(super) fn into_parts(self) -> Result<Parts, ConfigError> {
        let config = self.config.check()?;
        self.socket.check(config.reliable)?;
        self.heartbeat_names.check(config.reliable)?;
        if !self.sessions.iter().all(SessionRule::is_valid) {
            return Err(ConfigError { field: "sessions", expected: "rules whose names are not empty and differ" });
        }
        let target = Target { url: self.url, path: self.path };
        let is_anonymous = self.is_anonymous || matches!(self.token, Token::None);
        Ok(Parts {
            config,
            target,
            token: self.token,
            is_anonymous,
            socket_options: self.socket,
            sessions: self.sessions,
            heartbeat_names: self.heartbeat_names,
        })
    }
}

/// The options as the client needs them.
pub(super) struct Parts {
    pub(super) config: ValidatedConfig,
    pub(super) target: Target,
    pub(super) token: Token,
    /// Whether to connect without a token.
    pub(super) is_anonymous: bool,
    pub(super) socket_options: SocketOptions,
    pub(super) sessions: Vec<SessionRule>,
    pub(super) heartbeat_names: HeartbeatNames,
}

impl Token {
    /// Where tokens come from, for JavaScript.
    pub(super) fn into_source(self) -> TokenSource {
        match self {
            Self::None => TokenSource::None,
            Self::Fixed(token) => TokenSource::Fixed(JsString::from(token)),
            Self::Function(provider) => {
                TokenSource::Function(Rc::new(move |refused| provider(TokenRequest { refused })))
            }
        }
    }
}

/// Where to connect.
pub(super) struct Target {
    url: Option<String>,
    path: Option<String>,
}

impl Target {
    pub(super) fn endpoint(&self) -> Result<JsString, EndpointError> {
        web::endpoint(self.url.as_deref(), self.path.as_deref().unwrap_or(DEFAULT_PATH))
    }
}

const DEFAULT_PATH: &str = "/api/ws";

impl fmt::Debug for Options {
    /// Leaves the token out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, path, is_anonymous, socket, sessions, heartbeat_names, config, token: _ } = self;
        f.debug_struct("Options")
            .field("url", url)
            .field("path", path)
            .field("anonymous", is_anonymous)
            .field("socket", socket)
            .field("sessions", sessions)
            .field("heartbeat_names", heartbeat_names)
            .field("config", config)
            .finish_non_exhaustive()
    }
}

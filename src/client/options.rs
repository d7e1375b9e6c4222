//! The options of a client.

use std::fmt;

use js_sys::JsString;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;

use super::EndpointError;
use crate::proto::{Config, ConfigError, ValidatedConfig};
use crate::web::{self, CountedClosure, TokenSource};

/// Where to connect, as whom, and how persistently.
///
/// An application that is configured from its environment passes the values on when it is compiled, as in
/// `option_env!("WS_RECONNECT_MAX_ATTEMPTS").and_then(|text| text.parse().ok())`.
#[derive(Default)]
pub struct Options {
    url: Option<String>,
    path: Option<String>,
    token: Token,
    is_anonymous: bool,
    config: Config,
}

/// What a token function is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenRequest {
    /// Whether the server refused the previous token, so that a cached one will not do.
    pub refused: bool,
}

/// Where tokens come from.
#[derive(Default)]
pub(super) enum Token {
    #[default]
    None,
    Fixed(String),
    Function(Box<dyn Fn(TokenRequest) -> JsValue>),
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

    /// A token for every attempt. Default: none, and the server is asked without one. It travels in the query parameter `token`, and appears in no
    /// error. An empty one means that nobody is logged in; see [`anonymous`](Self::anonymous). For one that expires, use [`token_with`](Self::token_with) or [`token_from`](Self::token_from).
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Token::Fixed(token.into());
        self
    }

    /// Asks `provider` for a token before every attempt; `None` means that nobody is logged in. See [`anonymous`](Self::anonymous).
    #[must_use]
    pub fn token_with<T: Into<Option<String>>>(mut self, provider: impl Fn(TokenRequest) -> T + 'static) -> Self {
        self.token = Token::Function(Box::new(move |request| JsValue::from(provider(request).into())));
        self
    }

    /// Asks `provider` for a token before every attempt, and waits for it within `connect_timeout_ms`; `None` means that
    /// nobody is logged in. See [`anonymous`](Self::anonymous). An error is reported as [`ClientError::TokenFailed`](super::ClientError::TokenFailed), and the attempt counts as
    /// failed.
    #[must_use]
    pub fn token_from<F, T, E>(mut self, provider: impl Fn(TokenRequest) -> F + 'static) -> Self
    where
        F: Future<Output = Result<T, E>> + 'static,
        T: Into<Option<String>>,
        E: Into<JsValue>,
    {
        self.token = Token::Function(Box::new(move |request| {
            let answer = provider(request);
            let answer = async move {
                let token = answer.await.map_err(Into::into)?;
                Ok(JsValue::from(token.into()))
            };
            future_to_promise(answer).into()
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

    /// Everything else. Default: [`Config::default`]. Its ranges are checked by [`Client::new`](super::Client::new).
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    pub(super) fn into_parts(self) -> Result<Parts, ConfigError> {
        let config = self.config.check()?;
        let target = Target { url: self.url, path: self.path };
        let is_anonymous = self.is_anonymous || matches!(self.token, Token::None);
        Ok(Parts { config, target, token: self.token, is_anonymous })
    }
}

/// The options as the client needs them.
pub(super) struct Parts {
    pub(super) config: ValidatedConfig,
    pub(super) target: Target,
    pub(super) token: Token,
    /// Whether to connect without a token.
    pub(super) is_anonymous: bool,
}

impl Token {
    /// Where tokens come from, for JavaScript.
    pub(super) fn into_source(self) -> TokenSource {
        match self {
            Self::None => TokenSource::None,
            Self::Fixed(token) => TokenSource::Fixed(JsString::from(token)),
            Self::Function(provider) => {
                let ask = move |refused| provider(TokenRequest { refused });
                TokenSource::Function(CountedClosure::<dyn Fn(bool) -> JsValue>::new(Box::new(ask)))
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
        let Self { url, path, is_anonymous, config, token: _ } = self;
        f.debug_struct("Options")
            .field("url", url)
            .field("path", path)
            .field("anonymous", is_anonymous)
            .field("config", config)
            .finish_non_exhaustive()
    }
}

//! The WebSocket handshake: who may come in.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    body::Body,
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, StatusCode, Uri, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use hyper::upgrade::Upgraded;
use hyper_util::{rt::TokioIo, server::conn::auto};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_tungstenite::tungstenite::{self, error::ProtocolError, handshake::server::create_response_with_body};

use crate::{
    capacity::Full,
    engine::Engine,
    socket,
    token::{Ticket, TokenRefused, Tokens},
};

/// Who opens a connection: [`Tokens`], or a function of the application.
pub trait Authenticate: Send + Sync + 'static {
    /// The user whose connection it will be, of 1 to [`MAX_USER_BYTES`](crate::MAX_USER_BYTES) bytes without a NUL. Another is refused, and the log says so.
    ///
    /// # Errors
    /// Why it is nobody's.
    fn authenticate(&self, request: &Parts) -> Result<Ticket, TokenRefused>;
}

/// Takes the token from `?token=`, where browsers have to put it, or from `Authorization: Bearer`.
impl Authenticate for Tokens {
    fn authenticate(&self, request: &Parts) -> Result<Ticket, TokenRefused> {
        let query = request.uri.query().unwrap_or_default();
        let named = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "token");
        let bearer = || request.headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ");
        match named {
            Some((_, token)) => self.check(Some(&token)),
            None => self.check(bearer()),
        }
    }
}

impl<A: Authenticate> Authenticate for Arc<A> {
    fn authenticate(&self, request: &Parts) -> Result<Ticket, TokenRefused> {
        (**self).authenticate(request)
    }
}

impl<F: Fn(&Parts) -> Result<Ticket, TokenRefused> + Send + Sync + 'static> Authenticate for F {
    fn authenticate(&self, request: &Parts) -> Result<Ticket, TokenRefused> {
        self(request)
    }
}

/// `GET /api/ws?token=…`
pub async fn upgrade(State(engine): State<Arc<Engine>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer);
    let ticket = engine.identify(&parts);
    let mut request = Request::from_parts(parts, body);
    tracing::debug!(url = masked(request.uri()), "handshake");
    let response = match create_response_with_body(&request, Body::empty) {
        Ok(response) => response,
        Err(error) => {
            engine.metrics.rejected("not a handshake", peer);
            return not_a_handshake(&error);
        }
    };
    if let Err(refusal) = admit(&engine, request.headers(), &ticket) {
        engine.metrics.rejected(refusal.reason, peer);
        if let Some(status) = refusal.status {
            return (status, refusal.reason).into_response();
        }
    }
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        match upgraded.await {
            Ok(upgraded) => {
                let (stream, early) = Stream::of(upgraded);
                socket::run(engine, stream, early, ticket, peer).await;
            }
            Err(error) => tracing::debug!(%error, "the client left during the handshake"),
        }
    });
    response
}

/// A URL without the token in its query, as it may be logged.
fn masked(url: &Uri) -> String {
    let Some(query) = url.query() else { return url.to_string() };
    let mask = |field: &str| match field.split_once('=') {
        Some((name, _)) if name.eq_ignore_ascii_case("token") => format!("{name}=***"),
        // A name may be percent-encoded, and an unknown one may hold a secret as well.
        Some((name, _)) => format!("{name}=…"),
        None => "…".to_owned(),
    };
    let query: Vec<String> = query.split('&').map(mask).collect();
    format!("{}?{}", url.path(), query.join("&"))
}

/// Why a handshake is refused: with an HTTP status, or without one by a close frame after it.
struct Refusal {
    status: Option<StatusCode>,
    reason: &'static str,
}

fn admit(engine: &Engine, headers: &HeaderMap, ticket: &Result<Ticket, TokenRefused>) -> Result<(), Refusal> {
    let refuse = |status, reason| Err(Refusal { status: Some(status), reason });
    if engine.is_draining() {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "restarting");
    }
    if engine.application.refuses(ticket.as_ref().ok().map(|ticket| &*ticket.user)) {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "refused on command");
    }
    if !origin_is_allowed(&engine.limits.allow_origins, headers) {
        return refuse(StatusCode::FORBIDDEN, "origin not allowed");
    }
    let by_http = engine.limits.reject_with_http;
    match ticket {
        Err(error) => Err(Refusal { status: by_http.then_some(StatusCode::FORBIDDEN), reason: error.as_str() }),
        Ok(ticket) => match engine.hub.room_for(&ticket.user) {
            Err(Full::Server) => refuse(StatusCode::SERVICE_UNAVAILABLE, Full::Server.as_str()),
            Err(Full::User) if by_http => refuse(StatusCode::TOO_MANY_REQUESTS, Full::User.as_str()),
            // The close frame is left to the moment when the connection is added, which decides.
            Err(Full::User) | Ok(()) => Ok(()),
        },
    }
}

/// Only browsers send an origin, and only they have to be told apart by it.
fn origin_is_allowed(allowed: &[String], headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    allowed.is_empty() || allowed.iter().any(|allowed| origin.as_bytes().eq_ignore_ascii_case(allowed.as_bytes()))
}

fn not_a_handshake(error: &tungstenite::Error) -> Response {
    match error {
        tungstenite::Error::Protocol(ProtocolError::MissingSecWebSocketVersionHeader) => (
            StatusCode::UPGRADE_REQUIRED,
            [(header::SEC_WEBSOCKET_VERSION, "13"), (header::UPGRADE, "websocket")],
            "WebSocket version 13 only",
        )
            .into_response(),
        error => (StatusCode::BAD_REQUEST, format!("not a WebSocket handshake: {error}")).into_response(),
    }
}

/// What a connection is read from: the TCP connection itself where it can be had, or whatever the HTTP server has, such as TLS.
pub enum Stream {
    Tcp(TcpStream),
    Other(Box<TokioIo<Upgraded>>),
}

impl Stream {
    /// The stream, and what has been read from it already.
    fn of(upgraded: Upgraded) -> (Self, Vec<u8>) {
        // As a server with hyper's own connections has it, or one with axum::serve.
        let upgraded = match upgraded.downcast::<TokioIo<TcpStream>>() {
            Ok(parts) => return (Self::Tcp(parts.io.into_inner()), parts.read_buf.into()),
            Err(upgraded) => upgraded,
        };
        match auto::upgrade::downcast::<TokioIo<TcpStream>>(upgraded) {
            Ok(parts) => (Self::Tcp(parts.io.into_inner()), parts.read_buf.into()),
            Err(upgraded) => (Self::Other(Box::new(TokioIo::new(upgraded))), Vec::new()),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Other(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Other(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(context),
            Self::Other(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Other(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

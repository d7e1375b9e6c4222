//! The WebSocket handshake: who may come in.

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
};

use axum::{
    body::Body,
    extract::{Extension, Query, Request, State},
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{self, error::ProtocolError, handshake::server::create_response_with_body};

use crate::{
    app::App,
    hub::Full,
    options::Reject,
    socket,
    token::{Ticket, TokenError},
};

/// `GET /api/ws?token=…`
pub async fn upgrade(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<SocketAddr>,
    Query(query): Query<Vec<(String, String)>>,
    mut request: Request,
) -> Response {
    tracing::debug!(url = masked(request.uri()), "handshake");
    let response = match create_response_with_body(&request, Body::empty) {
        Ok(response) => response,
        Err(error) => {
            app.trail.rejected("not a handshake", Some(peer));
            return not_a_handshake(&error);
        }
    };
    let token = query.iter().find(|(name, _)| name == "token").map(|(_, value)| value.as_str());
    let ticket = app.tokens.check(token);
    if let Err(refusal) = admit(&app, request.headers(), &ticket) {
        app.trail.rejected(refusal.reason, Some(peer));
        if let Some(status) = refusal.status {
            return (status, refusal.reason).into_response();
        }
    }
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        match upgraded.await {
            Ok(upgraded) => serve(app, upgraded, ticket, peer).await,
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

fn admit(app: &App, headers: &HeaderMap, ticket: &Result<Ticket, TokenError>) -> Result<(), Refusal> {
    let refuse = |status, reason| Err(Refusal { status: Some(status), reason });
    if app.draining.load(Ordering::SeqCst) {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "restarting");
    }
    if app.refuses(ticket.as_ref().ok().map(|ticket| &*ticket.user)) {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "refused on command");
    }
    if !origin_is_allowed(&app.options.allow_origin, headers) {
        return refuse(StatusCode::FORBIDDEN, "origin not allowed");
    }
    let by_http = app.options.reject == Reject::Http;
    match ticket {
        Err(error) => Err(Refusal { status: by_http.then_some(StatusCode::FORBIDDEN), reason: error.as_str() }),
        Ok(ticket) => match app.hub.room_for(&ticket.user) {
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

async fn serve(
    app: Arc<App>,
    upgraded: hyper::upgrade::Upgraded,
    ticket: Result<Ticket, TokenError>,
    peer: SocketAddr,
) {
    match upgraded.downcast::<TokioIo<TcpStream>>() {
        Ok(parts) => socket::run(app, parts.io.into_inner(), parts.read_buf.into(), ticket, Some(peer)).await,
        Err(_) => tracing::error!("an upgraded connection is not the TCP connection that was accepted"),
    }
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

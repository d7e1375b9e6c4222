//! The WebSocket handshake: who may come in.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Query, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{self, error::ProtocolError, handshake::server::create_response_with_body};

use crate::{options::Reject, server::App, socket, token::TokenError};

/// `GET /api/ws?token=…`
pub async fn upgrade(
    State(app): State<Arc<App>>,
    Query(query): Query<Vec<(String, String)>>,
    mut request: Request,
) -> Response {
    let response = match create_response_with_body(&request, Body::empty) {
        Ok(response) => response,
        Err(error) => return not_a_handshake(&error),
    };
    let token = query.iter().find(|(name, _)| name == "token").map(|(_, value)| value.as_str());
    let user = app.tokens.check(token);
    if app.refuses(user.as_deref().ok()) {
        return (StatusCode::SERVICE_UNAVAILABLE, "refusing handshakes").into_response();
    }
    if let Err(error) = user {
        tracing::info!(reason = error.as_str(), "handshake refused");
        if app.options.reject == Reject::Http {
            return (StatusCode::FORBIDDEN, error.as_str()).into_response();
        }
    }
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        match upgraded.await {
            Ok(upgraded) => serve(app, upgraded, user).await,
            Err(error) => tracing::debug!(%error, "the client left during the handshake"),
        }
    });
    response
}

async fn serve(app: Arc<App>, upgraded: hyper::upgrade::Upgraded, user: Result<Arc<str>, TokenError>) {
    let Ok(parts) = upgraded.downcast::<TokioIo<TcpStream>>() else {
        tracing::error!("an upgraded connection is not the TCP connection that was accepted");
        return;
    };
    let socket = socket::open(&app, parts.io.into_inner(), parts.read_buf.into()).await;
    match user {
        Ok(user) => socket::run(app, socket, user).await,
        Err(error) => socket::refuse(socket, 1008, error.as_str()).await,
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

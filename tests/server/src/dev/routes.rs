//! Paths of the control endpoints.

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post},
};
use tower_http::cors::CorsLayer;

use super::control;
use crate::{app::App, tutor};

/// The control endpoints, open to pages of any origin.
pub fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/dev/token", get(control::token_by_query).post(control::token))
        .route("/dev/drop", post(control::drop_connections))
        .route("/dev/silent", post(control::silent))
        .route("/dev/refuse", post(control::refuse))
        .route("/dev/push", post(control::push))
        .route("/dev/match", post(control::new_match))
        .route("/dev/match/status", post(control::match_status))
        .route("/dev/emotion", post(control::emotion))
        .route("/dev/fail-pushes", post(control::fail_pushes))
        .route("/api/v1/chat", post(tutor::chat))
        .route("/dev/raw", post(control::raw))
        .route("/dev/received", get(control::received).delete(control::forget))
        .route("/dev/processed", get(control::processed_messages))
        .route("/dev/forget", post(control::forget_history))
        .route("/dev/connections", get(control::connections))
        .layer(CorsLayer::permissive())
}

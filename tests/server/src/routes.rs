//! Which path leads where.

use std::sync::Arc;

use axum::{
    Json, Router,
    http::{StatusCode, Uri},
    response::{IntoResponse as _, Response},
    routing::{any, get},
};
use serde_json::json;
use tower_http::services::{ServeDir, ServeFile};

use crate::{dev, handshake, server::App};

/// Everything the server answers to.
pub fn router(app: &Arc<App>) -> Router {
    let mut router = Router::new()
        .route("/api/ws", get(handshake::upgrade))
        .route("/api/{*rest}", any(not_found))
        .route("/dev/{*rest}", any(not_found));
    if app.dev.is_some() {
        router = router.merge(dev::router());
    }
    let router = match &app.options.www {
        Some(www) => {
            let page = ServeFile::new(www.join("index.html"));
            router.fallback_service(ServeDir::new(www).fallback(page))
        }
        None => router.fallback(not_found),
    };
    router.with_state(app.clone())
}

async fn not_found(uri: Uri) -> Response {
    (StatusCode::NOT_FOUND, Json(json!({ "error": format!("nothing at {}", uri.path()) }))).into_response()
}

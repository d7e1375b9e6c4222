//! Which path leads where.

use std::{sync::Arc, time::Duration};

use axum::{
    Extension, Json, Router,
    http::{StatusCode, Uri},
    response::{IntoResponse as _, Response},
    routing::{any, get, post},
};
use everwire_axum::Engine;
use serde_json::json;
use tower_http::{
    cors::CorsLayer,
    services::{ServeDir, ServeFile},
    timeout::TimeoutLayer,
};

use crate::{api, app::App, dev};

/// Everything the server answers to.
pub fn router(app: &Arc<App>, engine: &Arc<Engine>) -> Router {
    let mut router = Router::new()
        .route("/api/ws", engine.route())
        .route("/api/events", post(api::push))
        // Open to pages of any origin: the token comes with the request and not by itself, as a cookie would.
        .route("/api/matches", get(api::conversations).layer(CorsLayer::permissive()).post(api::new_match))
        .route("/api/matches/{id}/status", post(api::match_status))
        .route("/api/matches/{id}/messages", get(api::history).layer(CorsLayer::permissive()))
        .route("/api/{*rest}", any(not_found))
        .route("/dev/{*rest}", any(not_found))
        .route("/health", get(api::health_of_originals))
        .route("/healthz", get(api::health))
        .route("/metrics", get(api::scrape));
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
    // A WebSocket's request is answered at once, so this ends only requests whose bodies do not come.
    router
        .layer(Extension(engine.clone()))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST_DEADLINE))
        .with_state(app.clone())
}

async fn not_found(uri: Uri) -> Response {
    (StatusCode::NOT_FOUND, Json(json!({ "error": format!("nothing at {}", uri.path()) }))).into_response()
}

/// When to give up on a request that is not complete.
const REQUEST_DEADLINE: Duration = Duration::from_secs(30);

//! A chat in sessions: a page, a server, and one event that is stored. See README.md beside this.

mod chat;
mod dev;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{FromRef, State},
    http::StatusCode,
    response::IntoResponse,
    routing::{get, post},
};
use everwire_axum::{
    Backend, Everwire, Limits, Metrics, On, PostgresStore, RedisBus, SqliteStore, StoreError, Tokens, User, Wire,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tower_http::services::ServeDir;

/// What the server is started with.
#[derive(Default)]
pub struct Settings {
    /// Signs and checks tokens.
    pub secret: String,
    /// The file of the database, or the `postgres://` URL of one that several nodes share. In memory if there is neither.
    pub database: Option<String>,
    /// Gives tokens to anyone, and has the endpoints that the protocol's conversations need. Never on a public network.
    pub development: bool,
    /// The Redis between the nodes that share a database, if there are several.
    pub bus: Option<RedisBus>,
    /// What the server takes.
    pub limits: Limits,
    /// Told what happens, for Prometheus or the like.
    pub metrics: Option<Arc<dyn Metrics>>,
}

/// What the HTTP handlers need.
#[derive(Clone)]
struct App {
    wire: Wire,
    tokens: Arc<Tokens>,
}

impl FromRef<App> for Wire {
    fn from_ref(app: &App) -> Self {
        app.wire.clone()
    }
}

/// Starts the Everwire side, and returns it with the routes of the whole application.
///
/// # Errors
/// The database cannot be opened.
pub async fn application(settings: Settings) -> Result<(Wire, Router), StoreError> {
    let store: Backend = match settings.database {
        Some(url) if url.starts_with("postgres://") => PostgresStore::new(url).setup(chat::TABLES).into(),
        Some(path) => SqliteStore::new(path).setup(chat::TABLES).into(),
        None => SqliteStore::in_memory().setup(chat::TABLES).into(),
    };
    let tokens = Arc::new(Tokens::new(settings.secret));
    let mut wire = Everwire::new(store).authenticate(tokens.clone()).limits(settings.limits);
    if let Some(bus) = settings.bus {
        wire = wire.bus(bus);
    }
    if let Some(metrics) = settings.metrics {
        wire = wire.metrics(metrics);
    }
    let wire = wire
        .on_connect(|user| json!({ "user_id": user }))
        .on_with(On::join(), chat::join)
        .on(chat::leave)
        .on(chat::message)
        .on(chat::echo)
        .start()
        .await?;
    let app = App { wire: wire.clone(), tokens };
    let mut routes = Router::new()
        .route("/api/ws", wire.route())
        .route("/api/v1/chat", post(ask))
        .route("/healthz", get(health))
        .fallback_service(ServeDir::new(concat!(env!("CARGO_MANIFEST_DIR"), "/page")));
    if settings.development {
        routes = routes.merge(dev::routes());
    }
    Ok((wire, routes.with_state(app)))
}

#[derive(Deserialize)]
struct Question {
    message: String,
    session_id: String,
}

/// Answers over HTTP, and stores the answer for all devices of the user.
async fn ask(
    State(app): State<App>,
    User(user): User,
    Json(question): Json<Question>,
) -> Result<Json<Value>, StatusCode> {
    let answer = format!("You said: {}", question.message);
    let notification = json!({ "session_id": question.session_id, "text": answer });
    app.wire.publish(&user, "notification", notification).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    Ok(Json(json!({ "answer": answer })))
}

async fn health(State(app): State<App>) -> impl IntoResponse {
    if app.wire.is_healthy().await {
        (StatusCode::OK, Json(json!({ "status": "ok", "connections": app.wire.connections() })))
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "no database" })))
    }
}

//! The proxy's control endpoints.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    extract::{
        FromRequest, FromRequestParts, Path, State,
        rejection::{JsonRejection, PathRejection},
    },
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{delete, get, put},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tower_http::cors::CorsLayer;

use crate::{
    proxy::{Shared, Traffic},
    rule::Rule,
    rules::RuleStatus,
};

type Proxy = State<Arc<Shared>>;

/// The endpoints, open to pages of any origin.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/rules", get(list).post(add).delete(clear))
        .route("/rules/{id}", delete(remove))
        .route("/traffic", get(traffic))
        .route("/target", put(target))
        .layer(CorsLayer::permissive())
        .with_state(shared)
}

async fn add(State(shared): Proxy, Body(rule): Body<Rule>) -> Json<Value> {
    Json(json!({ "id": shared.rules.add(rule) }))
}

async fn list(State(shared): Proxy) -> Json<Vec<RuleStatus>> {
    Json(shared.rules.status())
}

async fn remove(State(shared): Proxy, Part(id): Part<u64>) -> Result<Json<Value>, Problem> {
    if shared.rules.remove(id) {
        Ok(Json(json!({ "removed": 1 })))
    } else {
        Err(Problem::new(StatusCode::NOT_FOUND, format!("no rule {id}")))
    }
}

async fn clear(State(shared): Proxy) -> Json<Value> {
    Json(json!({ "removed": shared.rules.clear() }))
}

async fn traffic(State(shared): Proxy) -> Json<Traffic> {
    Json(shared.traffic.read())
}

#[derive(Deserialize)]
struct Target {
    addr: SocketAddr,
}

async fn target(State(shared): Proxy, Body(target): Body<Target>) -> Json<Value> {
    shared.set_target(target.addr);
    Json(json!({ "target": target.addr }))
}

/// A status and a sentence.
struct Problem(StatusCode, String);

/// A JSON body; what is wrong with it is answered in JSON too.
#[derive(FromRequest)]
#[from_request(via(Json), rejection(Problem))]
struct Body<T>(T);

/// A part of the path, likewise.
#[derive(FromRequestParts)]
#[from_request(via(Path), rejection(Problem))]
struct Part<T>(T);

impl Problem {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self(status, message.into())
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        Self(rejection.status(), rejection.body_text())
    }
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        Self(rejection.status(), rejection.body_text())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

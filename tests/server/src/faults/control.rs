//! The proxy's control endpoints.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{delete, get, put},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tower_http::cors::CorsLayer;

use super::{
    proxy::{Shared, Traffic},
    rule::Rule,
    rules::RuleStatus,
};
use crate::problem::{Body, Part, Problem};

type Proxy = State<Arc<Shared>>;

/// The endpoints, open to pages of any origin.
pub(super) fn router(shared: Arc<Shared>) -> Router {
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

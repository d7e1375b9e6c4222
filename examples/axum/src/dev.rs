//! For development only: tokens for anyone, and what `python -m everwire.vectors` needs to play the protocol's conversations.

use axum::{
    Json, Router,
    extract::{Query, State},
    http::StatusCode,
    routing::{get, post},
};
use everwire_axum::{Context, Forgettable, Processed, StoreError};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::App;

type Answer = Result<Json<Value>, StatusCode>;

pub fn routes() -> Router<App> {
    Router::new()
        .route("/dev/token", get(token_by_query).post(token))
        .route("/dev/push", post(push))
        .route("/dev/forget", post(forget))
        .route("/dev/connections", get(connections))
        .route("/dev/processed", get(processed))
}

#[derive(Deserialize)]
struct User {
    user_id: String,
}

/// Stands for a login.
async fn token(State(app): State<App>, Json(User { user_id }): Json<User>) -> Answer {
    let token = app.tokens.issue(&user_id, None).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(Json(json!({ "token": token })))
}

async fn token_by_query(app: State<App>, Query(user): Query<User>) -> Answer {
    token(app, Json(user)).await
}

#[derive(Deserialize)]
struct Whose {
    user_id: Option<String>,
}

#[derive(Deserialize)]
struct Push {
    user_id: String,
    r#type: String,
    data: Value,
}

async fn push(State(app): State<App>, Json(push): Json<Push>) -> Answer {
    app.wire.publish(&push.user_id, &push.r#type, push.data).await.map_err(failed)?;
    Ok(Json(json!({})))
}

#[derive(Deserialize)]
struct Forget {
    user_id: String,
    stream: Option<String>,
    #[serde(flatten)]
    what: Forgettable,
}

async fn forget(State(app): State<App>, Json(Forget { user_id, stream, what }): Json<Forget>) -> Answer {
    let forget = move |ctx: &mut Context<'_>| {
        everwire_axum::forget_events(ctx.db(), &user_id, stream.as_deref().unwrap_or("user"), what)
    };
    let (forgotten, upto) = app.wire.transact(forget).await.map_err(failed)?;
    Ok(Json(json!({ "forgotten": forgotten, "upto": upto })))
}

async fn connections(State(app): State<App>, Query(Whose { user_id }): Query<Whose>) -> Answer {
    let open = match user_id {
        Some(user_id) => usize::from(app.wire.is_connected(&user_id)),
        None => app.wire.connections(),
    };
    Ok(Json(json!({ "open": open })))
}

/// The messages with a number that were processed, in order.
async fn processed(
    State(app): State<App>,
    Query(User { user_id }): Query<User>,
) -> Result<Json<Vec<Processed>>, StatusCode> {
    let processed = app.wire.transact(move |ctx| everwire_axum::processed(ctx.db(), &user_id)).await.map_err(failed)?;
    Ok(Json(processed))
}

fn failed(_: StoreError) -> StatusCode {
    StatusCode::SERVICE_UNAVAILABLE
}

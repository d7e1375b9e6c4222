//! For development only: tokens for anyone, and what `python -m everwire.vectors` needs to play the protocol's conversations.

use axum::{
    Json, Router,
    extract::{Query, State},
    http::StatusCode,
    routing::{get, post},
};
use everwire_axum::{Forgettable, StoreError};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::App;

type Answer = Result<Json<Value>, StatusCode>;

pub fn routes() -> Router<App> {
    Router::new()
        .route("/dev/token", post(token))
        .route("/dev/push", post(push))
        .route("/dev/forget", post(forget))
        .route("/dev/connections", get(connections))
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
    stream: String,
    upto: u64,
}

async fn forget(State(app): State<App>, Json(Forget { user_id, stream, upto }): Json<Forget>) -> Answer {
    let forget = move |ctx: &mut everwire_axum::Context<'_>| {
        everwire_axum::forget_events(ctx.db(), &user_id, &stream, Forgettable::Upto(upto))
    };
    let (forgotten, upto) = app.wire.transact(forget).await.map_err(failed)?;
    Ok(Json(json!({ "forgotten": forgotten, "upto": upto })))
}

async fn connections(State(app): State<App>, Query(User { user_id }): Query<User>) -> Answer {
    Ok(Json(json!({ "open": u8::from(app.wire.is_connected(&user_id)) })))
}

fn failed(_: StoreError) -> StatusCode {
    StatusCode::SERVICE_UNAVAILABLE
}

//! What the control endpoints do.

use std::{sync::Arc, time::Duration};

use axum::{Json, extract::State, http::StatusCode};
use everwire_axum::{
    Ending, Forgettable, Kind, MAX_USER_BYTES, Outgoing, Processed, USER_STREAM, forget_events, processed,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::{Dev, record::Received};
use crate::{
    api::{self, NewMatch, Push},
    app::App,
    masterx,
    messages::MatchStatus,
    problem::{Body, Params, Problem},
};

type Shared = State<Arc<App>>;
type Answer = Result<Json<Value>, Problem>;

#[derive(Deserialize)]
pub struct TokenRequest {
    user_id: String,
    ttl_s: Option<i64>,
}

pub async fn token(State(app): Shared, Body(request): Body<TokenRequest>) -> Answer {
    if request.user_id.is_empty() || request.user_id.len() > MAX_USER_BYTES {
        return Err(Problem::bad_request(format!("`user_id` must have 1 to {} bytes", MAX_USER_BYTES)));
    }
    let token = app
        .tokens
        .issue(&request.user_id, request.ttl_s)
        .map_err(|error| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    Ok(Json(json!({ "token": token })))
}

pub async fn token_by_query(app: Shared, Params(request): Params<TokenRequest>) -> Answer {
    token(app, Body(request)).await
}

#[derive(Deserialize)]
pub struct DropRequest {
    user_id: String,
    code: Option<u16>,
    #[serde(default)]
    reason: String,
}

pub async fn drop_connections(State(app): Shared, Body(request): Body<DropRequest>) -> Answer {
    let ending = match request.code {
        None => Ending::Abort,
        Some(code) if !may_be_sent(code) => {
            return Err(Problem::bad_request(
                "`code` must be one that may be sent: 1000 to 1003, 1007 to 1014, 3000 to 4999",
            ));
        }
        Some(_) if request.reason.len() > MAX_REASON_BYTES => {
            return Err(Problem::bad_request(format!("`reason` can have {MAX_REASON_BYTES} bytes at most")));
        }
        Some(code) => Ending::close(code, request.reason),
    };
    let connections = app.hub.connections(Some(&request.user_id));
    let dropped = connections.iter().filter(|connection| connection.end(ending.clone())).count();
    Ok(Json(json!({ "dropped": dropped })))
}

#[derive(Deserialize)]
pub struct SilentRequest {
    user_id: String,
    silent: bool,
    #[serde(default)]
    new_connections: bool,
}

pub async fn silent(State(app): Shared, Body(request): Body<SilentRequest>) -> Answer {
    dev(&app)?.set_silent_from_now_on(&request.user_id, request.silent && request.new_connections);
    let connections = app.hub.connections(Some(&request.user_id));
    for connection in &connections {
        connection.set_silent(request.silent);
    }
    Ok(Json(json!({ "affected": connections.len() })))
}

#[derive(Deserialize)]
pub struct RefuseRequest {
    for_ms: u64,
    user_id: Option<String>,
}

pub async fn refuse(State(app): Shared, Body(request): Body<RefuseRequest>) -> Answer {
    let lasting = Duration::from_millis(request.for_ms.min(MAX_REFUSAL_MS));
    dev(&app)?.refuse(request.user_id, lasting);
    Ok(Json(json!({ "refusing_for_ms": lasting.as_millis() as u64 })))
}

pub async fn push(State(app): Shared, Body(push): Body<Push>) -> Answer {
    Ok(Json(json!({ "delivered": push.deliver(&app).await? })))
}

pub async fn new_match(State(app): Shared, Body(new): Body<NewMatch>) -> Answer {
    new.make(&app).await
}

#[derive(Deserialize)]
pub struct StatusRequest {
    match_id: String,
    status: MatchStatus,
}

pub async fn match_status(State(app): Shared, Body(request): Body<StatusRequest>) -> Answer {
    api::set_status(&app, &request.match_id, request.status).await
}

#[derive(Deserialize)]
pub struct EmotionRequest {
    user_id: String,
    emotion: Option<Value>,
    message_id: Option<String>,
}

pub async fn emotion(State(app): Shared, Body(request): Body<EmotionRequest>) -> Answer {
    let seed = dev(&app)?.next_sample();
    let emotion = request.emotion.unwrap_or_else(|| masterx::sample_emotion(seed));
    let data = masterx::emotion_update(emotion, request.message_id, seed);
    let delivered = Push::to_user(&request.user_id, "emotion_update", data.clone()).deliver(&app).await?;
    Ok(Json(json!({ "delivered": delivered, "data": data })))
}

#[derive(Deserialize)]
pub struct FailPushesRequest {
    user_id: String,
    fail: bool,
}

pub async fn fail_pushes(State(app): Shared, Body(request): Body<FailPushesRequest>) -> Answer {
    dev(&app)?.set_unreachable(&request.user_id, request.fail);
    Ok(Json(json!({ "failing": request.fail })))
}

#[derive(Deserialize)]
pub struct RawRequest {
    user_id: String,
    text: String,
    #[serde(default)]
    binary: bool,
}

pub async fn raw(State(app): Shared, Body(request): Body<RawRequest>) -> Answer {
    let frame = if request.binary { Message::binary(request.text.into_bytes()) } else { Message::text(request.text) };
    let raw = Outgoing::raw(frame, Kind::sent("raw"));
    Ok(Json(json!({ "delivered": app.hub.deliver_to_user(&request.user_id, &raw) })))
}

#[derive(Deserialize)]
pub struct Selection {
    user_id: Option<String>,
    r#type: Option<String>,
}

pub async fn received(
    State(app): Shared,
    Params(selection): Params<Selection>,
) -> Result<Json<Vec<Received>>, Problem> {
    let record = dev(&app)?.record.lock();
    Ok(Json(record.select(selection.user_id.as_deref(), selection.r#type.as_deref())))
}

pub async fn forget(State(app): Shared, Params(selection): Params<Selection>) -> Answer {
    let cleared = dev(&app)?.record.lock().clear(selection.user_id.as_deref());
    Ok(Json(json!({ "cleared": cleared })))
}

pub async fn connections(State(app): Shared, Params(selection): Params<Selection>) -> Answer {
    let user = selection.user_id.as_deref();
    let handshakes = dev(&app)?.handshakes(user);
    Ok(Json(json!({
        "open": app.hub.connections(user).len(),
        "accepted": handshakes.accepted,
        "refused": handshakes.refused,
    })))
}

#[derive(Deserialize)]
pub struct WhoseMessages {
    user_id: String,
}

pub async fn processed_messages(
    State(app): Shared,
    Params(WhoseMessages { user_id }): Params<WhoseMessages>,
) -> Result<Json<Vec<Processed>>, Problem> {
    Ok(Json(app.store().run(move |database| processed(database, &user_id)).await?))
}

#[derive(Deserialize)]
pub struct ForgetRequest {
    user_id: String,
    stream: Option<String>,
    #[serde(flatten)]
    what: Forgettable,
}

pub async fn forget_history(State(app): Shared, Body(request): Body<ForgetRequest>) -> Answer {
    let ForgetRequest { user_id, stream, what } = request;
    let forget = move |database: &_| forget_events(database, &user_id, stream.as_deref().unwrap_or(USER_STREAM), what);
    let (forgotten, upto) = app.store().run(forget).await?;
    Ok(Json(json!({ "forgotten": forgotten, "upto": upto })))
}

fn dev(app: &App) -> Result<&Dev, Problem> {
    app.dev.as_ref().ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "only with --dev"))
}

/// Codes that mean "there was no close frame" must not be in one.
fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

/// A control frame has room for 125 bytes, two of which are the code.
const MAX_REASON_BYTES: usize = 123;

/// Longer refusals than an hour are a typing error.
const MAX_REFUSAL_MS: u64 = 3_600_000;

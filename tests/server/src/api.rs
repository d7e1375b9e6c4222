//! The HTTP side for the application: push events, make matches, read history; and for operators: health, metrics.

use std::{fmt, sync::Arc};

use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use everwire_axum::{Audience, Context, Engine, Event, Hub, MAX_USER_BYTES, Room, envelope, is_stored};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    app::App,
    conversations, masterx,
    matches::MatchError,
    messages::{self, MatchStatus},
    metrics,
    problem::{Body, Params, Part, Problem},
    rooms,
};

type Shared = State<Arc<App>>;
type Answer = Result<Json<Value>, Problem>;

/// An event for a user, a session, a match, or everyone.
#[derive(Deserialize)]
pub struct Push {
    r#type: String,
    #[serde(default)]
    data: Map<String, Value>,
    user_id: Option<String>,
    session_id: Option<String>,
    match_id: Option<String>,
}

impl Push {
    pub fn to_user(user: &str, kind: &str, data: Map<String, Value>) -> Self {
        Self { r#type: kind.to_owned(), data, user_id: Some(user.to_owned()), session_id: None, match_id: None }
    }

    pub fn to_session(session: &str, kind: &str, data: Map<String, Value>) -> Self {
        Self { r#type: kind.to_owned(), data, user_id: None, session_id: Some(session.to_owned()), match_id: None }
    }

    /// Queues the event and says for how many connections. Where it is stored for someone, it is so on return.
    pub async fn deliver(self, app: &App) -> Result<usize, Problem> {
        let place = self.place()?;
        if let (Place::User(user), Some(dev)) = (&place, &app.dev)
            && dev.fails_pushes_to(user)
        {
            return Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "pushes fail on command"));
        }
        let to = place.to_string();
        let kind = self.r#type.clone();
        let delivered = self.deliver_to(place, app).await?;
        app.trail.pushed(&kind, &to, delivered);
        Ok(delivered)
    }

    async fn deliver_to(self, place: Place, app: &App) -> Result<usize, Problem> {
        if is_stored(&self.r#type) {
            let event = Event::new(&self.r#type, &self.data);
            let whom = place.clone();
            // Asked where it is certain: another process may have stored just now that someone's events are.
            let publish = move |context: &mut Context<'_>| {
                let audience = whom.audience(context.hub());
                let is_stored = !audience.streamed.is_empty();
                is_stored.then(|| context.publish_to(&audience, &event, None)).transpose()
            };
            if let Some(delivered) = app.store().transact(publish).await? {
                return Ok(delivered);
            }
        }
        let event = envelope::event(&self.r#type, &self.data);
        Ok(match place {
            Place::User(user) => app.hub.tell_user(&user, None, &self.r#type, &event),
            Place::Room(room) => app.hub.tell_room(&room, None, &self.r#type, &event),
            Place::Everyone => app.hub.tell_all(&self.r#type, &event),
        })
    }

    fn place(&self) -> Result<Place, Problem> {
        match (&self.user_id, &self.session_id, &self.match_id) {
            (Some(user), None, None) => Ok(Place::User(user.as_str().into())),
            (None, Some(session), None) => Ok(Place::Room(rooms::session(session))),
            (None, None, Some(id)) => Ok(Place::Room(rooms::of_match(id))),
            (None, None, None) => Ok(Place::Everyone),
            _ => Err(Problem::bad_request("give one of `user_id`, `session_id` and `match_id` at most")),
        }
    }
}

/// Where a pushed event goes.
#[derive(Clone)]
enum Place {
    User(Arc<str>),
    Room(Room),
    Everyone,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => write!(formatter, "user:{user}"),
            Self::Room(room) => room.fmt(formatter),
            Self::Everyone => formatter.write_str("everyone"),
        }
    }
}

impl Place {
    fn audience(&self, hub: &Hub) -> Audience {
        match self {
            Self::User(user) => hub.audience_of_user(user),
            Self::Room(room) => hub.audience(room, None),
            Self::Everyone => hub.everyone(),
        }
    }
}

/// `POST /api/events`
pub async fn push(State(app): Shared, headers: HeaderMap, Body(push): Body<Push>) -> Answer {
    check_app_key(&app, &headers)?;
    let checked = masterx::check_pushed(&push.r#type, &push.data);
    let flaw = checked.err().or_else(|| Event::new(&push.r#type, &push.data).flaw().map(str::to_owned));
    if let Some(flaw) = flaw {
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, flaw));
    }
    Ok(Json(json!({ "delivered": push.deliver(&app).await? })))
}

#[derive(Deserialize)]
pub struct NewMatch {
    match_id: String,
    users: [String; 2],
    status: Option<MatchStatus>,
}

impl NewMatch {
    /// Stores the match.
    pub async fn make(self, app: &App) -> Answer {
        let [first, second] = &self.users;
        let bad = |id: &String| id.is_empty() || id.len() > MAX_USER_BYTES;
        if bad(&self.match_id) || bad(first) || bad(second) || first == second {
            return Err(Problem::bad_request(format!(
                "ids must have 1 to {MAX_USER_BYTES} bytes, and users must differ"
            )));
        }
        match app.matches.make(&self.match_id, self.users, self.status.unwrap_or(MatchStatus::Active)).await {
            Ok(()) => Ok(Json(json!({ "match_id": self.match_id }))),
            Err(MatchError::Taken) => Err(Problem::new(StatusCode::CONFLICT, "this match is between other users")),
            Err(MatchError::Store(error)) => Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())),
        }
    }
}

/// `POST /api/matches`
pub async fn new_match(State(app): Shared, headers: HeaderMap, Body(new): Body<NewMatch>) -> Answer {
    check_app_key(&app, &headers)?;
    new.make(&app).await
}

#[derive(Deserialize)]
pub struct NewStatus {
    status: MatchStatus,
}

/// Changes the status of a match.
pub async fn set_status(app: &App, match_id: &str, status: MatchStatus) -> Answer {
    match app.matches.set_status(match_id, status).await? {
        Some(changed) => Ok(Json(json!({ "match_id": match_id, "status": status.as_str(), "changed": changed }))),
        None => Err(Problem::new(StatusCode::NOT_FOUND, "no such match")),
    }
}

/// `POST /api/matches/{id}/status`
pub async fn match_status(
    State(app): Shared,
    headers: HeaderMap,
    Part(match_id): Part<String>,
    Body(new): Body<NewStatus>,
) -> Answer {
    check_app_key(&app, &headers)?;
    set_status(&app, &match_id, new.status).await
}

/// `GET /api/matches`, with the token of a user: their conversations.
pub async fn conversations(State(app): Shared, headers: HeaderMap, Params(page): Params<Page>) -> Answer {
    let user = user_of(&app, &headers)?;
    let limit = page.limit.unwrap_or(MAX_PAGE).clamp(1, MAX_PAGE);
    let listed = user.clone();
    let mut matches = app.store().run(move |database| conversations::of_user(database, &listed, limit)).await?;
    for conversation in &mut matches {
        conversation.online = app.hub.is_online(&conversation.user_id);
    }
    Ok(Json(json!({ "matches": matches })))
}

#[derive(Deserialize)]
pub struct Page {
    before: Option<i64>,
    limit: Option<u32>,
}

/// `GET /api/matches/{id}/messages`, with the token of one of the two users.
pub async fn history(
    State(app): Shared,
    headers: HeaderMap,
    Part(match_id): Part<String>,
    Params(page): Params<Page>,
) -> Answer {
    let user = user_of(&app, &headers)?;
    if app.matches.partner(&match_id, &user).is_none() {
        return Err(Problem::new(StatusCode::FORBIDDEN, "not a match of yours"));
    }
    let limit = page.limit.unwrap_or(DEFAULT_PAGE).clamp(1, MAX_PAGE);
    let messages = app
        .store()
        .run(move |database| messages::history(database, &match_id, page.before, limit))
        .await
        .map_err(|error| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    let next = (messages.len() == limit as usize).then(|| messages.first().map(|first| first.id.clone()));
    Ok(Json(json!({ "messages": messages, "next_before": next })))
}

/// `GET /healthz`
pub async fn health(State(app): Shared, engine: Extension<Arc<Engine>>) -> Response {
    let (status, word) = condition(&app, &engine).await;
    let mut health = json!({ "status": word, "connections": app.hub.len() });
    if let Some(node) = &app.options.node {
        health["node"] = node.as_str().into();
    }
    (status, Json(health)).into_response()
}

/// `GET /health`: the same in the words of the systems that this server takes the place of.
pub async fn health_of_originals(State(app): Shared, engine: Extension<Arc<Engine>>) -> Response {
    let (status, _) = condition(&app, &engine).await;
    let word = if status == StatusCode::OK { "healthy" } else { "unhealthy" };
    (status, Json(json!({ "status": word, "websocket": "enabled", "connections": app.hub.len() }))).into_response()
}

async fn condition(app: &App, engine: &Engine) -> (StatusCode, &'static str) {
    if engine.is_draining() {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining");
    }
    if app.store().is_healthy().await {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "no database")
    }
}

/// `GET /metrics`
pub async fn scrape(State(app): Shared) -> Response {
    match app.render_metrics() {
        Ok(text) => ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(error) => Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// Whose token it is.
pub fn user_of(app: &App, headers: &HeaderMap) -> Result<Arc<str>, Problem> {
    let ticket = app.tokens.check(bearer(headers));
    ticket.map(|ticket| ticket.user).map_err(|error| Problem::new(StatusCode::UNAUTHORIZED, error.as_str()))
}

fn check_app_key(app: &App, headers: &HeaderMap) -> Result<(), Problem> {
    let Some(key) = &app.options.app_key else {
        return Err(Problem::new(StatusCode::NOT_FOUND, "no --app-key was given"));
    };
    match bearer(headers) {
        Some(given) if same(given.as_bytes(), key.as_bytes()) => Ok(()),
        _ => Err(Problem::new(StatusCode::UNAUTHORIZED, "wrong or no key")),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

/// Compares in a time that does not tell how much of a guess was right.
fn same(given: &[u8], expected: &[u8]) -> bool {
    given.len() == expected.len() && given.iter().zip(expected).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

const DEFAULT_PAGE: u32 = 50;
const MAX_PAGE: u32 = 200;

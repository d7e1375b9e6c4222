//! The CoLabMatch events: matches, stored messages, typing, read receipts, presence.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use everwire_axum::{
    Action, Answer, Connection, Context, DatabaseResult, Envelope, Event, Outgoing, Refusal, Room, envelope, payload,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    app::App,
    match_status,
    messages::{self, Draft, Inserted, MatchStatus, Read},
    rooms,
    typing::Typist,
};

#[derive(Deserialize)]
struct JoinMatch {
    match_id: String,
}

#[derive(Deserialize)]
struct SendMessage {
    match_id: String,
    content: String,
    client_id: Option<String>,
}

#[derive(Deserialize)]
struct Typing {
    match_id: String,
    is_typing: bool,
}

#[derive(Deserialize)]
struct ReadMessage {
    message_id: String,
    match_id: String,
}

/// `join_match`; the answer says whether the other user is there.
pub fn join(app: &App, from: &Connection, request: Envelope) -> Result<Action, Refusal> {
    let JoinMatch { match_id } = payload(&request.data)?;
    let partner = app.matches.partner(&match_id, &from.user).ok_or_else(not_allowed)?;
    if let Some(status) = inactive(app, from, &match_id) {
        // Who was away when it changed, at most once, has not heard of it.
        from.deliver(&envelope::event("session_update", &match_status::update(&match_id, status)));
        return Err(messages::not_active());
    }
    let room = rooms::of_match(&match_id);
    app.hub.join(from, room.clone())?;
    Ok(Action::Join { room, answer: Some(online_status(&partner, app.hub.is_online(&partner))) })
}

/// `send_message`
pub fn send(app: &App, from: &Connection, request: Envelope) -> Result<Action, Refusal> {
    let SendMessage { match_id, content, client_id } = payload(&request.data)?;
    check_active(app, from, &match_id)?;
    let room = rooms::of_match(&match_id);
    stop_typing(app, &Typist { match_id: match_id.as_str().into(), user: from.user.clone() });
    let draft = Draft { match_id, sender_id: from.user.to_string(), content, client_id };
    let stored_in = room.clone();
    let effect = Action::effect(move |context| store(context, &stored_in, draft));
    Ok(effect.of_member(&app.hub, from, &room, not_joined()))
}

/// `typing`
pub fn typing(app: &App, from: &Connection, request: Envelope) -> Result<Action, Refusal> {
    let Typing { match_id, is_typing } = payload(&request.data)?;
    check_active(app, from, &match_id)?;
    let room = rooms::of_match(&match_id);
    if !app.hub.is_member(&from.user, &room) {
        return Err(not_joined());
    }
    let typist = Typist { match_id: match_id.into(), user: from.user.clone() };
    if is_typing {
        app.hub.tell_room(&room, Some(from.id), "user_typing", &typing_event("user_typing", &typist));
        app.typists.lock().press(typist, from.id, Instant::now());
    } else {
        stop_typing(app, &typist);
    }
    Ok(Action::Done)
}

/// `read_message`
pub fn read(app: &App, from: &Connection, request: Envelope) -> Result<Action, Refusal> {
    let ReadMessage { message_id, match_id } = payload(&request.data)?;
    check_active(app, from, &match_id)?;
    let room = rooms::of_match(&match_id);
    let message_id = message_id.parse().map_err(|_| messages::no_such_message())?;
    let read_in = room.clone();
    let read = Action::effect(move |context| mark_read(context, &read_in, &match_id, message_id));
    Ok(read.of_member(&app.hub, from, &room, not_joined()))
}

/// Stores a message and announces it.
fn store(context: &mut Context<'_>, room: &Room, draft: Draft) -> DatabaseResult<Answer> {
    let message = match messages::insert(context.db(), draft)? {
        Inserted::New(message) => {
            let origin = match message.id.parse() {
                Ok(id) => context.origin(Some((room, id)))?,
                Err(_) => None,
            };
            let audience = context.hub().audience(room, None);
            context.publish_to(&audience, &Event::new("new_message", &message), origin)?;
            message
        }
        // The others have it already; the sender is asking because the first answer was lost.
        Inserted::Again(message) => {
            if !context.request() {
                context.answer("new_message", &message);
            }
            message
        }
        Inserted::NotActive => return Ok(Err(messages::not_active())),
    };
    Ok(Ok(match serde_json::to_value(message) {
        Ok(Value::Object(message)) => message,
        _ => Map::new(),
    }))
}

/// Stores a read receipt and announces it.
fn mark_read(context: &mut Context<'_>, room: &Room, match_id: &str, message_id: i64) -> DatabaseResult<Answer> {
    let reader = context.user();
    match messages::read(context.db(), match_id, reader, message_id)? {
        Read::Now(read_at) => {
            let audience = context.hub().audience(room, None);
            let event = Event::new("message_read", &messages::read_event(match_id, message_id, &read_at));
            context.publish_to(&audience, &event, None)?;
            context.read(room, reader, message_id)?;
        }
        Read::Already => {}
        Read::NoSuchMessage => return Ok(Err(messages::no_such_message())),
    }
    Ok(Ok(Map::new()))
}

/// A user has come online or has gone.
pub fn presence(app: &App, user: &str, online: bool) {
    let partners = app.matches.partners(user);
    if partners.is_empty() {
        return;
    }
    for id in app.matches.of_user(user) {
        app.hub.set_changed(rooms::of_match(&id));
    }
    let event = online_status(user, online);
    for partner in partners {
        app.hub.deliver_to_user(&partner, &event);
    }
}

/// Ends a user's typing in the rooms that they have just left.
pub fn left(app: &App, user: &Arc<str>, rooms: &[Room]) {
    for room in rooms {
        if let Some(match_id) = rooms::match_id(room) {
            stop_typing(app, &Typist { match_id: match_id.into(), user: user.clone() });
        }
    }
}

/// Announces typists who have stopped by themselves, for as long as the server runs.
pub async fn announce_stops(app: Arc<App>) {
    loop {
        tokio::time::sleep(TYPING_RESOLUTION).await;
        let stopped = || app.typists.lock().take_stopped(Instant::now());
        while let Some((typist, connection)) = stopped() {
            announce_stop(&app, &typist, connection);
        }
    }
}

fn stop_typing(app: &App, typist: &Typist) {
    let stopped = app.typists.lock().stop(typist);
    if let Some(connection) = stopped {
        announce_stop(app, typist, connection);
    }
}

/// The connection on which they were typing has not been told that they were.
fn announce_stop(app: &App, typist: &Typist, connection: u64) {
    let room = rooms::of_match(&typist.match_id);
    app.hub.tell_room(&room, Some(connection), "typing_stopped", &typing_event("typing_stopped", typist));
}

fn typing_event(kind: &str, typist: &Typist) -> Outgoing {
    envelope::event(kind, &json!({ "match_id": &*typist.match_id, "user_id": &*typist.user }))
}

fn online_status(user: &str, online: bool) -> Outgoing {
    envelope::event("user_online_status", &json!({ "user_id": user, "online": online }))
}

/// Strangers are not told whether a match is active.
fn check_active(app: &App, from: &Connection, match_id: &str) -> Result<(), Refusal> {
    inactive(app, from, match_id).map_or(Ok(()), |_| Err(messages::not_active()))
}

/// The status of a match of this user that is not active.
fn inactive(app: &App, from: &Connection, match_id: &str) -> Option<MatchStatus> {
    app.matches.status(match_id, &from.user).filter(|status| *status != MatchStatus::Active)
}

fn not_joined() -> Refusal {
    Refusal::new("not_joined", "join the match first")
}

/// The same for a match of others and for none, which is not for strangers to tell apart.
fn not_allowed() -> Refusal {
    Refusal::new("not_allowed", "not a match of yours")
}

/// How exactly the two seconds of typing are kept.
const TYPING_RESOLUTION: Duration = Duration::from_millis(50);

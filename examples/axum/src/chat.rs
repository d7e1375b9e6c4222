//! The messages of the chat. Each handler runs in the transaction that makes its message processed.

use everwire_axum::{Context, Message, Refuse, Room, clock};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// Made at the start.
pub const TABLES: &str = "CREATE TABLE IF NOT EXISTS chat_messages (
    id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    content TEXT NOT NULL
)";

#[derive(Deserialize)]
pub struct Join {
    session_id: String,
}

impl Message for Join {
    const TYPE: &str = "join_session";
}

#[derive(Deserialize)]
pub struct Leave {
    session_id: String,
}

impl Message for Leave {
    const TYPE: &str = "leave_session";
}

#[derive(Deserialize)]
pub struct MessageSent {
    session_id: String,
    message: Content,
}

#[derive(Deserialize)]
struct Content {
    id: String,
    content: String,
}

impl Message for MessageSent {
    const TYPE: &str = "message_sent";
}

#[derive(Deserialize)]
#[serde(transparent)]
pub struct Echo(Map<String, Value>);

impl Message for Echo {
    const TYPE: &str = "echo";
}

/// The user gets the events of the session from now on, also those of the time when they are away.
pub fn join(ctx: &mut Context<'_>, Join { session_id }: Join) -> Result<(), Refuse> {
    ctx.join(&room(&session_id)?)
}

pub fn leave(ctx: &mut Context<'_>, Leave { session_id }: Leave) -> Result<(), Refuse> {
    Ok(ctx.leave(&room(&session_id)?)?)
}

/// Stores the message, and an event for everyone in the session. Both happen once, however often the message comes.
pub fn message(ctx: &mut Context<'_>, sent: MessageSent) -> Result<(), Refuse> {
    let MessageSent { session_id, message: Content { id, content } } = sent;
    let room = room(&session_id)?;
    if !ctx.joined(&room)? {
        return Err(Refuse::saying("not_joined", "join the session first"));
    }
    ctx.db().execute(
        "INSERT INTO chat_messages (id, session_id, user_id, content) VALUES (?1, ?2, ?3, ?4)",
        &[&id, &session_id, &ctx.user(), &content],
    )?;
    let message = json!({
        "id": id, "content": content, "role": "user", "timestamp": clock::iso(), "user_id": ctx.user(), "session_id": session_id,
    });
    Ok(ctx.publish_to_room(&room, "message_received", &json!({ "message": message }))?)
}

/// Answers with what it was given, for whoever tries things out.
pub fn echo(ctx: &mut Context<'_>, Echo(data): Echo) -> Result<Map<String, Value>, Refuse> {
    if !ctx.request() {
        ctx.answer("echo", &data);
    }
    Ok(data)
}

fn room(session_id: &str) -> Result<Room, Refuse> {
    if (1..=128).contains(&session_id.len()) {
        Ok(Room::new(&format!("session:{session_id}")))
    } else {
        Err(Refuse::saying("malformed", "`session_id` must have 1 to 128 bytes"))
    }
}

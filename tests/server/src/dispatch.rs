//! From a text frame to what it causes.

use tokio_tungstenite::tungstenite::Message;

use crate::{
    clock,
    connection::Connection,
    envelope::{self, Envelope},
    masterx,
    reply::Refusal,
    server::App,
};

/// Handles a text frame and returns the direct answer, if it has one.
pub fn text(app: &App, from: &Connection, text: &str) -> Option<Message> {
    let envelope = match envelope::parse(text) {
        Ok(envelope) => envelope,
        Err(malformed) => {
            app.record_malformed(from, text);
            return answer(from, Some(Refusal::from(malformed).to_event(None)));
        }
    };
    app.record(from, &envelope);
    if from.is_silent() {
        return None;
    }
    let about = envelope.kind.clone();
    match event(app, from, envelope) {
        Ok(reply) => answer(from, reply),
        Err(refusal) => answer(from, Some(refusal.to_event(Some(&about)))),
    }
}

fn event(app: &App, from: &Connection, envelope: Envelope) -> Result<Option<Message>, Refusal> {
    let hub = &app.hub;
    match envelope.kind.as_str() {
        "ping" => return Ok(Some(pong())),
        "echo" => return Ok(Some(envelope::event("echo", &envelope.data))),
        "join_session" => masterx::join(hub, from, envelope)?,
        "leave_session" => masterx::leave(hub, from, envelope)?,
        "user_typing" => masterx::typing(hub, from, envelope)?,
        "message_sent" => masterx::message(hub, from, envelope)?,
        unknown => {
            return Err(Refusal::new("unknown_type", format!("unknown type `{unknown}`")));
        }
    }
    Ok(None)
}

fn pong() -> Message {
    envelope::event("pong", &serde_json::json!({ "timestamp": clock::iso() }))
}

/// A connection that was silenced while its message was being handled stays silent.
fn answer(from: &Connection, reply: Option<Message>) -> Option<Message> {
    reply.filter(|_| !from.is_silent())
}

//! From a text frame to what it causes.

use std::{sync::Arc, time::Instant};

use serde_json::json;

use crate::{
    action::Action,
    app::App,
    clock, colabmatch,
    connection::Connection,
    ending::Ending,
    envelope::{self, Envelope, Malformed},
    masterx,
    outgoing::Outgoing,
    reliable::{MAX_HELLO_BYTES, Numbers, SEQUENCE_SLACK_BYTES},
    reply::Refusal,
    sender::Sender,
};

/// Handles a text frame and returns the direct answer, if it has one, or why the connection has to end.
pub async fn text(
    app: &App,
    from: &Arc<Connection>,
    sender: &mut Option<Sender>,
    text: &str,
) -> Result<Option<Outgoing>, Ending> {
    let started = Instant::now();
    let (numbers, envelope) = envelope::frame(text);
    check_size(app, text, numbers, &envelope)?;
    match &envelope {
        Ok(envelope) => app.received(from, envelope, text.len()),
        Err(_) => app.received_malformed(from, text),
    }
    if from.is_silent() {
        return Ok(None);
    }
    let kind = envelope.as_ref().ok().map(|envelope| envelope.kind.clone());
    // In boxes, so that connections that never need them do not hold the room for them.
    let result = match (envelope, numbers) {
        (Ok(hello), _) if hello.kind == "hello" => Box::pin(Sender::hello(app, from, sender, &hello.data)).await?,
        (envelope, Numbers::Absent) => {
            let is_held_up = sender.as_ref().is_some_and(Sender::is_held_up);
            event(app, from, is_held_up, envelope).await
        }
        (envelope, numbers) => Box::pin(Sender::message(app, from, sender.as_mut(), numbers, envelope)).await?,
    };
    let reply = result.unwrap_or_else(|refusal| {
        app.metrics.error(refusal.code);
        Some(refusal.to_event(kind.as_deref()))
    });
    app.metrics.received(kind.as_deref().unwrap_or("malformed"), started.elapsed());
    // A connection that was silenced while its message was being handled stays silent.
    Ok(reply.filter(|_| !from.is_silent()))
}

/// The transport takes whatever a `hello` may need; other messages have to be smaller.
fn check_size(app: &App, text: &str, numbers: Numbers, envelope: &Result<Envelope, Malformed>) -> Result<(), Ending> {
    let slack = if numbers == Numbers::Absent { 0 } else { SEQUENCE_SLACK_BYTES };
    let hello = envelope.as_ref().is_ok_and(|envelope| envelope.kind == "hello");
    let max = if hello { MAX_HELLO_BYTES } else { app.options.max_message_bytes.saturating_add(slack) };
    if text.len() > max { Err(Ending::close(1009, "message too large")) } else { Ok(()) }
}

async fn event(
    app: &App,
    from: &Arc<Connection>,
    is_held_up: bool,
    envelope: Result<Envelope, Malformed>,
) -> Result<Option<Outgoing>, Refusal> {
    let kind = envelope.as_ref().map_or("", |envelope| envelope.kind.as_str());
    // Messages before it wait for the rate limit, and it may not overtake them.
    let allow_message = || !is_held_up && app.limits.allow_message(&from.user);
    let allowed = match kind {
        "ping" => app.limits.allow_ping(&from.user),
        // A client that has been away joins again before anything else, and nothing would tell it to do so later.
        "join_session" | "join_match" if from.has_said_hello() && !is_held_up => {
            allow_message() || app.limits.allow_ping(&from.user)
        }
        _ => allow_message(),
    };
    if !allowed {
        return Err(rate_limited());
    }
    prepare(app, from, envelope)?.carry_out(app, from).await
}

/// Whether a message may be done, and what it does then.
pub fn prepare(app: &App, from: &Connection, envelope: Result<Envelope, Malformed>) -> Result<Action, Refusal> {
    let envelope = envelope?;
    let hub = &app.hub;
    match envelope.kind.as_str() {
        "ping" => Ok(Action::Answer { kind: "pong", data: pong() }),
        "echo" => Ok(Action::Answer { kind: "echo", data: envelope.data }),
        "join_session" => masterx::join(hub, from, envelope),
        "leave_session" => masterx::leave(hub, from, envelope),
        "user_typing" => masterx::typing(hub, from, envelope),
        "message_sent" => masterx::message(app, from, envelope),
        "join_match" => colabmatch::join(app, from, envelope),
        "send_message" => colabmatch::send(app, from, envelope),
        "typing" => colabmatch::typing(app, from, envelope),
        "read_message" => colabmatch::read(app, from, envelope),
        unknown => Err(Refusal::new("unknown_type", format!("unknown type `{unknown}`"))),
    }
}

fn pong() -> serde_json::Map<String, serde_json::Value> {
    let mut data = serde_json::Map::new();
    data.insert("timestamp".into(), json!(clock::iso()));
    data
}

fn rate_limited() -> Refusal {
    Refusal::new("rate_limited", "rate limit exceeded; the message was not processed")
}

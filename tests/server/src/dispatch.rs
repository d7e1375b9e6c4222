//! From a text frame to what it causes.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use serde_json::{Value, json, value::to_raw_value};

use crate::{
    action::Action,
    app::App,
    clock, colabmatch,
    connection::Connection,
    ending::Ending,
    envelope::{self, Envelope},
    intake::Intake,
    limits::Class,
    masterx,
    outgoing::Outgoing,
    reliable::{Numbers, SEQUENCE_SLACK_BYTES},
    reply::{self, Refusal},
    sender::Sender,
    trail::{Arrival, Outcome},
};

/// Handles a text frame and returns the direct answer, if it has one, or why the connection has to end.
pub async fn text(
    app: &App,
    from: &Arc<Connection>,
    intake: &mut Intake,
    text: &str,
) -> Result<Option<Outgoing>, Ending> {
    let arrival = Arrival::now(Some(text.len()));
    let (numbers, envelope) = envelope::frame(text);
    match &envelope {
        Ok(envelope) => app.received(from, envelope),
        Err(_) => app.received_malformed(from, text),
    }
    let named = envelope.as_ref().ok().map(|envelope| envelope.kind.clone());
    let dealt_with = |outcome| app.trail.message(from, named.as_deref(), None, arrival, outcome);
    let ended = |ending: &Ending| dealt_with(Outcome::closed(ending));
    let envelope = check_size(app, text, numbers, envelope.map_err(Refusal::from)).inspect_err(ended)?;
    if from.is_silent() {
        dealt_with(Outcome::Ignored);
        return Ok(None);
    }
    let kind = envelope.as_ref().ok().map(|envelope| envelope.kind.clone());
    let is_numbered = numbers != Numbers::Absent;
    // In boxes, so that connections that never need them do not hold the room for them.
    let result = match (envelope, numbers) {
        // With a number it is a message like any other, which this server does not know.
        (Ok(hello), Numbers::Absent) if hello.kind == "hello" => {
            Box::pin(Sender::hello(app, from, &mut intake.sender, &hello.data)).await.inspect_err(ended)?
        }
        (Ok(ping), Numbers::Absent) if ping.kind == "ping" => {
            if app.limits.allow_ping(&from.user) {
                Ok(Some(pong()))
            } else {
                intake.late_pong = Some(Box::pin(app.limits.clone().next_ping(from.user.clone())));
                Ok(None)
            }
        }
        (envelope, Numbers::Absent) => event(app, from, intake.holds_messages(), envelope).await,
        (envelope, numbers) => {
            let message = Sender::message(app, from, intake.sender.as_mut(), (numbers, envelope, arrival));
            Box::pin(message).await.inspect_err(ended)?;
            Ok(None)
        }
    };
    // Of one with a number it is told when it is processed.
    if !is_numbered {
        dealt_with(result.as_ref().map_or_else(|refusal| Outcome::Refused(refusal.code), |_| Outcome::Processed));
    }
    let reply = result.unwrap_or_else(|refusal| {
        app.metrics.error(refusal.code);
        Some(refusal.to_event(kind.as_deref()))
    });
    app.metrics.received(kind.as_deref().unwrap_or("malformed"), arrival.elapsed());
    // A connection that was silenced while its message was being handled stays silent.
    Ok(reply.filter(|_| !from.is_silent()))
}

/// Handles a message that was too large for more than its numbers to be kept.
pub async fn too_large(app: &App, from: &Arc<Connection>, intake: &mut Intake, numbers: Numbers) -> Result<(), Ending> {
    from.heard();
    if from.is_silent() {
        return Ok(());
    }
    let arrival = Arrival::now(None);
    let refusal = refuse_size(numbers)?;
    app.metrics.received("malformed", Duration::ZERO);
    Box::pin(Sender::message(app, from, intake.sender.as_mut(), (numbers, Err(refusal), arrival))).await
}

/// The transport takes whatever a `hello` may need; other messages have to be smaller.
fn check_size(
    app: &App,
    text: &str,
    numbers: Numbers,
    envelope: Result<Envelope, Refusal>,
) -> Result<Result<Envelope, Refusal>, Ending> {
    let slack = if numbers == Numbers::Absent { 0 } else { SEQUENCE_SLACK_BYTES };
    let hello = numbers == Numbers::Absent && envelope.as_ref().is_ok_and(|envelope| envelope.kind == "hello");
    if hello || text.len() <= app.options.max_message_bytes.saturating_add(slack) {
        return Ok(envelope);
    }
    refuse_size(numbers).map(Err)
}

/// One that can be acknowledged is refused like any other. Of one that cannot, nothing but the end of the connection tells its client.
fn refuse_size(numbers: Numbers) -> Result<Refusal, Ending> {
    match numbers {
        Numbers::Absent => Err(Ending::close(1009, reply::TOO_LARGE)),
        Numbers::Present(_) | Numbers::Wrong => Ok(reply::too_large()),
    }
}

async fn event(
    app: &App,
    from: &Arc<Connection>,
    is_held_up: bool,
    envelope: Result<Envelope, Refusal>,
) -> Result<Option<Outgoing>, Refusal> {
    let kind = envelope.as_ref().map_or("", |envelope| envelope.kind.as_str());
    // Messages before it wait for the rate limit, and it may not overtake them.
    let allow_message = || !is_held_up && app.limits.allow(&from.user, Class::of(kind));
    let allowed = match kind {
        // A client that has been away joins again before anything else, and nothing would tell it to do so later.
        "join_session" | "join_match" if from.has_said_hello() && !is_held_up => {
            allow_message() || app.limits.allow_ping(&from.user)
        }
        _ => allow_message(),
    };
    if !allowed {
        return Err(rate_limited());
    }
    let action = prepare(app, from, envelope)?;
    let movement = action.movement();
    let answer = action.carry_out(app, from).await?;
    if let Some(movement) = movement {
        app.trail.moved(from, &movement);
    }
    Ok(answer)
}

/// Whether a message may be done, and what it does then. A handler that panics has refused it.
pub fn prepare(app: &App, from: &Connection, envelope: Result<Envelope, Refusal>) -> Result<Action, Refusal> {
    let envelope = envelope?;
    guarded(|| handle(app, from, envelope))
}

fn guarded<T>(handler: impl FnOnce() -> Result<T, Refusal>) -> Result<T, Refusal> {
    catch_unwind(AssertUnwindSafe(handler)).unwrap_or_else(|_| {
        tracing::error!("a handler panicked");
        Err(reply::internal())
    })
}

fn handle(app: &App, from: &Connection, envelope: Envelope) -> Result<Action, Refusal> {
    let hub = &app.hub;
    match envelope.kind.as_str() {
        "ping" => match to_raw_value(&pong_data()) {
            Ok(data) => Ok(Action::Answer { kind: "pong", data }),
            Err(_) => Err(reply::internal()),
        },
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

/// The answer to a ping.
pub fn pong() -> Outgoing {
    envelope::event("pong", &pong_data())
}

fn pong_data() -> Value {
    json!({ "timestamp": clock::iso() })
}

fn rate_limited() -> Refusal {
    Refusal::new("rate_limited", reply::RATE_LIMITED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handler_that_panics_has_refused_the_message() {
        assert_eq!(guarded(|| Ok(7)), Ok(7));
        assert_eq!(guarded::<()>(|| panic!("a bug, on purpose")), Err(reply::internal()));
    }
}

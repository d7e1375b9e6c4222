//! From a text frame to what it causes.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json, value::to_raw_value};

use crate::{
    action::Action,
    clock,
    connection::Connection,
    ending::Ending,
    engine::Engine,
    envelope,
    frame::{self, Envelope},
    intake::Intake,
    metrics::{Arrival, Outcome},
    outgoing::Outgoing,
    panics,
    refusal::{self, Refusal},
    reliable::{Numbers, SEQUENCE_SLACK_BYTES},
    sender::Sender,
};

/// Handles a text frame and returns the direct answer, if it has one, or why the connection has to end.
pub async fn text(
    engine: &Engine,
    from: &Arc<Connection>,
    intake: &mut Intake,
    text: &str,
) -> Result<Option<Outgoing>, Ending> {
    let arrival = Arrival::now(Some(text.len()));
    let (numbers, envelope) = frame::frame(text);
    match &envelope {
        Ok(envelope) => engine.application.received(from, envelope),
        Err(_) => engine.application.received_malformed(from, text),
    }
    let named = envelope.as_ref().ok().map(|envelope| envelope.kind.clone());
    let dealt_with = |outcome| engine.metrics.message(from, named.as_deref(), None, arrival, outcome);
    let ended = |ending: &Ending| dealt_with(Outcome::closed(ending));
    let envelope = check_size(engine, text, numbers, envelope.map_err(Refusal::from)).inspect_err(ended)?;
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
            Box::pin(Sender::hello(engine, from, &mut intake.sender, &hello.data)).await.inspect_err(ended)?
        }
        (Ok(ping), Numbers::Absent) if ping.kind == "ping" => {
            if engine.rates.allow_ping(&from.user) {
                Ok(Some(pong()))
            } else {
                intake.late_pong = Some(Box::pin(engine.rates.clone().next_ping(from.user.clone())));
                Ok(None)
            }
        }
        (envelope, Numbers::Absent) => event(engine, from, intake.holds_messages(), envelope).await,
        (envelope, numbers) => {
            let message = Sender::message(engine, from, intake.sender.as_mut(), (numbers, envelope, arrival));
            Box::pin(message).await.inspect_err(ended)?;
            Ok(None)
        }
    };
    // Of one with a number it is told when it is processed.
    if !is_numbered {
        dealt_with(result.as_ref().map_or_else(|refusal| Outcome::Refused(refusal.code), |_| Outcome::Processed));
    }
    let reply = result.unwrap_or_else(|refusal| {
        engine.metrics.error(refusal.code);
        let mut data = refusal.data(kind.as_deref());
        // The client id of a hello is the client's, and names no message.
        if let Some(data) = data.as_object_mut().filter(|_| kind.as_deref() != Some("hello")) {
            data.extend(names(text));
        }
        Some(envelope::event("error", &data))
    });
    engine.metrics.received(kind.as_deref().unwrap_or("malformed"), arrival.elapsed());
    // A connection that was silenced while its message was being handled stays silent.
    Ok(reply.filter(|_| !from.is_silent()))
}

/// What a message without a number has named, for the `error` about it: its session or match, and its id. It is read once more, because few are refused.
fn names(text: &str) -> impl Iterator<Item = (String, Value)> {
    let data = frame::frame(text).1.ok().and_then(|envelope| serde_json::from_str::<Value>(envelope.data.get()).ok());
    let data = data.unwrap_or_default();
    let id = data["message"].get("id").or_else(|| data.get("client_id")).cloned();
    let named = [
        ("session_id", data.get("session_id").cloned()),
        ("match_id", data.get("match_id").cloned()),
        ("message_id", id),
    ];
    named.into_iter().filter_map(|(name, value)| {
        let is_name = value.as_ref().and_then(Value::as_str).is_some_and(|value| value.len() <= LONGEST_NAME);
        value.filter(|_| is_name).map(|value| (name.to_owned(), value))
    })
}

/// Handles a message that was too large for more than its numbers to be kept.
pub async fn too_large(
    engine: &Engine,
    from: &Arc<Connection>,
    intake: &mut Intake,
    numbers: Numbers,
) -> Result<(), Ending> {
    from.heard();
    if from.is_silent() {
        return Ok(());
    }
    let arrival = Arrival::now(None);
    let refusal = refuse_size(numbers)?;
    engine.metrics.received("malformed", Duration::ZERO);
    Box::pin(Sender::message(engine, from, intake.sender.as_mut(), (numbers, Err(refusal), arrival))).await
}

/// The transport takes whatever a `hello` may need; other messages have to be smaller.
fn check_size(
    engine: &Engine,
    text: &str,
    numbers: Numbers,
    envelope: Result<Envelope, Refusal>,
) -> Result<Result<Envelope, Refusal>, Ending> {
    let slack = if numbers == Numbers::Absent { 0 } else { SEQUENCE_SLACK_BYTES };
    let hello = numbers == Numbers::Absent && envelope.as_ref().is_ok_and(|envelope| envelope.kind == "hello");
    if hello || text.len() <= engine.limits.max_message_bytes.saturating_add(slack) {
        return Ok(envelope);
    }
    refuse_size(numbers).map(Err)
}

/// One that can be acknowledged is refused like any other. Of one that cannot, nothing but the end of the connection tells its client.
fn refuse_size(numbers: Numbers) -> Result<Refusal, Ending> {
    match numbers {
        Numbers::Absent => Err(Ending::close(1009, refusal::TOO_LARGE)),
        Numbers::Present(_) | Numbers::Wrong => Ok(refusal::too_large()),
    }
}

async fn event(
    engine: &Engine,
    from: &Arc<Connection>,
    is_held_up: bool,
    envelope: Result<Envelope, Refusal>,
) -> Result<Option<Outgoing>, Refusal> {
    let kind = envelope.as_ref().map_or("", |envelope| envelope.kind.as_str());
    // Messages before it wait for the rate limit, and it may not overtake them.
    let allow_message = || !is_held_up && engine.rates.allow(&from.user, engine.application.class(kind));
    let allowed = match kind {
        // A client that has been away joins again before anything else, and nothing would tell it to do so later.
        joining if from.has_said_hello() && !is_held_up && engine.application.joins(joining) => {
            allow_message() || engine.rates.allow_ping(&from.user)
        }
        _ => allow_message(),
    };
    if !allowed {
        return Err(rate_limited());
    }
    let action = prepare(engine, from, envelope)?;
    let movement = action.movement();
    let answer = action.carry_out(engine, from).await?;
    if let Some(movement) = movement.filter(|movement| movement.has_happened(&engine.hub, from)) {
        engine.metrics.moved(from, &movement);
    }
    Ok(answer)
}

/// Whether a message may be done, and what it does then. A handler that panics has refused it.
pub fn prepare(
    engine: &Engine,
    from: &Arc<Connection>,
    envelope: Result<Envelope, Refusal>,
) -> Result<Action, Refusal> {
    let envelope = envelope?;
    guarded(|| match envelope.kind.as_str() {
        "ping" => match to_raw_value(&pong_data()) {
            Ok(data) => Ok(Action::Answer { kind: "pong", data }),
            Err(_) => Err(refusal::internal()),
        },
        _ => engine.application.prepare(from, envelope),
    })
}

fn guarded<T>(handler: impl FnOnce() -> Result<T, Refusal>) -> Result<T, Refusal> {
    panics::caught(handler).unwrap_or_else(|| {
        tracing::error!("a handler panicked");
        Err(refusal::internal())
    })
}

/// As long as the name of a room, or an id.
const LONGEST_NAME: usize = 128;

/// The answer to a ping.
pub fn pong() -> Outgoing {
    envelope::event("pong", &pong_data())
}

fn pong_data() -> Value {
    json!({ "timestamp": clock::iso() })
}

fn rate_limited() -> Refusal {
    Refusal::new("rate_limited", refusal::RATE_LIMITED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handler_that_panics_has_refused_the_message() {
        assert_eq!(guarded(|| Ok(7)), Ok(7));
        assert_eq!(guarded::<()>(|| panic!("a bug, on purpose")), Err(refusal::internal()));
    }
}

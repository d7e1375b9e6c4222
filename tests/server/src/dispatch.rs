//! From a text frame to what it causes.

use std::time::Instant;

use serde_json::json;

use crate::{
    app::App,
    clock, colabmatch,
    connection::Connection,
    envelope::{self, Envelope},
    masterx,
    outgoing::Outgoing,
    reply::Refusal,
};

/// Handles a text frame and returns the direct answer, if it has one.
pub async fn text(app: &App, from: &Connection, text: &str) -> Option<Outgoing> {
    let started = Instant::now();
    let reply = match envelope::parse(text) {
        Ok(envelope) => {
            app.received(from, &envelope, text.len());
            if from.is_silent() {
                return None;
            }
            let kind = envelope.kind.clone();
            let reply = event(app, from, envelope).await.unwrap_or_else(|refusal| {
                app.metrics.error(refusal.code);
                Some(refusal.to_event(Some(&kind)))
            });
            app.metrics.received(&kind, started.elapsed());
            reply
        }
        Err(malformed) => {
            app.received_malformed(from, text);
            app.metrics.received("malformed", started.elapsed());
            let refusal = match app.limits.allow_message(&from.user) {
                true => Refusal::from(malformed),
                false => rate_limited(),
            };
            app.metrics.error(refusal.code);
            Some(refusal.to_event(None))
        }
    };
    // A connection that was silenced while its message was being handled stays silent.
    reply.filter(|_| !from.is_silent())
}

async fn event(app: &App, from: &Connection, envelope: Envelope) -> Result<Option<Outgoing>, Refusal> {
    let allowed = match envelope.kind.as_str() {
        "ping" => app.limits.allow_ping(&from.user),
        _ => app.limits.allow_message(&from.user),
    };
    if !allowed {
        return Err(rate_limited());
    }
    let hub = &app.hub;
    match envelope.kind.as_str() {
        "ping" => return Ok(Some(pong())),
        "echo" => return Ok(Some(envelope::event("echo", &envelope.data))),
        "join_session" => masterx::join(hub, from, envelope)?,
        "leave_session" => masterx::leave(hub, from, envelope)?,
        "user_typing" => masterx::typing(hub, from, envelope)?,
        "message_sent" => masterx::message(hub, from, envelope)?,
        "join_match" => return colabmatch::join(app, from, envelope),
        "send_message" => return colabmatch::send(app, from, envelope).await,
        "typing" => colabmatch::typing(app, from, envelope)?,
        "read_message" => colabmatch::read(app, from, envelope).await?,
        unknown => {
            return Err(Refusal::new("unknown_type", format!("unknown type `{unknown}`")));
        }
    }
    Ok(None)
}

fn pong() -> Outgoing {
    envelope::event("pong", &json!({ "timestamp": clock::iso() }))
}

fn rate_limited() -> Refusal {
    Refusal::new("rate_limited", "rate limit exceeded; the message was not processed")
}

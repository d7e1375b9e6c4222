//! What happens, told to the audit trail, the logs and the metrics in one place, so that none of them misses an event.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use everwire_axum::{Arrival, Connection, Ending, Kind, Movement, Outcome};

use crate::{
    audit::{Audit, Entry},
    metrics::Metrics,
};

/// Where events are told.
pub struct Trail {
    audit: Option<Audit>,
    metrics: Arc<Metrics>,
}

impl Trail {
    pub fn new(audit: Option<Audit>, metrics: Arc<Metrics>) -> Self {
        Self { audit, metrics }
    }

    /// The application has sent an event.
    pub fn pushed(&self, kind: &str, to: &str, delivered: usize) {
        tracing::info!(r#type = kind, to, delivered, "pushed");
        self.write(|| Entry::Push { r#type: kind, to, delivered });
    }

    /// The file of the audit trail was moved away.
    pub fn reopen(&self) {
        if let Some(audit) = &self.audit {
            audit.reopen();
        }
    }

    fn write<'a>(&self, entry: impl FnOnce() -> Entry<'a>) {
        if let Some(audit) = &self.audit
            && !audit.write(&entry())
        {
            self.metrics.audit_dropped.inc();
        }
    }
}

/// The port is 0 where a proxy has told the address.
fn address(peer: SocketAddr) -> String {
    if peer.port() == 0 { peer.ip().to_string() } else { peer.to_string() }
}

impl everwire_axum::Metrics for Trail {
    fn connected(&self, connection: &Connection, peer: Option<SocketAddr>) {
        self.metrics.connections.inc();
        self.metrics.accepted.inc();
        let (id, user) = (connection.id, &*connection.user);
        tracing::info!(connection = id, user, "connected");
        self.write(|| Entry::Connect { connection: id, user, peer: peer.map(address) });
    }

    fn disconnected(&self, connection: &Connection, ending: &Ending) {
        let cause = ending.cause();
        let (id, user) = (connection.id, &*connection.user);
        tracing::info!(connection = id, user, cause, "disconnected");
        self.write(|| Entry::Disconnect { connection: id, user, cause: &cause });
        self.metrics.disconnected(cause);
    }

    fn rejected(&self, reason: &'static str, peer: Option<SocketAddr>) {
        self.metrics.rejected(reason);
        tracing::info!(reason, "handshake refused");
        self.write(|| Entry::Rejected { reason, peer: peer.map(address) });
    }

    fn message(&self, from: &Connection, kind: Option<&str>, seq: Option<u64>, arrival: Arrival, outcome: Outcome) {
        self.metrics.dealt_with(arrival.elapsed());
        self.write(|| Entry::Message {
            connection: from.id,
            user: &from.user,
            r#type: kind,
            seq,
            bytes: arrival.bytes,
            outcome: word(outcome),
            code: code(outcome),
        });
    }

    fn moved(&self, connection: &Connection, movement: &Movement) {
        let (id, user) = (connection.id, &*connection.user);
        match movement {
            Movement::Joined(room) => {
                tracing::info!(connection = id, user, %room, "joined");
                self.write(|| Entry::Join { connection: id, user, room: room.to_string() });
            }
            Movement::Left(room) => {
                tracing::info!(connection = id, user, %room, "left");
                self.write(|| Entry::Leave { connection: id, user, room: room.to_string() });
            }
        }
    }

    fn received(&self, kind: &str, took: Duration) {
        self.metrics.received(kind, took);
    }

    fn sent(&self, kind: Kind, waited: Duration) {
        self.metrics.sent(kind, waited);
    }

    fn error(&self, code: &'static str) {
        self.metrics.error(code);
    }

    fn hello(&self, result: &'static str) {
        self.metrics.hello(result);
    }

    fn violation(&self, rule: &'static str) {
        self.metrics.violation(rule);
    }

    fn duplicate(&self) {
        self.metrics.duplicates.inc();
    }

    fn gap(&self) {
        self.metrics.gaps.inc();
    }
}

/// One word for what became of a message.
fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Processed => "processed",
        Outcome::Refused("rate_limited") => "limited",
        Outcome::Refused("malformed") => "malformed",
        Outcome::Refused(_) => "refused",
        Outcome::Duplicate => "duplicate",
        Outcome::Ignored => "ignored",
        Outcome::Closed(_) => "closed",
    }
}

fn code(outcome: Outcome) -> Option<String> {
    match outcome {
        Outcome::Refused(code) => Some(code.to_owned()),
        Outcome::Closed(code) => Some(code.to_string()),
        Outcome::Processed | Outcome::Duplicate | Outcome::Ignored => None,
    }
}

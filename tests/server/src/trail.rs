//! What happens, told to the audit trail, the logs and the metrics in one place, so that none of them misses an event.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    audit::{Audit, Entry},
    connection::Connection,
    ending::Ending,
    hub::Room,
    metrics::Metrics,
};

/// Where events are told.
pub struct Trail {
    audit: Option<Audit>,
    metrics: Arc<Metrics>,
}

/// When a message came in, and how long it was if that is known.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    pub bytes: Option<usize>,
    at: Instant,
}

impl Arrival {
    pub fn now(bytes: Option<usize>) -> Self {
        Self { bytes, at: Instant::now() }
    }

    pub fn elapsed(&self) -> Duration {
        self.at.elapsed()
    }
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Processed,
    /// It was answered with this code.
    Refused(&'static str),
    /// It had been processed before.
    Duplicate,
    /// Its connection was silent on command.
    Ignored,
    /// It has ended its connection, with this close code.
    Closed(u16),
}

impl Outcome {
    pub fn closed(ending: &Ending) -> Self {
        match ending {
            Ending::Close { code, .. } => Self::Closed(*code),
            Ending::Abort | Ending::Gone => Self::Ignored,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Processed => "processed",
            Self::Refused("rate_limited") => "limited",
            Self::Refused("malformed") => "malformed",
            Self::Refused(_) => "refused",
            Self::Duplicate => "duplicate",
            Self::Ignored => "ignored",
            Self::Closed(_) => "closed",
        }
    }

    fn code(self) -> Option<String> {
        match self {
            Self::Refused(code) => Some(code.to_owned()),
            Self::Closed(code) => Some(code.to_string()),
            Self::Processed | Self::Duplicate | Self::Ignored => None,
        }
    }
}

/// A user has joined a room or left it.
#[derive(Clone, Debug)]
pub enum Movement {
    Joined(Room),
    Left(Room),
}

/// A message with a number, told once its transaction is on the disk.
pub struct Note {
    pub from: Arc<Connection>,
    pub kind: Option<String>,
    pub seq: u64,
    pub arrival: Arrival,
    pub outcome: Outcome,
    pub movement: Option<Movement>,
}

impl Trail {
    pub fn new(audit: Option<Audit>, metrics: Arc<Metrics>) -> Self {
        Self { audit, metrics }
    }

    pub fn connected(&self, connection: &Connection, peer: Option<SocketAddr>) {
        self.metrics.connections.inc();
        self.metrics.accepted.inc();
        let (id, user) = (connection.id, &*connection.user);
        tracing::info!(connection = id, user, "connected");
        self.write(|| Entry::Connect { connection: id, user, peer: peer.map(|peer| peer.to_string()) });
    }

    pub fn disconnected(&self, connection: &Connection, cause: String) {
        let (id, user) = (connection.id, &*connection.user);
        tracing::info!(connection = id, user, cause, "disconnected");
        self.write(|| Entry::Disconnect { connection: id, user, cause: &cause });
        self.metrics.disconnected(cause);
    }

    /// A handshake was refused.
    pub fn rejected(&self, reason: &'static str, peer: Option<SocketAddr>) {
        self.metrics.rejected(reason);
        tracing::info!(reason, "handshake refused");
        self.write(|| Entry::Rejected { reason, peer: peer.map(|peer| peer.to_string()) });
    }

    /// A message has been dealt with.
    pub fn message(&self, from: &Connection, kind: Option<&str>, seq: Option<u64>, arrival: Arrival, outcome: Outcome) {
        self.metrics.dealt_with(arrival.elapsed());
        self.write(|| Entry::Message {
            connection: from.id,
            user: &from.user,
            r#type: kind,
            seq,
            bytes: arrival.bytes,
            outcome: outcome.as_str(),
            code: outcome.code(),
        });
    }

    pub fn moved(&self, connection: &Connection, movement: &Movement) {
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

    pub fn noted(&self, note: &Note) {
        if let (Some(movement), Outcome::Processed) = (&note.movement, note.outcome) {
            self.moved(&note.from, movement);
        }
        self.message(&note.from, note.kind.as_deref(), Some(note.seq), note.arrival, note.outcome);
    }

    /// The application has sent an event.
    pub fn pushed(&self, kind: &str, to: &str, delivered: usize) {
        tracing::info!(r#type = kind, to, delivered, "pushed");
        self.write(|| Entry::Push { r#type: kind, to, delivered });
    }

    fn write<'a>(&self, entry: impl FnOnce() -> Entry<'a>) {
        if let Some(audit) = &self.audit
            && !audit.write(&entry())
        {
            self.metrics.audit_dropped.inc();
        }
    }
}

//! What happens, for whoever counts it or writes it down.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{connection::Connection, ending::Ending, hub::Hub, outgoing::Kind, room::Room};

/// A hook for metrics and audit trails: Prometheus, StatsD, OpenTelemetry, a file.
///
/// Its methods are called where things happen, also on the path of every frame: they must be quick and must not block. Those that are not
/// implemented do nothing. None of them is given a token or a payload.
pub trait Metrics: Send + Sync + 'static {
    /// A connection was taken up.
    fn connected(&self, _connection: &Connection, _peer: Option<SocketAddr>) {}

    /// A connection has ended.
    fn disconnected(&self, _connection: &Connection, _ending: &Ending) {}

    /// A handshake was refused.
    fn rejected(&self, _reason: &'static str, _peer: Option<SocketAddr>) {}

    /// A frame was read and answered, or handed on. `kind` is the type of its event, as the client has spelled it, or `malformed`.
    fn received(&self, _kind: &str, _took: Duration) {}

    /// A frame is being written that has waited for so long.
    fn sent(&self, _kind: Kind, _waited: Duration) {}

    /// A message has been dealt with; one with a number is on the disk. `kind` is missing where it could not be read.
    fn message(
        &self,
        _from: &Connection,
        _kind: Option<&str>,
        _seq: Option<u64>,
        _arrival: Arrival,
        _outcome: Outcome,
    ) {
    }

    /// A user has joined a room or left it.
    fn moved(&self, _connection: &Connection, _movement: &Movement) {}

    /// Something was refused, or has ended a connection: the code of the refusal, or a word.
    fn error(&self, _code: &'static str) {}

    /// A `hello` was answered: `welcome`, `malformed`, `unsupported_version`, `too_many` or `internal`.
    fn hello(&self, _result: &'static str) {}

    /// A client has broken a rule of the reliable mode, which has ended its connection.
    fn violation(&self, _rule: &'static str) {}

    /// A message had been processed before.
    fn duplicate(&self) {}

    /// The history did not reach back to the position of a client.
    fn gap(&self) {}
}

/// Counts nothing.
pub(crate) struct NoMetrics;

impl Metrics for NoMetrics {}

/// When a message came in, and how long it was if that is known.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// Bytes of its frame.
    pub bytes: Option<usize>,
    at: Instant,
}

impl Arrival {
    pub(crate) fn now(bytes: Option<usize>) -> Self {
        Self { bytes, at: Instant::now() }
    }

    /// Time since then.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.at.elapsed()
    }
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
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
    pub(crate) fn closed(ending: &Ending) -> Self {
        match ending {
            Ending::Close { code, .. } => Self::Closed(*code),
            Ending::Abort | Ending::Gone => Self::Ignored,
        }
    }
}

/// A user has joined a room or left it.
#[derive(Clone, Debug)]
pub enum Movement {
    /// They are in it.
    Joined(Room),
    /// They are not.
    Left(Room),
}

impl Movement {
    /// Whether it is so: a user who has left on one device may be in the room on another.
    pub(crate) fn has_happened(&self, hub: &Hub, from: &Connection) -> bool {
        match self {
            Self::Joined(_) => true,
            Self::Left(room) => !hub.is_in(&from.user, room),
        }
    }
}

/// A message with a number, told once its transaction is on the disk.
pub(crate) struct Note {
    pub from: Arc<Connection>,
    pub kind: Option<String>,
    pub seq: u64,
    pub arrival: Arrival,
    pub outcome: Outcome,
    pub movement: Option<Movement>,
}

impl Note {
    pub fn tell(&self, metrics: &dyn Metrics) {
        if let (Some(movement), Outcome::Processed) = (&self.movement, self.outcome) {
            metrics.moved(&self.from, movement);
        }
        metrics.message(&self.from, self.kind.as_deref(), Some(self.seq), self.arrival, self.outcome);
    }
}

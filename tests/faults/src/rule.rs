//! The vocabulary: what can go wrong, in which direction, and when.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case", rename_all_fields = "snake_case")]
pub enum Fault {
    /// Bytes arrive later. They stay in order, whatever the jitter.
    Latency {
        /// Least delay, in milliseconds.
        ms: u64,
        /// Up to so many milliseconds more, by chance.
        #[serde(default)]
        jitter_ms: u64,
    },
    /// Bytes arrive slowly.
    Bandwidth {
        /// At least 1.
        bytes_per_s: u64,
    },
    /// Bytes are taken and thrown away: a black hole. The stream has a gap afterwards, as if the link had died.
    Swallow,
    /// The proxy stops reading, so the sender's buffers fill up: a half-open connection.
    HalfOpen,
    /// So many more bytes pass in each connection, then nothing until the rule ends; nothing is lost. With 1 on a
    /// quiet connection the next frame is cut in its middle.
    Stall {
        /// Bytes that still pass.
        #[serde(default)]
        after_bytes: u64,
    },
    /// New connections wait before the server hears of them.
    SlowHandshake {
        /// How long, in milliseconds.
        ms: u64,
    },
    /// New connections are reset at once.
    Refuse,
    /// Open connections are reset. Happens once.
    Reset,
    /// Open connections are closed as TCP closes them, without a close frame. Happens once.
    Close,
}

/// Which way the bytes go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the client to the server.
    Up,
    /// From the server to the client.
    Down,
    /// Both ways, each for itself.
    #[default]
    Both,
}

/// A fault with its direction and its time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// What goes wrong.
    #[serde(flatten)]
    pub fault: Fault,
    /// Which way. Faults of whole connections ignore it.
    #[serde(default)]
    pub direction: Direction,
    /// When it starts, in milliseconds from when the rule is added.
    #[serde(default)]
    pub after_ms: u64,
    /// How long it lasts, in milliseconds; until it is removed if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_ms: Option<u64>,
}

impl Rule {
    /// A rule for both directions, from now on, until it is removed.
    pub fn new(fault: Fault) -> Self {
        Self { fault, direction: Direction::Both, after_ms: 0, for_ms: None }
    }

    /// The same in one direction only.
    #[must_use]
    pub fn direction(self, direction: Direction) -> Self {
        Self { direction, ..self }
    }

    /// The same for a limited time.
    #[must_use]
    pub fn lasting(self, duration: Duration) -> Self {
        Self { for_ms: Some(duration.as_millis() as u64), ..self }
    }

    /// The same, starting later.
    #[must_use]
    pub fn starting_in(self, delay: Duration) -> Self {
        Self { after_ms: delay.as_millis() as u64, ..self }
    }
}

impl Direction {
    /// Whether a rule for `self` concerns bytes that go `way`.
    pub(crate) fn covers(self, way: Direction) -> bool {
        self == Self::Both || self == way
    }
}

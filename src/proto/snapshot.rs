//! What the application can see of the connection at any time.

use alloc::string::String;

use super::{Close, Timestamp};

/// Where the connection stands, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot<'a, S = String> {
    /// The state, with the reason of a closed one.
    pub phase: Phase,
    /// The reconnect attempt that runs or is waited for, from 1; 0 when none does.
    pub attempt: u32,
    /// When the next attempt starts, if one is scheduled.
    pub retry_at: Option<Timestamp>,
    /// How the last connection or attempt ended.
    pub close: Option<&'a Close<S>>,
    /// How many messages wait in the queue.
    pub queued: usize,
    /// The size of their frames in bytes.
    pub queued_bytes: u64,
    /// The round-trip time of the last answered ping, in milliseconds.
    pub last_rtt_ms: Option<u64>,
}

/// The state of the connection without its bookkeeping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing was asked for, or the application disconnected.
    Idle,
    /// An attempt runs.
    Connecting,
    /// Messages flow.
    Open,
    /// The closing handshake is under way.
    Closing,
    /// The next attempt is scheduled.
    Waiting,
    /// The network is said to be down.
    Offline,
    /// The attempt budget is used up; coming online, becoming visible or `reconnect()` start afresh.
    GivenUp,
    /// The server's close code said that trying again is pointless; only `connect()` or `reconnect()` start afresh.
    Fatal,
}

impl Phase {
    /// The name in the JavaScript snapshot.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Connecting => "connecting",
            Self::Open => "open",
            Self::Closing => "closing",
            Self::Waiting => "waiting",
            Self::Offline => "offline",
            Self::GivenUp => "given_up",
            Self::Fatal => "fatal",
        }
    }
}

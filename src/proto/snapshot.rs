//! What the application can see of the connection at any time.

use alloc::string::String;

use super::coded::coded;
use super::{Close, Timestamp};

/// Where the connection stands, and why.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Snapshot<'a, S = String> {
    /// The state, with the reason of a closed one.
    pub phase: Phase,
    /// The reconnect attempt that runs or is waited for, from 1; how many have failed once the client has [given up](Phase::GivenUp); else 0.
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
    /// What the server of the latest connection can do.
    pub delivery: Delivery,
    /// Whether a message would be sent at once, or queued while there is no connection.
    pub has_room: bool,
    /// How often the server broke the protocol, since the client was made.
    pub protocol_errors: u32,
}

/// What is known of messages once they are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivery {
    /// The reliable mode is asked for, and no connection has shown yet whether the server knows it.
    Unknown,
    /// Nothing: messages under way are lost with their connection.
    AtMostOnce,
    /// Messages are acknowledged and events resumed.
    Reliable,
}

impl Delivery {
    /// The name in the JavaScript snapshot.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Unknown => None,
            Self::AtMostOnce => Some("at-most-once"),
            Self::Reliable => Some("reliable"),
        }
    }
}

coded! {
    /// The state of the connection without its bookkeeping.
    #[non_exhaustive]
    pub enum Phase {
        /// Nothing was asked for, or the application disconnected.
        Idle = "idle",
        /// An attempt runs.
        Connecting = "connecting",
        /// Messages flow.
        Open = "open",
        /// The closing handshake is under way.
        Closing = "closing",
        /// The next attempt is scheduled.
        Waiting = "waiting",
        /// The network is said to be down.
        Offline = "offline",
        /// The application has no token; `token_changed()`, `connect()` or `reconnect()` start afresh.
        LoggedOut = "logged_out",
        /// The attempt budget is used up; coming online, becoming visible, `connect()`, `reconnect()` and `token_changed()` start afresh.
        GivenUp = "given_up",
        /// The server's close code said that trying again is pointless; `connect()` or `reconnect()` start afresh, and `token_changed()` if
        /// it was about the token.
        Fatal = "fatal",
    }
}

//! What there is to see of a connection, to keep.

use crate::proto::close::Reason;
use crate::proto::{Close, Config, Delivery, Phase};
use crate::web::{WebHost, WebText};

/// Where the connection stands, and why.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Snapshot {
    /// The state, with the reason of a closed one.
    pub phase: Phase,
    /// The reconnect attempt that runs or is waited for, from 1; 0 when none does.
    pub attempt: u32,
    /// When the next attempt starts, in milliseconds since the Unix epoch, if one is scheduled.
    pub retry_at: Option<f64>,
    /// How the last connection or attempt ended.
    pub close: Option<Close>,
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
    /// How many messages are sent and not acknowledged.
    pub in_flight: usize,
    /// How often the server broke the protocol, since the client was made.
    pub protocol_errors: u32,
}

impl Snapshot {
    pub(crate) fn take(host: &WebHost) -> Self {
        host.with_core(|core| {
            let seen = core.snapshot();
            Self {
                phase: seen.phase,
                attempt: seen.attempt,
                retry_at: seen.retry_at.map(|at| host.time_of_day(at)),
                close: seen.close.map(readable),
                queued: seen.queued,
                queued_bytes: seen.queued_bytes,
                last_rtt_ms: seen.last_rtt_ms,
                delivery: seen.delivery,
                has_room: seen.has_room,
                in_flight: core.in_flight(),
                protocol_errors: seen.protocol_errors,
            }
        })
    }

    /// That of a client that nothing has happened to, so that a server renders what the browser starts with.
    pub(super) fn of_new_client(config: &Config) -> Self {
        Self {
            phase: Phase::Idle,
            attempt: 0,
            retry_at: None,
            close: None,
            queued: 0,
            queued_bytes: 0,
            last_rtt_ms: None,
            delivery: if config.reliable { Delivery::Unknown } else { Delivery::AtMostOnce },
            has_room: config.queue.max_messages > 0 && config.max_message_bytes <= config.queue.max_bytes,
            in_flight: 0,
            protocol_errors: 0,
        }
    }
}

/// A copy with the peer's own words.
pub(crate) fn readable(close: &Close<WebText>) -> Close {
    let reason = match &close.reason {
        Reason::Peer(words) => Reason::Peer(words.to_rust()),
        Reason::Client(cause) => Reason::Client(*cause),
    };
    Close { code: close.code, reason, was_clean: close.was_clean }
}

//! What there is to see of a connection, to keep.

use super::face::RustDriver;
use super::host::{self, Store};
use crate::browser::frame::Text;
use crate::browser::now;
use crate::proto::close::Reason;
use crate::proto::{Close, Delivery, Phase};

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
    pub(super) fn take(driver: &RustDriver) -> Self {
        let (now, today) = (now(), host::date_now());
        driver.look(|core| {
            let seen = core.snapshot();
            Self {
                phase: seen.phase,
                attempt: seen.attempt,
                retry_at: seen.retry_at.map(|at| today + at.since(now) as f64),
                close: seen.close.map(|close| readable(driver.face().store(), close)),
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
}

/// A copy with the peer's own words, which JavaScript keeps.
pub(super) fn readable(store: &Store, close: &Close<Text>) -> Close {
    let reason = match &close.reason {
        Reason::Peer(_) => Reason::Peer(host::text(store, "reason")),
        Reason::Client(cause) => Reason::Client(*cause),
    };
    Close { code: close.code, reason, was_clean: close.was_clean }
}

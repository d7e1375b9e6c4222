//! Whether the link is alive, when only the server may ask.

use crate::proto::Timestamp;
use crate::proto::wire::socketio::Handshake;

/// Watches for the pings of the server.
#[derive(Clone, Debug)]
pub struct ServerPings {
    interval_ms: u64,
    timeout_ms: u64,
    last_at: Timestamp,
    deadline: Timestamp,
    /// Whether the deadline was extended since the last ping.
    is_extended: bool,
}

impl ServerPings {
    /// Those of a connection whose handshake has come at `now`.
    pub fn new<T>(handshake: &Handshake<T>, now: Timestamp) -> Self {
        let (interval_ms, timeout_ms) = (handshake.ping_interval_ms, handshake.ping_timeout_ms);
        let deadline = now + interval_ms + timeout_ms;
        Self { interval_ms, timeout_ms, last_at: now, deadline, is_extended: false }
    }

    /// Takes note of a ping.
    pub fn handle_ping(&mut self, now: Timestamp) {
        self.last_at = now;
        self.deadline = now + self.interval_ms + self.timeout_ms;
        self.is_extended = false;
    }

    /// Something happened that often kills connections silently, so the next ping is given less time than usual: it is due an interval
    /// after the last, whatever may delay it.
    pub fn probe(&mut self, now: Timestamp) {
        if self.deadline > now {
            let due_at = (self.last_at + self.interval_ms).max(now);
            self.deadline = self.deadline.min(due_at + self.patience_ms());
        } else if !self.is_extended {
            self.extend(now);
        }
    }

    /// Whether the connection is dead at `now`.
    pub fn handle_timeout(&mut self, now: Timestamp) -> bool {
        if now < self.deadline {
            return false;
        }
        // A page that was suspended runs its timers before it sees the ping that has long arrived.
        if !self.is_extended && now.since(self.deadline) >= LATE_MS {
            self.extend(now);
            return false;
        }
        true
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub const fn poll_timeout(&self) -> Timestamp {
        self.deadline
    }

    fn extend(&mut self, now: Timestamp) {
        self.deadline = now + self.patience_ms();
        self.is_extended = true;
    }

    /// How late a ping may be that something ought to have brought by now, in milliseconds.
    fn patience_ms(&self) -> u64 {
        self.timeout_ms.min(PATIENCE_MS.max(self.timeout_ms / PATIENCE_SHARE))
    }
}

/// The shortest patience, unless the server's own is shorter, in milliseconds.
const PATIENCE_MS: u64 = 2_000;
/// Which part of the server's own patience it is.
const PATIENCE_SHARE: u64 = 5;
/// How late a deadline has to be noticed to conclude that the page itself was suspended, in milliseconds.
const LATE_MS: u64 = 1_000;

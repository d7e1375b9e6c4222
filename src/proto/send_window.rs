//! How messages travel over one connection.

use super::Timestamp;
use super::config::Buffer;
use super::heartbeat::Upload;
use super::message::Sequence;
use super::timer::Timer;

/// The bookkeeping of one open connection, which ends with it.
#[derive(Debug)]
pub struct SendWindow {
    /// How many messages may be unacknowledged; 0 if the server acknowledges nothing.
    pub window: u32,
    /// How many of the messages in flight were sent on this connection.
    pub sent_here: usize,
    /// The number of the message that the server has before the next one.
    pub prev: u64,
    /// The highest number that the server has acknowledged on this connection.
    pub acked: u64,
    /// When an acknowledgement is overdue.
    pub ack_by: Timestamp,
    /// Whether an answer that seemed overdue was given more time, because the page itself had been suspended.
    pub is_probe_spent: bool,
    /// Whether the server is taken for a plain one because it has answered nothing: a welcome may still come.
    pub is_presumed_plain: bool,
    /// When the answer to a second hello is overdue.
    pub welcome_by: Timestamp,
    buffered: u64,
    drained: u64,
    check_at: Timestamp,
}

impl SendWindow {
    /// A connection to a server that acknowledges nothing.
    pub const fn at_most_once() -> Self {
        Self::reliable(0, 0)
    }

    /// A connection to a server that has processed everything up to `last`.
    pub const fn reliable(window: u32, last: u64) -> Self {
        Self {
            window,
            sent_here: 0,
            prev: last,
            acked: last,
            ack_by: Timestamp::NEVER,
            is_probe_spent: false,
            is_presumed_plain: false,
            welcome_by: Timestamp::NEVER,
            buffered: 0,
            drained: 0,
            check_at: Timestamp::NEVER,
        }
    }

    /// Goes on with the messages of another origin; nothing of the former is in flight.
    pub fn turn_to(&mut self, other: Self) {
        *self = Self { buffered: self.buffered, drained: self.drained, check_at: self.check_at, ..other };
    }

    /// Whether the server acknowledges messages.
    pub const fn is_reliable(&self) -> bool {
        self.window > 0
    }

    /// Whether the browser's buffer is full, or the server has not answered a hello yet.
    pub fn is_blocked(&self) -> bool {
        self.check_at < Timestamp::NEVER || self.welcome_by < Timestamp::NEVER
    }

    /// Whether one more message may be unacknowledged.
    pub const fn has_window(&self) -> bool {
        self.sent_here < self.window as usize
    }

    /// The server has shown that it is at work on what was sent.
    pub fn note_progress(&mut self, ack_by: Timestamp) {
        self.is_probe_spent = false;
        self.ack_by = if self.sent_here > 0 { ack_by } else { Timestamp::NEVER };
    }

    /// The next message goes out under this number.
    pub fn number(&mut self, seq: u64, ack_by: Timestamp) -> Sequence {
        let prev = core::mem::replace(&mut self.prev, seq);
        self.sent_here += 1;
        self.ack_by = self.ack_by.min(ack_by);
        Sequence { seq, prev }
    }

    /// So much was handed to the browser.
    pub fn fill(&mut self, bytes: u32, config: &Buffer, now: Timestamp) {
        // Beyond the end of the range only until the browser is asked the next time.
        self.estimate(self.buffered.wrapping_add(bytes.into()), config, now);
    }

    /// So much is in the browser's buffer.
    pub fn measure(&mut self, bytes: u64, config: &Buffer, now: Timestamp) {
        self.drained = self.drained.wrapping_add(self.buffered.saturating_sub(bytes));
        self.estimate(bytes, config, now);
    }

    /// What the browser and the network have taken.
    pub const fn upload(&self) -> Upload {
        Upload { buffered: self.buffered, drained: self.drained }
    }

    fn estimate(&mut self, bytes: u64, config: &Buffer, now: Timestamp) {
        self.buffered = bytes;
        let is_full = self.check_at < Timestamp::NEVER;
        let limit = if is_full { config.low_bytes } else { config.high_bytes };
        let stays_full = bytes > u64::from(limit);
        self.check_at = if stays_full { now + DRAIN_CHECK_MS } else { Timestamp::NEVER };
    }

    /// Whether it is time to measure; not again before the next interval.
    pub fn check_is_due(&mut self, now: Timestamp) -> bool {
        let is_due = now >= self.check_at;
        if is_due {
            self.check_at = now + DRAIN_CHECK_MS;
        }
        is_due
    }

    /// When something is due, and what.
    pub fn poll_timeout(&self) -> (Timestamp, Timer) {
        let overdue = (self.ack_by.min(self.welcome_by), Timer::AckOverdue);
        if self.check_at < overdue.0 { (self.check_at, Timer::DrainCheckDue) } else { overdue }
    }
}

/// How often to look at a full buffer, in milliseconds: there is no event for it.
const DRAIN_CHECK_MS: u64 = 20;

#[cfg(test)]
mod tests {
    use super::{Buffer, SendWindow, Timer, Timestamp};

    const CONFIG: Buffer = Buffer { high_bytes: 100, low_bytes: 40 };

    const fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn a_buffer_above_its_high_mark_blocks_until_it_is_below_the_low_one() {
        let mut send_window = SendWindow::at_most_once();
        send_window.fill(60, &CONFIG, at(0));
        send_window.fill(40, &CONFIG, at(0));
        assert!(!send_window.is_blocked());
        send_window.fill(1, &CONFIG, at(0));
        assert!(send_window.is_blocked());
        assert_eq!(send_window.poll_timeout(), (at(20), Timer::DrainCheckDue));
        assert!(!send_window.check_is_due(at(19)));
        assert!(send_window.check_is_due(at(20)));
        assert!(!send_window.check_is_due(at(20)));
        send_window.measure(41, &CONFIG, at(20));
        assert!(send_window.is_blocked());
        send_window.measure(40, &CONFIG, at(40));
        assert!(!send_window.is_blocked());
        assert_eq!(send_window.poll_timeout().0, Timestamp::NEVER);
    }

    #[test]
    fn numbers_name_the_one_before_them() {
        let mut send_window = SendWindow::reliable(2, 7);
        let first = send_window.number(9, at(50));
        let second = send_window.number(10, at(60));
        assert_eq!((first.prev, second.prev), (7, 9));
        assert!(!send_window.has_window());
        assert_eq!(send_window.poll_timeout(), (at(50), Timer::AckOverdue));
    }
}

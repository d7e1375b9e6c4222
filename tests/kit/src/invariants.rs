//! What holds after every turn.

use everwire::driver;
use everwire::proto::{Client, Close, Delivery, Phase, Timer, Timestamp};

use crate::{Json, TestHarness, VirtualBrowser};

/// The part of the snapshot whose changes are announced.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Seen {
    phase: Phase,
    attempt: u32,
    retry_at: Option<Timestamp>,
    close: Option<Close>,
    queued: usize,
    queued_bytes: u64,
    last_rtt_ms: Option<u64>,
    delivery: Delivery,
    has_room: bool,
    protocol_errors: u32,
}

impl Seen {
    pub fn new(client: &Client<Json>) -> Self {
        let snapshot = client.snapshot();
        Self {
            phase: snapshot.phase,
            attempt: snapshot.attempt,
            retry_at: snapshot.retry_at,
            close: snapshot.close.cloned(),
            queued: snapshot.queued,
            queued_bytes: snapshot.queued_bytes,
            last_rtt_ms: snapshot.last_rtt_ms,
            delivery: snapshot.delivery,
            has_room: snapshot.has_room,
            protocol_errors: snapshot.protocol_errors,
        }
    }
}

impl TestHarness {
    pub(crate) fn check(&mut self) {
        self.check_bounds();
        if self.breaks_contract {
            self.check_that_the_timer_rests();
            return;
        }
        let before = std::mem::replace(&mut self.seen, Seen::new(self.driver.client()));
        if before != self.seen {
            assert!(self.announced.is_some(), "{before:?} became {:?} unannounced", self.seen);
            assert!(before.phase == self.seen.phase || self.announced == Some(true), "a phase came unannounced");
        }
        self.check_snapshot(&before);
        self.check_messages();
        self.check_timer();
    }

    fn check_bounds(&self) {
        let client = self.client();
        let snapshot = client.snapshot();
        let queue = &self.config.queue;
        // Restored messages count, and yet are never refused.
        let restored = self.messages.restored() + self.unmodelled;
        assert!(snapshot.queued <= (queue.max_messages as usize).saturating_add(restored), "{} wait", snapshot.queued);
        assert!(restored > 0 || snapshot.queued_bytes <= u64::from(queue.max_bytes), "too many bytes wait");
        assert!(client.positions().count() <= MAX_STREAMS);
        assert!(client.in_flight() <= LARGEST_WINDOW, "{} messages are in flight", client.in_flight());
    }

    /// Whatever the time, a deadline that has come is over after a few calls.
    fn check_that_the_timer_rests(&mut self) {
        for _ in 0..MOST_WAKE_UPS {
            if self.client().poll_timeout().is_none_or(|(at, _)| at > self.time()) {
                return;
            }
            self.alarm = None;
            driver::handle_timeout(&mut VirtualBrowser(self));
        }
        panic!("{:?} is over again and again at {}", self.client().poll_timeout(), self.now);
    }

    fn check_snapshot(&self, before: &Seen) {
        let seen = &self.seen;
        let live: Vec<_> = self.sockets.iter().rev().take(2).filter(|socket| socket.is_live()).collect();
        assert!(live.len() <= 1, "{live:?} are live at once");
        let live = live.first().map(|socket| socket.id);
        assert_eq!(self.client().socket(), live, "the client and the browser disagree");
        assert_eq!(live.is_some(), matches!(seen.phase, Phase::Connecting | Phase::Open | Phase::Closing));
        assert_eq!(
            self.is_active,
            !matches!(seen.phase, Phase::Idle | Phase::LoggedOut | Phase::Fatal),
            "{:?}",
            seen.phase
        );
        assert_eq!(seen.retry_at.is_some(), matches!(seen.phase, Phase::Waiting | Phase::Offline));
        assert!(seen.attempt <= self.config.reconnect.max_attempts, "attempt {}", seen.attempt);
        assert!(seen.protocol_errors >= before.protocol_errors);
        if !self.config.reliable {
            assert_eq!((seen.delivery, seen.protocol_errors), (Delivery::AtMostOnce, 0));
        } else if before.delivery != Delivery::Unknown {
            assert_ne!(seen.delivery, Delivery::Unknown);
        }
        assert!(seen.phase != Phase::Open || seen.delivery != Delivery::Unknown);
        let may_wait = self.buffered > 0 || self.config.reliable || self.has_awaited_storage;
        assert!(seen.phase != Phase::Open || seen.queued == 0 || may_wait, "messages wait on an open connection");
    }

    fn check_messages(&mut self) {
        self.settle_refusals();
        self.messages.assert_counts(self.seen.queued, self.seen.queued_bytes, self.client().in_flight());
    }

    /// The client has heard which messages the browser refused.
    pub(crate) fn settle_refusals(&mut self) {
        if self.has_refused && !self.breaks_contract {
            let origin = self.sockets.last().and_then(|socket| socket.origin.clone());
            self.messages.hear_of_refusals(origin.as_ref(), self.driver.client().in_flight());
        }
    }

    fn check_timer(&self) {
        let deadline = self.deadline();
        assert!(deadline.is_none_or(|(at, _)| at > self.now), "{deadline:?} is over at {}", self.now);
        let must_wake = match self.seen.phase {
            Phase::Connecting | Phase::Waiting | Phase::Offline | Phase::Closing => true,
            Phase::Open => self.config.heartbeat.interval_ms != u64::MAX,
            Phase::Idle | Phase::LoggedOut | Phase::GivenUp | Phase::Fatal => false,
            phase => panic!("nobody has said yet whether {phase:?} needs a deadline"),
        };
        assert!(!must_wake || deadline.is_some(), "{:?} without a deadline", self.seen.phase);
        match (self.alarm, deadline) {
            (None, None) => {}
            // One that goes off early is harmless.
            (Some(alarm), Some((at, _))) => assert!(alarm <= at, "the alarm of {alarm} is armed for {at}"),
            (alarm, deadline) => panic!("the alarm {alarm:?} is armed for {deadline:?}"),
        }
        if matches!(deadline, Some((_, Timer::AckOverdue))) {
            let waits = |socket: &crate::TestSocket| socket.awaits_welcome || !socket.unacknowledged.is_empty();
            assert!(self.sockets.last().is_some_and(waits), "an acknowledgement is overdue of nothing");
        }
    }
}

/// docs/PROTOCOL.md: as many streams as a hello may name.
const MAX_STREAMS: usize = 256;
/// docs/PROTOCOL.md: the largest window that a server can grant.
const LARGEST_WINDOW: usize = 1_024;
const MOST_WAKE_UPS: usize = 16;

//! What holds after every turn.

use everwire::proto::{Client, Close, Delivery, Input, Phase, Timer, Timestamp};

use super::world::{Envelope, Text, World};

/// The part of the snapshot whose changes are announced.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Seen {
    phase: Phase,
    attempt: u32,
    retry_at: Option<Timestamp>,
    close: Option<Close<Text>>,
    queued: usize,
    queued_bytes: u64,
    last_rtt_ms: Option<u64>,
    delivery: Delivery,
    has_room: bool,
    protocol_errors: u32,
}

impl Seen {
    pub fn new(client: &Client<Text, Envelope>) -> Self {
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

impl World {
    pub fn check(&mut self) {
        self.check_bounds();
        if self.is_wild {
            self.check_that_the_timer_rests();
            return;
        }
        let before = std::mem::replace(&mut self.seen, Seen::new(&self.client));
        if before != self.seen {
            assert!(self.announced.is_some(), "{before:?} became {:?} unannounced", self.seen);
            assert!(before.phase == self.seen.phase || self.announced == Some(true), "a phase came unannounced");
        }
        self.check_snapshot(&before);
        self.check_messages();
        self.check_timer();
    }

    fn check_bounds(&self) {
        let snapshot = self.client.snapshot();
        let queue = &self.config.queue;
        // Restored messages count, and yet are never refused.
        let most = (queue.max_messages as usize).saturating_add(self.restored);
        assert!(snapshot.queued <= most, "{} messages wait", snapshot.queued);
        assert!(self.restored > 0 || snapshot.queued_bytes <= u64::from(queue.max_bytes), "too many bytes wait");
        assert!(self.client.positions().count() <= super::world::MOST_STREAMS);
        assert!(self.client.in_flight() <= LARGEST_WINDOW, "{} messages are in flight", self.client.in_flight());
    }

    /// Whatever the time, a deadline that has come is over after a few calls.
    fn check_that_the_timer_rests(&mut self) {
        let now = self.time();
        for _ in 0..MOST_WAKE_UPS {
            if self.client.poll_timeout().is_none_or(|(at, _)| at > now) {
                return;
            }
            self.client.handle_input(Input::Timeout, now);
            while self.client.poll_output().is_some() {}
        }
        panic!("{:?} is over again and again at {now:?}", self.client.poll_timeout());
    }

    fn check_snapshot(&self, before: &Seen) {
        let seen = &self.seen;
        let live = self.sockets.iter().rfind(|socket| socket.is_live()).map(|socket| socket.id);
        assert_eq!(self.client.socket(), live, "the client and the browser disagree");
        assert_eq!(live.is_some(), matches!(seen.phase, Phase::Connecting | Phase::Open | Phase::Closing));
        assert_eq!(seen.retry_at.is_some(), matches!(seen.phase, Phase::Waiting | Phase::Offline));
        assert!(seen.attempt <= self.config.reconnect.max_attempts, "attempt {}", seen.attempt);
        assert!(seen.protocol_errors >= before.protocol_errors);
        if !self.config.reliable {
            assert_eq!((seen.delivery, seen.protocol_errors), (Delivery::AtMostOnce, 0));
        } else if before.delivery != Delivery::Unknown {
            assert_ne!(seen.delivery, Delivery::Unknown);
        }
        assert!(seen.phase != Phase::Open || seen.delivery != Delivery::Unknown);
    }

    fn check_messages(&self) {
        let ((queued, bytes), in_flight) = (self.ledger.queued, self.ledger.in_flight);
        let counted = (self.seen.queued, self.seen.queued_bytes, self.client.in_flight());
        assert_eq!(counted, (queued, bytes, in_flight), "messages that wait, their bytes, those in flight");
    }

    fn check_timer(&self) {
        let alarm = self.client.poll_timeout();
        assert!(alarm.is_none_or(|(at, _)| at > self.time()), "{alarm:?} is over at {}", self.now);
        let must_wake = match self.seen.phase {
            Phase::Connecting | Phase::Waiting | Phase::Offline | Phase::Closing => true,
            Phase::Open => self.config.heartbeat.interval_ms != u64::MAX,
            Phase::Idle | Phase::GivenUp | Phase::Fatal => false,
            phase => panic!("nobody has said yet whether {phase:?} needs a deadline"),
        };
        assert!(!must_wake || alarm.is_some(), "{:?} without a deadline", self.seen.phase);
        if matches!(alarm, Some((_, Timer::AckOverdue))) {
            let waits = self.sockets.last().is_some_and(|socket| socket.greets || !socket.unacknowledged.is_empty());
            assert!(waits, "an acknowledgement is overdue of nothing");
        }
    }
}

const LARGEST_WINDOW: usize = 1_024;
const MOST_WAKE_UPS: usize = 16;

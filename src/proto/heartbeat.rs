//! Whether the link is alive.

use super::Timestamp;
use super::config::Heartbeat as Config;
use super::time::FOREVER;
use super::timer::Timer;

/// Pings an open connection and watches for the pongs.
///
/// Only a pong proves the round trip: other frames show that the server can be heard, not that it hears.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    phase: Phase,
}

/// What the caller has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beat {
    /// Send a ping.
    Ping,
    /// Abandon the connection.
    Dead,
}

#[derive(Clone, Debug)]
enum Phase {
    Quiet { ping_at: Timestamp },
    Awaiting { sent_at: Timestamp, deadline: Timestamp, patience: Patience },
}

/// Whether a deadline that was noticed too late may be extended once.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Patience {
    Fresh,
    Spent,
}

impl Heartbeat {
    /// The heartbeat of a connection that opened at `now`.
    pub fn new(config: &Config, now: Timestamp) -> Self {
        Self { phase: Phase::Quiet { ping_at: now + config.interval_ms } }
    }

    /// A connection that opens now with a ping.
    pub fn greeting(config: &Config, now: Timestamp) -> Self {
        let mut heartbeat = Self::new(config, now);
        if config.interval_ms != FOREVER {
            heartbeat.ping(config.timeout_ms, Patience::Fresh, now);
        }
        heartbeat
    }

    /// Takes note of a pong; returns the round-trip time in milliseconds if a ping was unanswered.
    pub fn handle_pong(&mut self, config: &Config, now: Timestamp) -> Option<u64> {
        match self.phase {
            Phase::Quiet { .. } => None,
            Phase::Awaiting { sent_at, .. } => {
                self.phase = Phase::Quiet { ping_at: sent_at + config.interval_ms.max(now.since(sent_at)) };
                Some(now.since(sent_at))
            }
        }
    }

    /// Asks for a sign of life within two seconds, because something happened that often kills connections silently.
    pub fn probe(&mut self, config: &Config, now: Timestamp) -> Option<Beat> {
        if config.interval_ms == FOREVER {
            return None;
        }
        match &mut self.phase {
            Phase::Awaiting { deadline, .. } if *deadline > now => {
                *deadline = (*deadline).min(now + PROBE_MS);
                None
            }
            // The last chance is over; the timeout says so.
            Phase::Awaiting { deadline, patience: Patience::Spent, .. } if now < *deadline + LATE_MS => None,
            Phase::Quiet { .. } | Phase::Awaiting { .. } => {
                Some(self.ping(config.timeout_ms.min(PROBE_MS), Patience::Spent, now))
            }
        }
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, config: &Config, now: Timestamp) -> Option<Beat> {
        match self.phase {
            Phase::Quiet { ping_at } if now >= ping_at => Some(self.ping(config.timeout_ms, Patience::Fresh, now)),
            // A page that was suspended runs its timers before it sees the pong that has long arrived.
            Phase::Awaiting { deadline, patience: Patience::Fresh, .. } if now >= deadline + LATE_MS => {
                Some(self.ping(config.timeout_ms.min(PROBE_MS), Patience::Spent, now))
            }
            Phase::Awaiting { deadline, .. } if now >= deadline => Some(Beat::Dead),
            Phase::Quiet { .. } | Phase::Awaiting { .. } => None,
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), and why.
    pub const fn poll_timeout(&self) -> (Timestamp, Timer) {
        match self.phase {
            Phase::Quiet { ping_at } => (ping_at, Timer::PingDue),
            Phase::Awaiting { deadline, .. } => (deadline, Timer::PongOverdue),
        }
    }

    fn ping(&mut self, timeout_ms: u64, patience: Patience, now: Timestamp) -> Beat {
        self.phase = Phase::Awaiting { sent_at: now, deadline: now + timeout_ms, patience };
        Beat::Ping
    }
}

/// How long a probe waits for its pong, in milliseconds.
const PROBE_MS: u64 = 2_000;
/// How late a deadline has to be noticed to conclude that the page itself was suspended, in milliseconds.
const LATE_MS: u64 = 1_000;

#[cfg(test)]
mod tests {
    use super::{Beat, Config, Heartbeat};
    use crate::proto::time::FOREVER;
    use crate::proto::{Timer, Timestamp};

    const CONFIG: Config = Config { interval_ms: 30_000, timeout_ms: 10_000 };

    const fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn asks_waits_and_declares_death() {
        let mut heartbeat = Heartbeat::new(&CONFIG, at(0));
        assert_eq!(heartbeat.poll_timeout(), (at(30_000), Timer::PingDue));
        assert_eq!(heartbeat.handle_timeout(&CONFIG, at(29_999)), None);
        assert_eq!(heartbeat.handle_timeout(&CONFIG, at(30_000)), Some(Beat::Ping));
        assert_eq!(heartbeat.poll_timeout(), (at(40_000), Timer::PongOverdue));
        assert_eq!(heartbeat.handle_timeout(&CONFIG, at(39_999)), None);
        assert_eq!(heartbeat.handle_timeout(&CONFIG, at(40_000)), Some(Beat::Dead));
    }

    #[test]
    fn a_pong_is_measured_and_the_next_ping_keeps_the_interval() {
        let mut heartbeat = Heartbeat::new(&CONFIG, at(0));
        assert_eq!(heartbeat.handle_pong(&CONFIG, at(5)), None);
        heartbeat.handle_timeout(&CONFIG, at(30_000));
        assert_eq!(heartbeat.handle_pong(&CONFIG, at(30_120)), Some(120));
        assert_eq!(heartbeat.poll_timeout(), (at(60_000), Timer::PingDue));
        assert_eq!(heartbeat.handle_pong(&CONFIG, at(30_130)), None);
    }

    #[test]
    fn a_deadline_noticed_late_is_extended_once() {
        let mut heartbeat = Heartbeat::new(&CONFIG, at(0));
        heartbeat.handle_timeout(&CONFIG, at(30_000));
        assert_eq!(heartbeat.handle_timeout(&CONFIG, at(41_000)), Some(Beat::Ping));
        assert_eq!(heartbeat.poll_timeout(), (at(43_000), Timer::PongOverdue));
        assert_eq!(heartbeat.handle_timeout(&CONFIG, at(90_000)), Some(Beat::Dead));
    }

    #[test]
    fn a_probe_shortens_a_wait_and_replaces_one_that_is_over() {
        let mut heartbeat = Heartbeat::new(&CONFIG, at(0));
        assert_eq!(heartbeat.probe(&CONFIG, at(10)), Some(Beat::Ping));
        assert_eq!(heartbeat.probe(&CONFIG, at(1_000)), None);
        assert_eq!(heartbeat.poll_timeout(), (at(2_010), Timer::PongOverdue));
        assert_eq!(heartbeat.probe(&CONFIG, at(600_000)), Some(Beat::Ping));
        assert_eq!(heartbeat.poll_timeout(), (at(602_000), Timer::PongOverdue));
    }

    #[test]
    fn an_endless_interval_asks_for_nothing() {
        let config = Config { interval_ms: FOREVER, timeout_ms: 10_000 };
        let mut heartbeat = Heartbeat::new(&config, at(7));
        assert_eq!(heartbeat.poll_timeout(), (Timestamp::NEVER, Timer::PingDue));
        assert_eq!(heartbeat.probe(&config, at(1_000)), None);
        assert_eq!(heartbeat.handle_timeout(&config, at(1_000_000)), None);
    }

    #[test]
    fn a_clock_that_steps_back_is_no_round_trip_below_zero() {
        let mut heartbeat = Heartbeat::new(&CONFIG, at(0));
        heartbeat.handle_timeout(&CONFIG, at(30_000));
        assert_eq!(heartbeat.handle_pong(&CONFIG, at(29_000)), Some(0));
    }
}

//! Whether the link is alive.

use super::Timestamp;
use super::config::Heartbeat as Config;
use super::time::FOREVER;
use super::timer::Timer;

/// Pings an open connection and watches for the pongs.
///
/// A pong proves the round trip, and so does everything else that only a server sends that hears this client: see
/// [`note_life`](Self::note_life). Other frames show that the server can be heard, not that it hears.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    phase: Phase,
}

/// What the caller has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beat {
    /// Send a ping.
    Ping,
    /// Measure the browser's buffer, in which a ping may still be.
    Measure,
    /// Abandon the connection.
    Dead,
}

/// What the browser has taken and what the network has taken of it, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Upload {
    /// How much is in the browser's buffer, as far as is known without measuring.
    pub buffered: u64,
    /// How much has left it since the connection opened.
    pub drained: u64,
}

#[derive(Clone, Debug)]
enum Phase {
    Quiet { ping_at: Timestamp },
    Awaiting { sent_at: Timestamp, deadline: Timestamp, probe_budget: ProbeBudget, drained: u64 },
}

/// Whether a deadline that is over may be extended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ProbeBudget {
    /// Once, if it is noticed too late.
    Fresh,
    Spent,
    /// If the upload that the ping may stand behind turns out to move, which is being measured.
    Measuring,
}

impl Heartbeat {
    /// The heartbeat of a connection that opened at `now`.
    pub fn new(config: &Config, now: Timestamp) -> Self {
        Self { phase: Phase::Quiet { ping_at: now + config.interval_ms } }
    }

    /// A connection that opens now with a ping.
    pub fn for_handshake(config: &Config, now: Timestamp) -> Self {
        let mut heartbeat = Self::new(config, now);
        if config.interval_ms != FOREVER {
            heartbeat.ping(config.timeout_ms, ProbeBudget::Fresh, 0, now);
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

    /// The server has answered something else: an acknowledgement, also a repeated one, or a reply. The pong gets its full time again.
    pub fn note_life(&mut self, config: &Config, now: Timestamp) {
        if let Phase::Awaiting { deadline, probe_budget, .. } = &mut self.phase {
            let wait = if *probe_budget == ProbeBudget::Fresh { config.timeout_ms } else { probe_ms(config) };
            *deadline = (*deadline).max(now + wait);
        }
    }

    /// Asks for a sign of life within two seconds, or a fifth of the usual time if that is more, because something happened that often
    /// kills connections silently. Behind a large upload it may take the usual time.
    pub fn probe(&mut self, config: &Config, upload: Upload, now: Timestamp) -> Option<Beat> {
        if config.interval_ms == FOREVER {
            return None;
        }
        let wait = if upload.buffered > LARGE_UPLOAD_BYTES { config.timeout_ms } else { probe_ms(config) };
        match &mut self.phase {
            Phase::Awaiting { deadline, .. } if *deadline > now => {
                *deadline = (*deadline).min(now + wait);
                None
            }
            // The last chance is over; the timeout says so.
            Phase::Awaiting { deadline, probe_budget: ProbeBudget::Spent | ProbeBudget::Measuring, .. }
                if now < *deadline + LATE_MS =>
            {
                None
            }
            Phase::Quiet { .. } | Phase::Awaiting { .. } => {
                Some(self.ping(wait, ProbeBudget::Spent, upload.drained, now))
            }
        }
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, config: &Config, upload: Upload, now: Timestamp) -> Option<Beat> {
        match &mut self.phase {
            Phase::Quiet { ping_at } if now >= *ping_at => {
                Some(self.ping(config.timeout_ms, ProbeBudget::Fresh, upload.drained, now))
            }
            // A page that was suspended runs its timers before it sees the pong that has long arrived.
            Phase::Awaiting { deadline, probe_budget: ProbeBudget::Fresh, .. } if now >= *deadline + LATE_MS => {
                Some(self.ping(probe_ms(config), ProbeBudget::Spent, upload.drained, now))
            }
            Phase::Awaiting { deadline, probe_budget, drained, .. } if now >= *deadline => {
                if upload.buffered == 0 {
                    return Some(Beat::Dead);
                }
                if *probe_budget != ProbeBudget::Measuring {
                    *probe_budget = ProbeBudget::Measuring;
                    *deadline = now + MEASURING_MS;
                    return Some(Beat::Measure);
                }
                if upload.drained == *drained {
                    return Some(Beat::Dead);
                }
                *drained = upload.drained;
                *probe_budget = ProbeBudget::Spent;
                *deadline = now + config.timeout_ms;
                None
            }
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

    fn ping(&mut self, timeout_ms: u64, probe_budget: ProbeBudget, drained: u64, now: Timestamp) -> Beat {
        self.phase = Phase::Awaiting { sent_at: now, deadline: now + timeout_ms, probe_budget, drained };
        Beat::Ping
    }
}

/// How long a probe waits for its pong, in milliseconds.
fn probe_ms(config: &Config) -> u64 {
    config.timeout_ms.min(PROBE_MS.max(config.timeout_ms / PROBE_SHARE))
}

/// The shortest time that a probe waits for its pong, unless the usual time is shorter, in milliseconds.
const PROBE_MS: u64 = 2_000;
/// Which part of the usual time a probe waits.
const PROBE_SHARE: u64 = 5;
/// How much has to stand before a probe for it to get the usual time.
const LARGE_UPLOAD_BYTES: u64 = 16 << 10;
/// How long the browser has to say how much it has taken, in milliseconds. It says so at once.
const MEASURING_MS: u64 = 1;
/// How late a deadline has to be noticed to conclude that the page itself was suspended, in milliseconds.
const LATE_MS: u64 = 1_000;

#[cfg(test)]
mod tests {
    use super::{Beat, Config, Heartbeat, Upload};
    use crate::proto::time::FOREVER;
    use crate::proto::{Timer, Timestamp};

    const CONFIG: Config = Config { interval_ms: 30_000, timeout_ms: 10_000 };
    const NONE: Upload = Upload { buffered: 0, drained: 0 };

    const fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn asks_waits_and_declares_death() {
        let mut heartbeat = Heartbeat::new(&CONFIG, at(0));
        assert_eq!(heartbeat.poll_timeout(), (at(30_000), Timer::PingDue));
        assert_eq!(heartbeat.handle_timeout(&CONFIG, NONE, at(29_999)), None);
        assert_eq!(heartbeat.handle_timeout(&CONFIG, NONE, at(30_000)), Some(Beat::Ping));
        assert_eq!(heartbeat.poll_timeout(), (at(40_000), Timer::PongOverdue));
        assert_eq!(heartbeat.handle_timeout(&CONFIG, NONE, at(39_999)), None);
        assert_eq!(heartbeat.handle_timeout(&CONFIG, NONE, at(40_000)), Some(Beat::Dead));
    }

    #[test]
    fn a_pong_is_measured_and_the_next_ping_keeps_the_interval() {
        let mut heartbeat = Heartbeat::new(&CONFIG, at(0));
        assert_eq!(heartbeat.handle_pong(&CONFIG, at(5)), None);
        heartbeat.handle_timeout(&CONFIG, NONE, at(30_000));
        assert_eq!(heartbeat.handle_pong(&CONFIG, at(30_120)), Some(120));
        assert_eq!(heartbeat.poll_timeout(), (at(60_000), Timer::PingDue));
        assert_eq!(heartbeat.handle_pong(&CONFIG, at(30_130)), None);
    }

    #[test]
    fn a_deadline_noticed_late_is_extended_once() {
        let mut heartbeat = Heartbeat::new(&CONFIG, at(0));
        heartbeat.handle_timeout(&CONFIG, NONE, at(30_000));
        assert_eq!(heartbeat.handle_timeout(&CONFIG, NONE, at(41_000)), Some(Beat::Ping));
        assert_eq!(heartbeat.poll_timeout(), (at(43_000), Timer::PongOverdue));
        assert_eq!(heartbeat.handle_timeout(&CONFIG, NONE, at(90_000)), Some(Beat::Dead));
    }

    #[test]
    fn a_probe_shortens_a_wait_and_replaces_one_that_is_over() {
        let mut heartbeat = Heartbeat::new(&CONFIG, at(0));
        assert_eq!(heartbeat.probe(&CONFIG, NONE, at(10)), Some(Beat::Ping));
        assert_eq!(heartbeat.probe(&CONFIG, NONE, at(1_000)), None);
        assert_eq!(heartbeat.poll_timeout(), (at(2_010), Timer::PongOverdue));
        assert_eq!(heartbeat.probe(&CONFIG, NONE, at(600_000)), Some(Beat::Ping));
        assert_eq!(heartbeat.poll_timeout(), (at(602_000), Timer::PongOverdue));
    }

    #[test]
    fn an_endless_interval_asks_for_nothing() {
        let config = Config { interval_ms: FOREVER, timeout_ms: 10_000 };
        let mut heartbeat = Heartbeat::new(&config, at(7));
        assert_eq!(heartbeat.poll_timeout(), (Timestamp::NEVER, Timer::PingDue));
        assert_eq!(heartbeat.probe(&config, NONE, at(1_000)), None);
        assert_eq!(heartbeat.handle_timeout(&config, NONE, at(1_000_000)), None);
    }

    #[test]
    fn a_clock_that_steps_back_is_no_round_trip_below_zero() {
        let mut heartbeat = Heartbeat::new(&CONFIG, at(0));
        heartbeat.handle_timeout(&CONFIG, NONE, at(30_000));
        assert_eq!(heartbeat.handle_pong(&CONFIG, at(29_000)), Some(0));
    }

    #[test]
    fn a_probe_leaves_a_slow_link_the_share_of_the_time_that_was_configured() {
        for (timeout_ms, probe_ms) in [(500, 500), (4_000, 2_000), (60_000, 12_000)] {
            let config = Config { interval_ms: 30_000, timeout_ms };
            let mut heartbeat = Heartbeat::new(&config, at(0));
            heartbeat.probe(&config, NONE, at(0));
            assert_eq!(heartbeat.poll_timeout().0, at(probe_ms));
        }
    }

    #[test]
    fn whatever_else_proves_the_round_trip_gives_the_pong_its_time_again() {
        let mut heartbeat = Heartbeat::new(&CONFIG, at(0));
        heartbeat.note_life(&CONFIG, at(20_000));
        assert_eq!(heartbeat.poll_timeout(), (at(30_000), Timer::PingDue));
        heartbeat.handle_timeout(&CONFIG, NONE, at(30_000));
        heartbeat.note_life(&CONFIG, at(39_000));
        assert_eq!(heartbeat.poll_timeout(), (at(49_000), Timer::PongOverdue));
        assert_eq!(heartbeat.handle_timeout(&CONFIG, NONE, at(49_000)), Some(Beat::Dead));
    }

    #[test]
    fn a_probe_behind_an_upload_waits_as_long_as_the_upload_moves() {
        let upload = |buffered, drained| Upload { buffered, drained };
        let mut heartbeat = Heartbeat::new(&CONFIG, at(0));
        assert_eq!(heartbeat.probe(&CONFIG, upload(90_000, 50), at(0)), Some(Beat::Ping));
        assert_eq!(heartbeat.poll_timeout().0, at(10_000));
        assert_eq!(heartbeat.handle_timeout(&CONFIG, upload(90_000, 50), at(10_000)), Some(Beat::Measure));
        assert_eq!(heartbeat.handle_timeout(&CONFIG, upload(90_000, 50), at(10_000)), None);
        assert_eq!(heartbeat.handle_timeout(&CONFIG, upload(30_000, 60_050), at(10_001)), None);
        assert_eq!(heartbeat.poll_timeout().0, at(20_001));
        assert_eq!(heartbeat.handle_timeout(&CONFIG, upload(30_000, 60_050), at(20_001)), Some(Beat::Measure));
        assert_eq!(heartbeat.handle_timeout(&CONFIG, upload(30_000, 60_050), at(20_002)), Some(Beat::Dead));
    }

    #[test]
    fn an_upload_that_has_left_the_browser_excuses_nothing() {
        let mut heartbeat = Heartbeat::new(&CONFIG, at(0));
        heartbeat.probe(&CONFIG, Upload { buffered: 90, drained: 0 }, at(0));
        let stale = Upload { buffered: 90, drained: 0 };
        assert_eq!(heartbeat.handle_timeout(&CONFIG, stale, at(2_000)), Some(Beat::Measure));
        let measured = Upload { buffered: 0, drained: 90 };
        assert_eq!(heartbeat.handle_timeout(&CONFIG, measured, at(2_001)), Some(Beat::Dead));
    }
}

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
    Awaiting { sent_at: Timestamp, deadline: Timestamp, patience: Patience, backlog: Backlog },
}

/// Whether a deadline that was noticed too late may be extended once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Patience {
    Fresh,
    Spent,
}

/// The page's own upload that a ping stands behind.
#[derive(Clone, Debug)]
struct Backlog {
    /// How much has to leave the buffer before the ping does, counted like [`Upload::drained`].
    until: u64,
    /// How much had left it at the latest look.
    drained: u64,
    look: Look,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    /// The buffer is measured as the ping is sent.
    AtPing,
    /// Nothing is measured.
    Idle,
    /// The deadline is over, and the buffer is measured for the verdict.
    Asked,
    Measured,
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
            heartbeat.ping(config.timeout_ms, Patience::Fresh, Upload::default(), now);
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
        if let Phase::Awaiting { deadline, patience, .. } = &mut self.phase {
            let wait = if *patience == Patience::Fresh { config.timeout_ms } else { probe_ms(config) };
            *deadline = (*deadline).max(now + wait);
        }
    }

    /// The browser's buffer was measured.
    pub fn note_upload(&mut self, config: &Config, upload: Upload, now: Timestamp) {
        if let Phase::Awaiting { deadline, backlog, .. } = &mut self.phase {
            match backlog.look {
                Look::AtPing => {
                    let until = upload.drained.wrapping_add(upload.buffered);
                    *backlog = Backlog { until, drained: upload.drained, look: Look::Idle };
                    if upload.buffered > 0 {
                        *deadline = (*deadline).max(now + config.timeout_ms);
                    }
                }
                Look::Asked => backlog.look = Look::Measured,
                Look::Idle | Look::Measured => {}
            }
        }
    }

    /// Asks for a sign of life within two seconds, or a fifth of the usual time if that is more, because something happened that often
    /// kills connections silently.
    pub fn probe(&mut self, config: &Config, upload: Upload, now: Timestamp) -> Option<Beat> {
        if config.interval_ms == FOREVER {
            return None;
        }
        match &mut self.phase {
            Phase::Awaiting { deadline, backlog, .. } if *deadline > now => {
                if backlog.is_gone() {
                    *deadline = (*deadline).min(now + probe_ms(config));
                }
                None
            }
            // The last chance is over; the timeout says so.
            Phase::Awaiting { deadline, patience: Patience::Spent, .. } if now < *deadline + LATE_MS => None,
            Phase::Quiet { .. } | Phase::Awaiting { .. } => {
                Some(self.ping(probe_ms(config), Patience::Spent, upload, now))
            }
        }
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, config: &Config, upload: Upload, now: Timestamp) -> Option<Beat> {
        match &mut self.phase {
            Phase::Quiet { ping_at } if now >= *ping_at => {
                Some(self.ping(config.timeout_ms, Patience::Fresh, upload, now))
            }
            // A page that was suspended runs its timers before it sees the pong that has long arrived.
            Phase::Awaiting { deadline, patience: Patience::Fresh, .. } if now >= *deadline + LATE_MS => {
                Some(self.ping(probe_ms(config), Patience::Spent, upload, now))
            }
            Phase::Awaiting { deadline, backlog, .. } if now >= *deadline => {
                let beat = backlog.handle_timeout(upload.drained);
                if beat.is_none() && backlog.look == Look::Idle {
                    *deadline = now + config.timeout_ms;
                }
                beat
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

    fn ping(&mut self, timeout_ms: u64, patience: Patience, upload: Upload, now: Timestamp) -> Beat {
        let look = if upload.buffered > 0 { Look::AtPing } else { Look::Idle };
        let backlog = Backlog { until: upload.drained, drained: upload.drained, look };
        self.phase = Phase::Awaiting { sent_at: now, deadline: now + timeout_ms, patience, backlog };
        Beat::Ping
    }
}

impl Backlog {
    /// Whether the ping has left the buffer.
    const fn is_gone(&self) -> bool {
        self.drained >= self.until
    }

    /// The deadline is over: the link is dead unless the ping still waits behind an upload that moves.
    fn handle_timeout(&mut self, drained: u64) -> Option<Beat> {
        if self.is_gone() {
            return Some(Beat::Dead);
        }
        match self.look {
            Look::Measured if drained > self.drained => {
                (self.drained, self.look) = (drained, Look::Idle);
                None
            }
            Look::Measured => Some(Beat::Dead),
            Look::Asked => None,
            Look::AtPing | Look::Idle => {
                self.look = Look::Asked;
                Some(Beat::Measure)
            }
        }
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
        assert_eq!(heartbeat.probe(&CONFIG, upload(900, 50), at(0)), Some(Beat::Ping));
        heartbeat.note_upload(&CONFIG, upload(800, 150), at(0));
        assert_eq!(heartbeat.poll_timeout().0, at(10_000));
        assert_eq!(heartbeat.handle_timeout(&CONFIG, upload(800, 150), at(10_000)), Some(Beat::Measure));
        assert_eq!(heartbeat.handle_timeout(&CONFIG, upload(800, 150), at(10_000)), None);
        heartbeat.note_upload(&CONFIG, upload(300, 650), at(10_000));
        assert_eq!(heartbeat.handle_timeout(&CONFIG, upload(300, 650), at(10_000)), None);
        assert_eq!(heartbeat.poll_timeout().0, at(20_000));
        assert_eq!(heartbeat.handle_timeout(&CONFIG, upload(300, 650), at(20_000)), Some(Beat::Measure));
        heartbeat.note_upload(&CONFIG, upload(300, 650), at(20_000));
        assert_eq!(heartbeat.handle_timeout(&CONFIG, upload(300, 650), at(20_000)), Some(Beat::Dead));
    }

    #[test]
    fn an_upload_that_has_left_before_the_ping_excuses_nothing() {
        let mut heartbeat = Heartbeat::new(&CONFIG, at(0));
        heartbeat.probe(&CONFIG, Upload { buffered: 900, drained: 0 }, at(0));
        heartbeat.note_upload(&CONFIG, Upload { buffered: 0, drained: 900 }, at(0));
        let later = Upload { buffered: 500, drained: 2_000 };
        assert_eq!(heartbeat.handle_timeout(&CONFIG, later, at(2_000)), Some(Beat::Dead));
    }
}

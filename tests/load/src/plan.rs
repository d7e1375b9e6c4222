//! How much of everything a run does.

use std::time::Duration;

/// The sizes of a run.
pub struct Plan {
    /// Clients of the main run.
    pub clients: usize,
    /// Members of each session.
    pub session_size: usize,
    /// Clients that say hello, in a run that measures a store.
    pub members: usize,
    /// Wanted deliveries per second, each for one stage.
    pub rates: &'static [u32],
    /// The same for events that are stored for each member.
    pub stored_rates: &'static [u32],
    /// How long a stage is measured.
    pub measured: Duration,
    /// How long the stage of the target is measured.
    pub measured_at_target: Duration,
    /// How long a stage runs before it is measured.
    pub warm_up: Duration,
    /// How long the connections are held before memory is read.
    pub hold: Duration,
    /// Connections of the last scenario, a ramp on its own; 0 leaves it out.
    pub beyond: usize,
    /// Whether the absolute targets are judged.
    pub judged: bool,
}

impl Plan {
    /// The figures of the documentation.
    pub const FULL: Self = Self {
        clients: 10_000,
        session_size: 50,
        members: 1_000,
        stored_rates: &[5_000, 10_000, 20_000, 40_000, 80_000],
        rates: &[25_000, TARGET_RATE, 75_000, 100_000, 125_000, 150_000, 200_000, 250_000],
        measured: Duration::from_secs(10),
        measured_at_target: Duration::from_secs(30),
        warm_up: Duration::from_secs(3),
        hold: Duration::from_secs(5),
        beyond: 19_000,
        judged: true,
    };

    /// Whether everything works, in seconds.
    pub const QUICK: Self = Self {
        clients: 500,
        session_size: 50,
        members: 100,
        stored_rates: &[2_000],
        rates: &[5_000],
        measured: Duration::from_secs(3),
        measured_at_target: Duration::from_secs(3),
        warm_up: Duration::from_secs(1),
        hold: Duration::from_millis(500),
        beyond: 0,
        judged: false,
    };

    /// How long a stage of this rate is measured.
    pub fn measured_at(&self, rate: u32) -> Duration {
        if rate == TARGET_RATE { self.measured_at_target } else { self.measured }
    }

    /// The most connections that a process has open.
    pub fn most_connections(&self) -> usize {
        self.clients.max(self.beyond)
    }
}

/// The rate of the stage that is reported: above the wanted 50 000, because arrivals are random.
pub const TARGET_RATE: u32 = 52_000;

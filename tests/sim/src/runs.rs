//! Many runs, on every core.

use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::flaw::Flaw;
use crate::generate;
use crate::run::{Outcome, run};
use crate::run_plan::Plan;
use crate::run_tally::Tally;
use crate::socketio;
use crate::verdict::BrokenRule;

/// What to run.
#[derive(Clone, Copy, Debug)]
pub struct Campaign {
    /// The first seed; the others follow.
    pub seed: u64,
    /// How many runs at most.
    pub runs: u64,
    /// For how long at most.
    pub limit: Option<Duration>,
    /// What the server or the pages do wrong, only to show that the simulation notices.
    pub flaw: Option<Flaw>,
}

impl Default for Campaign {
    fn default() -> Self {
        Self { seed: 0, runs: 10_000, limit: None, flaw: None }
    }
}

/// What came of them.
#[derive(Debug, Default)]
pub struct Results {
    /// How many were run.
    pub runs: u64,
    /// What they exercised.
    pub tally: Tally,
    /// The virtual time of all of them, in milliseconds.
    pub virtual_ms: u64,
    /// The real time.
    pub took: Duration,
    /// The first seed that broke a rule.
    pub broken: Option<(u64, BrokenRule)>,
}

impl Campaign {
    /// The plan of one of its seeds.
    pub(crate) fn plan(&self, seed: u64) -> Plan {
        let mut plan = generate::plan(seed);
        plan.setup.server.flaw = self.flaw;
        plan
    }

    /// Runs one of its seeds.
    pub(crate) fn run_seed(&self, seed: u64, is_traced: bool) -> Outcome {
        if socketio::is_for(seed) {
            socketio::run(&socketio::plan::plan(seed), is_traced)
        } else {
            run(&self.plan(seed), is_traced)
        }
    }

    /// What has to be typed beside the seed.
    pub(crate) fn flags(&self) -> String {
        let flaw = Flaw::ALL.iter().find(|(_, flaw)| self.flaw == Some(*flaw));
        flaw.map(|(name, _)| format!(" --break {name}")).unwrap_or_default()
    }

    /// Runs until the end or the first violation, and says from time to time how many are done.
    pub fn run(&self, progress: impl Fn(u64, Duration) + Sync) -> Results {
        let started = Instant::now();
        let next = AtomicU64::new(self.seed);
        let end = AtomicU64::new(self.seed.saturating_add(self.runs));
        let results = Mutex::new(Results::default());
        let latest_beat = AtomicU64::new(0);
        let work = || {
            let mut mine = Results::default();
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                let is_over = self.limit.is_some_and(|limit| started.elapsed() >= limit);
                if seed >= end.load(Ordering::Relaxed) || is_over {
                    break;
                }
                let outcome = self.run_seed(seed, false);
                mine.runs += 1;
                mine.virtual_ms += outcome.took_ms;
                mine.tally.merge(&outcome.tally);
                if let Some(violation) = outcome.violation {
                    // Lower seeds are under way and may fail too.
                    end.fetch_min(seed, Ordering::Relaxed);
                    mine.broken = Some((seed, violation));
                }
                let elapsed = started.elapsed();
                let beat = elapsed.as_millis() as u64 / PROGRESS_MS;
                if latest_beat.fetch_max(beat, Ordering::Relaxed) < beat {
                    progress(seed - self.seed, elapsed);
                }
            }
            if let Ok(mut results) = results.lock() {
                results.merge(mine);
            }
        };
        let workers = std::thread::available_parallelism().map_or(1, NonZero::get);
        std::thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(work);
            }
        });
        let mut results = results.into_inner().unwrap_or_default();
        results.took = started.elapsed();
        results
    }
}

impl Results {
    fn merge(&mut self, other: Self) {
        self.runs += other.runs;
        self.virtual_ms += other.virtual_ms;
        self.tally.merge(&other.tally);
        let seed = |broken: &Option<(u64, BrokenRule)>| broken.as_ref().map_or(u64::MAX, |(seed, _)| *seed);
        if seed(&other.broken) < seed(&self.broken) {
            self.broken = other.broken;
        }
    }

    /// How quick they were, all cores together.
    pub fn runs_per_second(&self) -> f64 {
        self.runs as f64 / self.took.as_secs_f64().max(0.001)
    }
}

const PROGRESS_MS: u64 = 2_000;

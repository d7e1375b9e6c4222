//! How long to wait before the next attempt.

use fastrand::Rng;

use super::config::Reconnect;

/// Capped exponential backoff with jitter, and the budget of attempts.
#[derive(Debug)]
pub struct Backoff {
    attempt: u32,
    base_ms: f64,
}

/// One wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delay {
    /// The number of the attempt that follows the wait, from 1.
    pub attempt: u32,
    /// The wait in milliseconds, jitter included.
    pub ms: u64,
}

/// How patient a wait has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// What the attempt's number asks for.
    Usual,
    /// At least the cap, because the server asked for time.
    Longer,
}

impl Backoff {
    /// A fresh budget.
    pub fn new(config: &Reconnect) -> Self {
        Self { attempt: 0, base_ms: config.initial_delay_ms as f64 }
    }

    /// Takes one attempt from the budget; `None` when it is used up.
    ///
    /// The jitter is applied after the cap and to both sides of it, so that clients which have all reached the cap still spread.
    pub fn next(&mut self, config: &Reconnect, patience: Patience, rng: &mut Rng) -> Option<Delay> {
        if self.attempt >= config.max_attempts {
            return None;
        }
        self.attempt += 1;
        let cap = config.max_delay_ms as f64;
        let base = match patience {
            Patience::Usual => self.base_ms.min(cap),
            Patience::Longer => cap,
        };
        self.base_ms = (self.base_ms * config.factor).min(cap);
        Some(Delay { attempt: self.attempt, ms: jittered(base, config.jitter, rng) })
    }

    /// The attempt that runs or is waited for; 0 when none was taken from the budget.
    pub const fn attempt(&self) -> u32 {
        self.attempt
    }
}

/// Spreads `base` evenly over `base * (1 ± jitter)`, in whole milliseconds and at least 1.
pub fn jittered(base: f64, jitter: f64, rng: &mut Rng) -> u64 {
    let spread = 1.0 + jitter * (2.0 * rng.f64() - 1.0);
    ((base * spread) as u64).max(1)
}

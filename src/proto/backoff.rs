//! How long to wait before the next attempt.

use fastrand::Rng;

use super::config::Reconnect;

/// Capped exponential backoff with jitter, and the budget of attempts. Public for clients of another kind, such as a load generator, that
/// must come back as this one does.
#[derive(Debug)]
pub struct Backoff {
    attempt: u32,
    base_ms: f64,
}

/// One wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delay {
    /// The number of the attempt that follows the wait, from 1.
    pub attempt: u32,
    /// The wait in milliseconds, jitter included.
    pub ms: u64,
}

/// How patient a wait has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RetryPolicy {
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
    pub fn next(&mut self, config: &Reconnect, policy: RetryPolicy, rng: &mut Rng) -> Option<Delay> {
        if self.attempt >= config.max_attempts {
            return None;
        }
        self.attempt += 1;
        let cap = config.max_delay_ms as f64;
        let spread = config.jitter / 2.0;
        let (base, jitter) = match policy {
            RetryPolicy::Usual => (self.base_ms, config.jitter),
            // From the cap upwards: a server that asked for time gets at least that.
            RetryPolicy::Longer => (cap * (1.0 + spread), spread / (1.0 + spread)),
        };
        self.base_ms = (self.base_ms * config.factor).min(cap);
        Some(Delay { attempt: self.attempt, ms: jittered(base, jitter, rng) })
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

#[cfg(test)]
mod tests {
    use fastrand::Rng;

    use super::{Backoff, Delay, RetryPolicy, jittered};
    use crate::proto::Config;
    use crate::proto::config::Reconnect;

    fn without_jitter() -> Reconnect {
        Reconnect { jitter: 0.0, ..Config::default().reconnect }
    }

    #[test]
    fn waits_double_up_to_the_cap_until_the_budget_is_used_up() {
        let (config, mut rng) = (without_jitter(), Rng::with_seed(1));
        let mut backoff = Backoff::new(&config);
        assert_eq!(backoff.attempt(), 0);
        for (attempt, ms) in [(1, 1_000), (2, 2_000), (3, 4_000), (4, 5_000), (5, 5_000)] {
            assert_eq!(backoff.next(&config, RetryPolicy::Usual, &mut rng), Some(Delay { attempt, ms }));
        }
        assert_eq!(backoff.next(&config, RetryPolicy::Usual, &mut rng), None);
        assert_eq!(backoff.attempt(), 5);
    }

    #[test]
    fn a_longer_wait_takes_one_attempt_like_any_other() {
        let (config, mut rng) = (without_jitter(), Rng::with_seed(1));
        let mut backoff = Backoff::new(&config);
        let policy = [RetryPolicy::Longer, RetryPolicy::Usual, RetryPolicy::Longer];
        let waits = policy.map(|policy| backoff.next(&config, policy, &mut rng).map(|delay| delay.ms));
        assert_eq!(waits, [Some(5_000), Some(2_000), Some(5_000)]);
    }

    #[test]
    fn jitter_reaches_both_ends_of_its_range_and_never_zero() {
        let mut rng = Rng::with_seed(1);
        let waits: Vec<_> = (0..10_000).map(|_| jittered(100.0, 1.0, &mut rng)).collect();
        assert_eq!((waits.iter().min(), waits.iter().max()), (Some(&1), Some(&199)));
        assert_eq!(jittered(0.3, 0.0, &mut rng), 1);
        assert_eq!(jittered(700.0, 0.0, &mut rng), 700);
    }
}

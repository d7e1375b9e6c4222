//! The same seed and the same inputs give the same outputs.

use everwire::proto::Config;
use everwire_kit::{SocketOutcome, TestHarness, secs};
use proptest::prelude::*;

use crate::steps::{Histories, Step, configs, histories};

fn trace(config: Config, seed: u64, history: &[Step]) -> Vec<String> {
    let mut harness = TestHarness::seeded(config, seed);
    for (number, step) in history.iter().cloned().enumerate() {
        harness.take(step, number);
    }
    harness.trace
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_history_has_one_outcome(config in configs(), seed: u64, history in histories(40)) {
        prop_assert_eq!(trace(config.clone(), seed, &history), trace(config, seed, &history));
    }
}

#[test]
fn other_seeds_wait_other_times() {
    let waits = |seed| {
        let mut harness = TestHarness::seeded(Config::default(), seed);
        harness.server.outcome = SocketOutcome::Refuse;
        harness.connect();
        harness.advance(secs(60));
        harness.reconnecting()
    };
    assert_eq!(waits(1), waits(1));
    assert_ne!(waits(1), waits(2));
}

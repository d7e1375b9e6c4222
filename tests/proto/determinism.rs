//! The same seed and the same inputs give the same outputs.

use everwire::proto::Config;
use proptest::prelude::*;

use crate::server::Handshake;
use crate::steps::{Step, configs, histories};
use crate::world::{World, secs};

fn trace(config: Config, seed: u64, history: &[Step]) -> Vec<String> {
    let mut world = World::seeded(config, seed);
    for (number, step) in history.iter().cloned().enumerate() {
        world.take(step, number);
    }
    world.trace
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
        let mut world = World::seeded(Config::default(), seed);
        world.server.handshake = Handshake::Refuse;
        world.connect();
        world.advance(secs(60));
        world.reconnecting()
    };
    assert_eq!(waits(1), waits(1));
    assert_ne!(waits(1), waits(2));
}

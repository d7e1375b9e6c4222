//! What holds in every history. The world itself asserts after every input that at most one socket is live, that the queue
//! keeps its bounds, that every waiting state has a deadline in the future, and that facts of replaced sockets change nothing.

use std::collections::BTreeSet;

use everwire::proto::{Event, Phase, Purpose};
use proptest::prelude::*;

use crate::steps::{configs, histories};
use crate::wire::label;
use crate::world::{World, secs};

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_accepted_message_is_handed_over_once_and_in_order_or_reported_dropped(
        config in configs(), seed: u64, history in histories(60),
    ) {
        let mut world = World::seeded(config, seed);
        for (number, step) in history.into_iter().enumerate() {
            world.take(step, number);
        }
        let accepted = &world.accepted;
        let handed: Vec<_> = (world.sockets.iter().flat_map(|socket| &socket.heard))
            .filter(|heard| !matches!(heard.purpose, Purpose::Rejoin(_)))
            .map(|heard| accepted.iter().position(|label| *label == heard.label))
            .collect();
        prop_assert!(handed.is_sorted_by(|a, b| a < b), "out of order or twice: {handed:?} of {accepted:?}");
        prop_assert!(handed.iter().all(Option::is_some), "handed over what was not accepted");

        let mut left: BTreeSet<_> = (0..accepted.len()).collect();
        for index in handed.into_iter().flatten() {
            left.remove(&index);
        }
        for (label, reason) in world.dropped() {
            if let Some(index) = accepted.iter().position(|known| *known == label) {
                prop_assert!(left.remove(&index), "{label} was reported as {reason:?} and is not missing");
            }
        }
        prop_assert_eq!(left.len(), world.client.snapshot().queued, "messages are lost: {:?}", left);
    }

    #[test]
    fn the_queue_is_empty_once_everything_works_again(config in configs(), seed: u64, history in histories(40)) {
        let mut world = World::seeded(config, seed);
        for (number, step) in history.into_iter().enumerate() {
            world.take(step, number);
        }
        let slowest = 15_000 + 100_000;
        world.recover();
        world.advance(slowest);
        if matches!(world.phase(), Phase::Idle | Phase::GivenUp | Phase::Fatal) {
            world.connect();
            world.advance(0);
        }
        prop_assert_eq!(world.phase(), Phase::Open);
        prop_assert_eq!(world.client.snapshot().queued, 0);
    }

    #[test]
    fn every_wait_is_within_its_bounds(config in configs(), seed: u64, history in histories(40)) {
        let mut world = World::seeded(config.clone(), seed);
        for (number, step) in history.into_iter().enumerate() {
            world.take(step, number);
        }
        let limits = &config.reconnect;
        for (at, event) in &world.events {
            if let Event::Reconnecting { attempt, delay_ms } = event {
                let shortest = limits.initial_delay_ms as f64 * (1.0 - limits.jitter);
                let longest = limits.max_delay_ms as f64 * (1.0 + limits.jitter);
                prop_assert!((1..=limits.max_attempts).contains(attempt), "attempt {attempt} at {at}");
                prop_assert!(*delay_ms >= 1 && *delay_ms as f64 >= shortest.floor(), "{delay_ms} < {shortest}");
                prop_assert!(*delay_ms as f64 <= longest.max(1.0), "{delay_ms} > {longest}");
            }
        }
    }

    #[test]
    fn a_client_that_wants_a_connection_keeps_trying_at_a_bounded_rate(
        config in configs(), seed: u64, history in histories(30),
    ) {
        let mut world = World::seeded(config, seed);
        for (number, step) in history.into_iter().enumerate() {
            world.take(step, number);
        }
        let before = world.trace.len();
        let idle = matches!(world.phase(), Phase::Idle | Phase::GivenUp | Phase::Fatal);
        let settled = world.phase() == Phase::Open && world.due().is_none();
        let queued = world.client.snapshot().queued;
        world.advance(secs(120));
        if idle && queued == 0 {
            prop_assert_eq!(world.trace.len(), before, "{:?} does things on its own", world.phase());
        } else if !idle && !settled {
            prop_assert!(world.trace.len() > before, "{:?} is stuck", world.phase());
        }
    }

    #[test]
    fn dropped_messages_are_handed_back_as_they_were(config in configs(), seed: u64, history in histories(40)) {
        let mut world = World::seeded(config, seed);
        for (number, step) in history.into_iter().enumerate() {
            world.take(step, number);
        }
        for (_, event) in &world.events {
            if let Event::Dropped { message, .. } = event {
                prop_assert_eq!(message.bytes as usize, message.frame.len(), "{}", label(&message.frame));
                prop_assert!(!matches!(message.purpose, Purpose::Rejoin(_)));
            }
        }
    }
}

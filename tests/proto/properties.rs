//! What holds in every history. The harness itself asserts after every input that at most one socket is live, that the queue
//! keeps its bounds, that every waiting state has a deadline in the future, and that inputs of replaced sockets change nothing.

use std::collections::{BTreeMap, BTreeSet};

use everwire::proto::{DropReason, Event, Phase, Purpose};
use everwire_kit::{ServerMemory, TestHarness, label, secs};
use proptest::prelude::*;

use crate::steps::{Histories, Step, configs, histories};

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_accepted_message_is_handed_over_in_order_or_reported_dropped(
        config in configs(), seed: u64, history in histories(60),
    ) {
        let mut harness = TestHarness::seeded(config, seed);
        for (number, step) in history.into_iter().enumerate() {
            harness.take(step, number);
        }
        let accepted = &harness.accepted;
        let index_of = |label: &str| accepted.iter().position(|known| known == label);
        let heard: Vec<_> = (harness.sockets.iter().flat_map(|socket| &socket.sent))
            .filter(|heard| !matches!(heard.purpose, Purpose::Rejoin(_)))
            .collect();
        let mut handed = BTreeMap::<_, (usize, usize)>::new();
        let mut order = Vec::new();
        for message in &heard {
            let index = index_of(&message.label());
            prop_assert!(index.is_some(), "{} was handed over, and was not accepted", message.label());
            let (numbered, plain) = handed.entry(index).or_default();
            if *numbered + *plain == 0 && message.purpose != Purpose::Volatile {
                order.push(index);
            }
            *(if message.sequence.is_some() { numbered } else { plain }) += 1;
        }
        prop_assert!(order.is_sorted(), "out of order: {order:?} of {accepted:?}");
        // With a number, the server tells what comes again from what is new.
        let comes_twice = handed.values().find(|(numbered, plain)| *plain > 1 || *plain == 1 && *numbered > 0);
        prop_assert_eq!(comes_twice, None, "{:?} of {:?}", handed, accepted);

        let mut left: BTreeSet<_> = (0..accepted.len()).filter(|index| !handed.contains_key(&Some(*index))).collect();
        for (label, reason) in harness.dropped() {
            let Some(index) = index_of(&label) else { continue };
            let may_have_arrived =
                matches!(reason, DropReason::Unconfirmed | DropReason::OutcomeUnknown | DropReason::Poisoned);
            let is_missing = left.remove(&index);
            prop_assert!(is_missing || may_have_arrived, "{label} was reported as {reason:?} and is not missing");
        }
        // Volatile messages wait apart, and only while the connection lasts.
        left.retain(|index| !accepted[*index].starts_with("typing"));
        // What a socket did not take is in flight all the same in the reliable mode, and goes out on the next one.
        let (queued, in_flight) = (harness.client().snapshot().queued, harness.client().in_flight());
        prop_assert!((queued..=queued + in_flight).contains(&left.len()), "lost: {left:?}, {queued} wait");
    }

    #[test]
    fn a_server_of_the_reliable_mode_processes_every_message_that_is_not_reported(
        seed: u64, config in configs(), history in histories(60),
    ) {
        let mut config = config;
        config.reliable = true;
        let mut harness = TestHarness::seeded(config, seed);
        harness.memory = Some(ServerMemory::default());
        for (number, step) in history.into_iter().enumerate() {
            let is_about_the_server = matches!(step, Step::Replace { .. } | Step::ServerSpeaks(_));
            if !is_about_the_server {
                harness.take(step, number);
            }
        }
        harness.recover();
        harness.advance(115_000);
        harness.connect();
        harness.advance(0);
        prop_assert_eq!((harness.phase(), harness.client().in_flight()), (Phase::Open, 0));
        // The harness's server panics if a number comes early or twice. So what it has is whole up to the last.
        let reported: BTreeSet<_> = harness.dropped().into_iter().map(|(label, _)| label).collect();
        let is_numbered = |label: &&String| !label.starts_with("typing") && !reported.contains(*label);
        let newest = harness.accepted.iter().rposition(|label| is_numbered(&label)).map_or(0, |index| index + 1);
        prop_assert!(harness.processed() >= newest as u64, "{} of {newest}: {:?}", harness.processed(), harness.accepted);
        prop_assert_eq!(harness.client().snapshot().queued, 0);
    }

    #[test]
    fn the_queue_is_empty_once_everything_works_again(config in configs(), seed: u64, history in histories(40)) {
        let mut harness = TestHarness::seeded(config, seed);
        for (number, step) in history.into_iter().enumerate() {
            harness.take(step, number);
        }
        let slowest = 15_000 + 100_000;
        harness.recover();
        harness.advance(slowest);
        if matches!(harness.phase(), Phase::Idle | Phase::LoggedOut | Phase::GivenUp | Phase::Fatal) {
            harness.connect();
            harness.advance(0);
        }
        prop_assert_eq!(harness.phase(), Phase::Open);
        prop_assert_eq!((harness.client().snapshot().queued, harness.client().in_flight()), (0, 0));
    }

    #[test]
    fn every_wait_is_within_its_bounds(config in configs(), seed: u64, history in histories(40)) {
        let mut harness = TestHarness::seeded(config.clone(), seed);
        for (number, step) in history.into_iter().enumerate() {
            harness.take(step, number);
        }
        let limits = &config.reconnect;
        for (at, event) in &harness.events {
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
        let mut harness = TestHarness::seeded(config.clone(), seed);
        for (number, step) in history.into_iter().enumerate() {
            harness.take(step, number);
        }
        let (lines, attempts, events) = (harness.trace.len(), harness.sockets.len(), harness.events.len());
        let idle = matches!(harness.phase(), Phase::Idle | Phase::LoggedOut | Phase::GivenUp | Phase::Fatal);
        let settled = harness.phase() == Phase::Open && harness.due().is_none();
        let queued = harness.client().snapshot().queued;
        harness.advance(secs(120));
        if idle && queued == 0 {
            prop_assert_eq!(harness.trace.len(), lines, "{:?} does things on its own", harness.phase());
        } else if !idle && !settled {
            prop_assert!(harness.trace.len() > lines, "{:?} is stuck", harness.phase());
        }
        // The first may have been scheduled before. Every other has been waited for, and all waits fit into the time.
        let asked: Vec<_> = harness.sockets[attempts..].iter().map(|socket| socket.asked_at).collect();
        let shortest = (config.reconnect.initial_delay_ms as f64 * (1.0 - config.reconnect.jitter)).max(1.0) as u64;
        prop_assert!(asked.windows(2).all(|pair| pair[1] - pair[0] >= shortest), "{asked:?}, {shortest} ms apart");
        let waits = harness.events[events..].iter().filter_map(|(_, event)| match event {
            Event::Reconnecting { delay_ms, .. } => Some(*delay_ms),
            _ => None,
        });
        let waits: Vec<_> = waits.collect();
        // A page without a network looks for one every 30 s, give or take a half.
        let checks = 120 / 15;
        prop_assert!(asked.len() <= waits.len() + 1 + checks, "{asked:?}, waited {waits:?}");
    }

    #[test]
    fn dropped_messages_are_handed_back_as_they_were(config in configs(), seed: u64, history in histories(40)) {
        let mut harness = TestHarness::seeded(config, seed);
        for (number, step) in history.into_iter().enumerate() {
            harness.take(step, number);
        }
        for (_, event) in &harness.events {
            if let Event::Dropped { message, .. } = event {
                prop_assert_eq!(message.bytes as usize, message.frame.len(), "{}", label(&message.frame));
                prop_assert!(!matches!(message.purpose, Purpose::Rejoin(_)));
            }
        }
    }
}

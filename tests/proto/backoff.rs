//! How long the client waits between attempts.

use everwire::proto::{Config, Phase};
use everwire_kit::{SocketOutcome, TestHarness, secs};

fn waits(harness: &TestHarness) -> Vec<u64> {
    harness.reconnecting().iter().map(|(_, wait)| *wait).collect()
}

#[test]
fn waits_are_one_two_four_and_then_five_seconds() {
    let mut harness = TestHarness::new(|_| {});
    harness.server.outcome = SocketOutcome::Refuse;
    harness.connect();
    harness.advance(secs(60));
    assert_eq!(harness.reconnecting(), [(1, 1_000), (2, 2_000), (3, 4_000), (4, 5_000), (5, 5_000)]);
    let starts: Vec<_> = harness.sockets.iter().map(|socket| socket.asked_at - harness.sockets[0].asked_at).collect();
    assert_eq!(starts, [0, 1_000, 3_000, 7_000, 12_000, 17_000]);
}

#[test]
fn initial_delay_factor_and_cap_are_what_the_options_say() {
    let mut harness = TestHarness::new(|config| {
        config.reconnect.initial_delay_ms = 200;
        config.reconnect.factor = 3.0;
        config.reconnect.max_delay_ms = 1_000;
        config.reconnect.max_attempts = 4;
    });
    harness.server.outcome = SocketOutcome::Refuse;
    harness.connect();
    harness.advance(secs(60));
    assert_eq!(waits(&harness), [200, 600, 1_000, 1_000]);
    assert_eq!(harness.gave_up(), [4]);
}

#[test]
fn a_factor_of_one_waits_the_initial_delay_every_time() {
    let mut harness = TestHarness::new(|config| config.reconnect.factor = 1.0);
    harness.server.outcome = SocketOutcome::Refuse;
    harness.connect();
    harness.advance(secs(60));
    assert_eq!(waits(&harness), [1_000; 5]);
}

#[test]
fn jitter_spreads_every_wait_to_both_sides_even_at_the_cap() {
    let mut seen = [(); 5].map(|()| Vec::new());
    for seed in 0..400 {
        let mut harness = TestHarness::seeded(Config::default(), seed);
        harness.server.outcome = SocketOutcome::Refuse;
        harness.connect();
        harness.advance(secs(60));
        for (attempt, wait) in harness.reconnecting() {
            seen[attempt as usize - 1].push(wait);
        }
    }
    for (base, waits) in [1_000, 2_000, 4_000, 5_000, 5_000].into_iter().zip(seen) {
        let (low, high) = (waits.iter().min().copied(), waits.iter().max().copied());
        assert!((base / 2..base * 11 / 20).contains(&low.unwrap_or(0)), "{base}: lowest {low:?}");
        assert!((base * 29 / 20..=base * 3 / 2).contains(&high.unwrap_or(0)), "{base}: highest {high:?}");
        let mean = waits.iter().sum::<u64>() / waits.len() as u64;
        assert!(mean.abs_diff(base) < base / 10, "{base}: mean {mean}");
    }
}

#[test]
fn an_open_that_does_not_last_keeps_the_counter() {
    let mut harness = TestHarness::open(|_| {});
    harness.close(1006);
    harness.advance(1_000);
    assert_eq!(harness.phase(), Phase::Open);
    harness.advance(4_999);
    harness.close(1006);
    assert_eq!(harness.reconnecting(), [(1, 1_000), (2, 2_000)]);
}

#[test]
fn five_stable_seconds_reset_the_counter() {
    let mut harness = TestHarness::open(|_| {});
    harness.close(1006);
    harness.advance(1_000);
    harness.advance(5_000);
    harness.close(1006);
    assert_eq!(harness.reconnecting(), [(1, 1_000), (1, 1_000)]);
}

#[test]
fn a_server_that_accepts_and_closes_at_once_uses_up_the_budget() {
    let mut harness = TestHarness::new(|_| {});
    harness.server.outcome = SocketOutcome::Close(1011);
    harness.connect();
    harness.advance(secs(60));
    assert_eq!((harness.phase(), harness.opens(), harness.gave_up()), (Phase::GivenUp, 6, vec![5]));
}

#[test]
fn a_server_that_asks_for_patience_is_given_the_longest_wait_at_once() {
    for code in [1012, 1013] {
        let mut harness = TestHarness::open(|_| {});
        harness.close(code);
        harness.advance(5_000);
        assert_eq!(harness.phase(), Phase::Open, "{code}");
        harness.close(1006);
        assert_eq!(harness.reconnecting(), [(1, 5_000), (2, 2_000)], "{code}");
    }
}

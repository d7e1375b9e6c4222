//! Noticing that the link is dead.

use everwire::proto::{Input, Phase, Timer};
use everwire_kit::{Stage, TestHarness, secs};
use serde_json::json;

#[test]
fn pings_every_thirty_seconds_while_pongs_come() {
    let mut harness = TestHarness::open(|_| {});
    let opened = harness.now;
    assert_eq!(harness.due(), Some((30_000, Timer::PingDue)));
    harness.advance(secs(120));
    let pings: Vec<_> = harness.last().pings.iter().map(|at| at - opened).collect();
    assert_eq!(pings, [30_000, 60_000, 90_000, 120_000]);
    assert_eq!(harness.sockets.len(), 1);
}

#[test]
fn the_round_trip_time_is_that_of_the_last_answered_ping() {
    let mut harness = TestHarness::open(|_| {});
    harness.server.latency_ms = 80;
    harness.advance(30_079);
    assert_eq!(harness.client().snapshot().last_rtt_ms, None);
    harness.advance(1);
    assert_eq!(harness.client().snapshot().last_rtt_ms, Some(80));
    harness.server.latency_ms = 25;
    harness.advance(30_000);
    assert_eq!(harness.client().snapshot().last_rtt_ms, Some(25));
}

#[test]
fn gives_up_on_a_silent_server_after_one_missed_pong() {
    let mut harness = TestHarness::open(|_| {});
    harness.server.answers_pings = false;
    harness.server.completes_closing = false;
    harness.advance(secs(30));
    assert_eq!(harness.due(), Some((10_000, Timer::PongOverdue)));
    harness.advance(9_999);
    assert_eq!(harness.phase(), Phase::Open);
    harness.advance(1);
    assert_eq!(harness.last().stage, Stage::Abandoned { at: harness.now });
    assert_eq!((harness.phase(), harness.due()), (Phase::Waiting, Some((1_000, Timer::RetryDue))));
    assert_eq!(harness.closes(), [1006]);
    harness.advance(1_000);
    assert_eq!(harness.phase(), Phase::Open);
}

#[test]
fn other_frames_do_not_stand_for_a_pong() {
    let mut harness = TestHarness::open(|_| {});
    harness.server.answers_pings = false;
    for _ in 0..39 {
        harness.advance(secs(1));
        harness.push(json!({ "type": "notification", "data": {} }));
    }
    assert_eq!(harness.phase(), Phase::Open);
    harness.advance(secs(1));
    assert_eq!(harness.phase(), Phase::Waiting);
    assert_eq!(harness.frames().len(), 39);
}

#[test]
fn a_pong_that_comes_with_the_last_millisecond_saves_the_connection() {
    let mut harness = TestHarness::open(|_| {});
    harness.server.latency_ms = 10_000;
    harness.advance(secs(41));
    assert_eq!((harness.phase(), harness.sockets.len()), (Phase::Open, 1));
}

#[test]
fn a_pong_that_nobody_waits_for_is_delivered_and_changes_nothing_else() {
    let mut harness = TestHarness::open(|_| {});
    harness.advance(secs(7));
    harness.push(json!({ "type": "pong", "data": {} }));
    assert_eq!(harness.due(), Some((23_000, Timer::PingDue)));
    assert_eq!(harness.client().snapshot().last_rtt_ms, None);
    assert_eq!(harness.frames().len(), 1);
}

#[test]
fn interval_and_deadline_are_what_the_options_say() {
    let mut harness = TestHarness::open(|config| {
        config.heartbeat.interval_ms = 1_500;
        config.heartbeat.timeout_ms = 700;
    });
    harness.server.answers_pings = false;
    harness.advance(1_500);
    assert_eq!(harness.last().pings.len(), 1);
    harness.advance(699);
    assert_eq!(harness.phase(), Phase::Open);
    harness.advance(1);
    assert_eq!(harness.phase(), Phase::Waiting);
}

#[test]
fn an_answer_slower_than_the_interval_is_followed_by_the_next_ping_at_once() {
    let mut harness = TestHarness::open(|config| config.heartbeat.interval_ms = 2_000);
    harness.server.latency_ms = 3_000;
    let opened = harness.now;
    harness.advance(secs(9));
    let pings: Vec<_> = harness.last().pings.iter().map(|at| at - opened).collect();
    assert_eq!(pings, [2_000, 5_000, 8_000]);
    assert_eq!(harness.sockets.len(), 1);
}

#[test]
fn a_heartbeat_that_is_switched_off_never_pings() {
    let mut harness = TestHarness::open(|config| config.heartbeat.interval_ms = u64::MAX);
    harness.server.answers_pings = false;
    harness.advance(secs(86_400));
    harness.input(Input::PageVisible);
    assert_eq!((harness.phase(), harness.due()), (Phase::Open, None));
    assert!(harness.last().pings.is_empty());
}

#[test]
fn a_suspended_page_that_notices_the_deadline_late_asks_once_more_before_giving_up() {
    let mut harness = TestHarness::open(|_| {});
    harness.server.answers_pings = false;
    harness.advance(secs(30));
    harness.server.answers_pings = true;
    harness.suspend(secs(300));
    assert_eq!((harness.phase(), harness.sockets.len()), (Phase::Open, 1));
    assert_eq!(harness.last().pings.len(), 2);
}

#[test]
fn the_second_chance_is_short_and_the_only_one() {
    let mut harness = TestHarness::open(|_| {});
    harness.server.answers_pings = false;
    harness.advance(secs(30));
    harness.suspend(secs(300));
    assert_eq!((harness.phase(), harness.due()), (Phase::Open, Some((2_000, Timer::PongOverdue))));
    harness.suspend(secs(300));
    assert_eq!(harness.sockets[0].stage, Stage::Abandoned { at: harness.now });
    assert_eq!(harness.sockets[0].pings.len(), 2);
    assert_eq!(harness.phase(), Phase::Waiting);
}

#[test]
fn a_deadline_noticed_a_little_late_is_still_a_missed_pong() {
    let mut harness = TestHarness::open(|_| {});
    harness.server.answers_pings = false;
    harness.advance(secs(30));
    harness.suspend(10_999);
    assert_eq!(harness.phase(), Phase::Waiting);
}

#[test]
fn a_page_that_slept_through_several_intervals_pings_once() {
    let mut harness = TestHarness::open(|_| {});
    harness.suspend(secs(600));
    assert_eq!(harness.last().pings, [harness.now]);
    assert_eq!(harness.due(), Some((30_000, Timer::PingDue)));
}

#[test]
fn a_replaced_connection_starts_its_own_heartbeat() {
    let mut harness = TestHarness::open(|_| {});
    harness.advance(secs(29));
    harness.close(1006);
    harness.advance(1_000);
    assert_eq!((harness.phase(), harness.due()), (Phase::Open, Some((30_000, Timer::PingDue))));
}

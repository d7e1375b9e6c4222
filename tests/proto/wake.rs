//! The network goes and comes; the page sleeps, returns, and comes back from the back/forward cache.

use everwire::proto::{Config, Input, Phase, Timer};
use everwire_kit::{Json, SocketOutcome, Stage, TestHarness, secs};
use serde_json::json;

type Wake = fn() -> Input<Json>;

fn wakes() -> [(&'static str, Wake); 2] {
    [("visible", || Input::PageVisible), ("online", || Input::NetworkOnline)]
}

#[test]
fn waking_up_probes_an_open_connection_with_a_short_deadline() {
    for (name, wake) in wakes() {
        let mut harness = TestHarness::open(|_| {});
        harness.advance(secs(5));
        harness.server.answers_pings = false;
        harness.input(wake());
        assert_eq!(harness.last().pings, [harness.now], "{name}");
        assert_eq!(harness.due(), Some((2_000, Timer::PongOverdue)), "{name}");
        harness.advance(2_000);
        assert_eq!(harness.sockets[0].stage, Stage::Abandoned { at: harness.now }, "{name}");
        assert_eq!(harness.reconnecting(), [(1, 1_000)], "{name}");
    }
}

#[test]
fn a_probe_that_is_answered_goes_back_to_the_usual_interval() {
    let mut harness = TestHarness::open(|_| {});
    harness.advance(secs(5));
    harness.input(Input::PageVisible);
    harness.advance(0);
    assert_eq!(harness.due(), Some((30_000, Timer::PingDue)));
    harness.advance(secs(29));
    assert_eq!((harness.phase(), harness.last().pings.len()), (Phase::Open, 1));
}

#[test]
fn a_probe_is_never_more_patient_than_the_usual_deadline() {
    let mut harness = TestHarness::open(|config| config.heartbeat.timeout_ms = 500);
    harness.input(Input::PageVisible);
    assert_eq!(harness.due(), Some((500, Timer::PongOverdue)));
}

#[test]
fn waking_up_shortens_the_wait_for_a_pong_that_is_under_way_and_never_extends_it() {
    let mut harness = TestHarness::open(|_| {});
    harness.server.answers_pings = false;
    harness.advance(secs(30));
    harness.input(Input::PageVisible);
    assert_eq!((harness.last().pings.len(), harness.due()), (1, Some((2_000, Timer::PongOverdue))));
    harness.advance(1_500);
    harness.input(Input::PageVisible);
    assert_eq!(harness.due(), Some((500, Timer::PongOverdue)));
}

#[test]
fn waking_up_while_waiting_connects_at_once_and_starts_counting_afresh() {
    for (name, wake) in wakes() {
        let mut harness = TestHarness::new(|_| {});
        harness.server.outcome = SocketOutcome::Refuse;
        harness.connect();
        harness.advance(secs(4));
        assert_eq!(harness.reconnecting().last(), Some(&(3, 4_000)), "{name}");
        harness.input(wake());
        assert_eq!(harness.phase(), Phase::Connecting, "{name}");
        harness.advance(0);
        assert_eq!(harness.reconnecting().last(), Some(&(1, 1_000)), "{name}");
    }
}

#[test]
fn waking_up_does_not_replace_an_attempt_that_runs() {
    let mut harness = TestHarness::new(|_| {});
    harness.server.outcome = SocketOutcome::Silent;
    harness.connect();
    harness.advance(secs(3));
    harness.input(Input::PageVisible);
    harness.input(Input::NetworkOnline);
    assert_eq!((harness.sockets.len(), harness.due()), (1, Some((7_000, Timer::ConnectOverdue))));
}

#[test]
fn waking_up_does_not_undo_a_disconnect() {
    let mut harness = TestHarness::open(|_| {});
    harness.disconnect();
    for (_, wake) in wakes() {
        harness.input(wake());
        harness.advance(secs(60));
    }
    harness.input(Input::PageRestored);
    harness.advance(secs(60));
    assert_eq!((harness.phase(), harness.sockets.len()), (Phase::Idle, 1));
}

#[test]
fn losing_the_network_probes_the_connection_instead_of_dropping_it() {
    let mut harness = TestHarness::open(|_| {});
    harness.input(Input::NetworkOffline);
    assert_eq!((harness.phase(), harness.due()), (Phase::Open, Some((2_000, Timer::PongOverdue))));
    harness.advance(secs(20));
    assert_eq!(harness.phase(), Phase::Open);
}

#[test]
fn a_connection_lost_offline_waits_for_the_network_without_spending_attempts() {
    let mut harness = TestHarness::open(|_| {});
    harness.server.answers_pings = false;
    harness.server.outcome = SocketOutcome::Refuse;
    harness.input(Input::NetworkOffline);
    harness.advance(2_000);
    assert_eq!(harness.phase(), Phase::Offline);
    harness.advance(secs(3_600));
    assert_eq!(harness.phase(), Phase::Offline);
    assert!(harness.reconnecting().is_empty() && harness.gave_up().is_empty());
}

#[test]
fn the_network_is_tried_all_the_same_every_fifteen_to_forty_five_seconds() {
    for seed in 0..50 {
        let mut harness = TestHarness::seeded(Config::default(), seed);
        harness.server.outcome = SocketOutcome::Refuse;
        harness.input(Input::NetworkOffline);
        harness.connect();
        harness.advance(0);
        assert_eq!(harness.due().map(|(_, timer)| timer), Some(Timer::NetworkCheckDue));
        harness.advance(secs(3_600));
        let starts: Vec<_> = harness.sockets.iter().map(|socket| socket.asked_at).collect();
        for pair in starts.windows(2) {
            assert!((15_000..=45_000).contains(&(pair[1] - pair[0])), "{}", pair[1] - pair[0]);
        }
    }
}

#[test]
fn a_false_report_of_being_offline_does_not_keep_the_client_away() {
    let mut harness = TestHarness::open(|_| {});
    harness.input(Input::NetworkOffline);
    harness.close(1006);
    assert_eq!(harness.phase(), Phase::Offline);
    harness.advance(secs(45));
    assert_eq!(harness.phase(), Phase::Open);
}

#[test]
fn going_offline_stops_a_scheduled_attempt_and_coming_online_connects_at_once() {
    let mut harness = TestHarness::open(|_| {});
    harness.close(1006);
    harness.input(Input::NetworkOffline);
    assert_eq!(harness.phase(), Phase::Offline);
    harness.advance(1_500);
    assert_eq!(harness.sockets.len(), 1);
    harness.input(Input::NetworkOnline);
    assert_eq!(harness.phase(), Phase::Connecting);
    harness.advance(0);
    assert_eq!(harness.phase(), Phase::Open);
}

#[test]
fn after_the_network_is_back_attempts_are_counted_again() {
    let mut harness = TestHarness::open(|_| {});
    harness.server.outcome = SocketOutcome::Refuse;
    harness.input(Input::NetworkOffline);
    harness.close(1006);
    harness.input(Input::NetworkOnline);
    harness.advance(secs(60));
    assert_eq!((harness.phase(), harness.gave_up()), (Phase::GivenUp, vec![5]));
}

#[test]
fn a_page_from_the_back_forward_cache_connects_anew_at_once() {
    let mut harness = TestHarness::open(|_| {});
    harness.say("before");
    harness.input(Input::PageRestored);
    assert_eq!(harness.sockets[0].stage, Stage::Abandoned { at: harness.now });
    assert_eq!(harness.phase(), Phase::Connecting);
    harness.advance(0);
    assert_eq!((harness.phase(), harness.sockets.len()), (Phase::Open, 2));
}

#[test]
fn a_page_from_the_back_forward_cache_replaces_an_attempt_and_a_wait() {
    for handshake in [SocketOutcome::Silent, SocketOutcome::Refuse] {
        let mut harness = TestHarness::new(|_| {});
        harness.server.outcome = handshake;
        harness.connect();
        harness.advance(0);
        harness.server.outcome = SocketOutcome::Accept;
        harness.input(Input::PageRestored);
        harness.advance(0);
        assert_eq!((harness.phase(), harness.sockets.len()), (Phase::Open, 2), "{handshake:?}");
    }
}

#[test]
fn a_return_to_a_page_that_slept_past_the_pong_deadline_asks_once_more() {
    let mut harness = TestHarness::open(|_| {});
    harness.server.answers_pings = false;
    harness.advance(secs(30));
    harness.sleep_without_alarm(secs(300));
    harness.input(Input::PageVisible);
    assert_eq!((harness.last().pings.len(), harness.due()), (2, Some((2_000, Timer::PongOverdue))));
    harness.advance(2_000);
    assert_eq!(harness.phase(), Phase::Waiting);
}

#[test]
fn a_page_that_wakes_up_behind_its_own_upload_keeps_a_slow_connection() {
    let mut harness = TestHarness::open(|_| {});
    harness.server.answers_pings = false;
    harness.buffered = 200_000;
    harness.say("a");
    harness.input(Input::PageVisible);
    for left in [150_000, 90_000, 20_000] {
        harness.advance(9_999);
        harness.buffered = left;
        harness.advance(1);
        assert_eq!(harness.phase(), Phase::Open, "{left}");
    }
    harness.push(json!({ "type": "pong", "data": {} }));
    assert_eq!((harness.phase(), harness.client().snapshot().last_rtt_ms), (Phase::Open, Some(30_000)));
}

#[test]
fn an_upload_that_stands_still_does_not_keep_a_dead_connection() {
    let mut harness = TestHarness::open(|_| {});
    harness.server.answers_pings = false;
    harness.buffered = 200_000;
    harness.say("a");
    harness.input(Input::PageVisible);
    harness.advance(10_000);
    assert_eq!(harness.phase(), Phase::Open);
    harness.advance(1);
    assert_eq!((harness.phase(), harness.end().as_str()), (Phase::Waiting, "NeverAnswered"));
}

#[test]
fn a_slow_link_gets_a_fifth_of_the_time_that_its_application_has_configured() {
    let mut harness = TestHarness::open(|config| config.heartbeat.timeout_ms = 60_000);
    harness.server.answers_pings = false;
    harness.input(Input::PageVisible);
    harness.advance(11_999);
    assert_eq!(harness.phase(), Phase::Open);
    harness.advance(1);
    assert_eq!(harness.phase(), Phase::Waiting);
}

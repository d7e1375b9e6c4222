//! Connecting, failing, giving up, starting afresh.

use everwire::proto::{Cause, Input, Phase, Reason, Timer};
use everwire_kit::{Act, SocketOutcome, Stage, TestHarness, secs};

#[test]
fn nothing_happens_before_connect() {
    let mut harness = TestHarness::new(|_| {});
    assert_eq!((harness.phase(), harness.due()), (Phase::Idle, None));
    for input in [Input::Timeout, Input::NetworkOffline, Input::NetworkOnline, Input::PageVisible, Input::PageRestored]
    {
        harness.input(input);
        harness.advance(secs(3_600));
    }
    assert_eq!(harness.phase(), Phase::Idle);
    assert!(harness.sockets.is_empty() && harness.events.is_empty());
}

#[test]
fn connect_opens_one_socket_and_says_so() {
    let mut harness = TestHarness::new(|_| {});
    harness.connect();
    assert_eq!(harness.phase(), Phase::Connecting);
    harness.connect();
    harness.advance(0);
    harness.connect();
    assert_eq!(harness.phase(), Phase::Open);
    assert_eq!((harness.sockets.len(), harness.opens()), (1, 1));
}

#[test]
fn connect_does_not_hurry_an_attempt_that_is_scheduled() {
    let mut harness = TestHarness::open(|_| {});
    harness.close(1006);
    harness.connect();
    assert_eq!((harness.phase(), harness.due()), (Phase::Waiting, Some((1_000, Timer::RetryDue))));
}

#[test]
fn an_attempt_that_neither_opens_nor_fails_is_abandoned_after_ten_seconds() {
    let mut harness = TestHarness::new(|_| {});
    harness.server.outcome = SocketOutcome::Silent;
    harness.connect();
    assert_eq!(harness.due(), Some((10_000, Timer::ConnectOverdue)));
    harness.advance(9_999);
    assert_eq!(harness.phase(), Phase::Connecting);
    harness.advance(1);
    assert_eq!(harness.phase(), Phase::Waiting);
    assert_eq!(harness.last().stage, Stage::Abandoned { at: harness.now });
    assert_eq!(harness.closes(), [1006]);
    assert_eq!(harness.reconnecting(), [(1, 1_000)]);
}

#[test]
fn a_handshake_that_completes_after_the_connect_timeout_is_ignored() {
    let mut harness = TestHarness::new(|_| {});
    harness.server.latency_ms = 10_001;
    harness.connect();
    harness.advance(10_001);
    assert_eq!((harness.phase(), harness.opens()), (Phase::Waiting, 0));
}

#[test]
fn five_refused_attempts_exhaust_the_budget_and_the_client_says_so_once() {
    let mut harness = TestHarness::new(|_| {});
    harness.server.outcome = SocketOutcome::Refuse;
    harness.connect();
    harness.advance(secs(3_600));
    assert_eq!(harness.phase(), Phase::GivenUp);
    assert_eq!(harness.gave_up(), [5]);
    assert_eq!(harness.sockets.len(), 1 + 5);
    assert_eq!(harness.due(), None);
}

#[test]
fn a_token_that_cannot_be_had_counts_as_a_failed_attempt() {
    let mut harness = TestHarness::new(|_| {});
    harness.server.outcome = SocketOutcome::NoToken;
    harness.connect();
    harness.advance(secs(60));
    assert_eq!((harness.phase(), harness.sockets.len()), (Phase::GivenUp, 6));
    assert_eq!(harness.client().snapshot().close.map(|close| &close.reason), Some(&Reason::Client(Cause::NoToken)));
}

#[test]
fn an_infinite_budget_never_ends() {
    let mut harness = TestHarness::new(|config| config.reconnect.max_attempts = u32::MAX);
    harness.server.outcome = SocketOutcome::Refuse;
    harness.connect();
    harness.advance(secs(3_600));
    assert_eq!((harness.phase(), harness.gave_up().len()), (Phase::Waiting, 0));
    assert!(harness.sockets.len() > 700, "{} attempts", harness.sockets.len());
}

#[test]
fn without_a_budget_a_lost_connection_stays_lost_until_the_user_returns() {
    let mut harness = TestHarness::open(|config| config.reconnect.max_attempts = 0);
    harness.close(1006);
    assert_eq!((harness.phase(), harness.gave_up()), (Phase::GivenUp, vec![0]));
    harness.input(Input::PageVisible);
    harness.advance(0);
    assert_eq!(harness.phase(), Phase::Open);
}

#[test]
fn each_revival_opens_at_once_with_a_fresh_budget() {
    let revivals: [(&str, Act); 5] = [
        ("reconnect", TestHarness::reconnect),
        ("connect", TestHarness::connect),
        ("online", |harness| harness.input(Input::NetworkOnline)),
        ("visible", |harness| harness.input(Input::PageVisible)),
        ("restored", |harness| harness.input(Input::PageRestored)),
    ];
    for (name, revive) in revivals {
        let mut harness = TestHarness::new(|_| {});
        harness.server.outcome = SocketOutcome::Refuse;
        harness.connect();
        harness.advance(secs(60));
        assert_eq!(harness.phase(), Phase::GivenUp, "{name}");
        revive(&mut harness);
        assert_eq!((harness.phase(), harness.last().asked_at), (Phase::Connecting, harness.now), "{name}");
        harness.advance(secs(60));
        assert_eq!(harness.gave_up(), [5, 5], "{name}");
        assert_eq!(harness.sockets.len(), 12, "{name}");
    }
}

#[test]
fn the_user_who_returns_during_the_last_attempt_gets_a_fresh_budget() {
    for input in [|| Input::PageVisible, || Input::NetworkOnline] {
        let mut harness = TestHarness::new(|_| {});
        harness.server.outcome = SocketOutcome::Refuse;
        harness.connect();
        harness.advance(secs(16));
        harness.server.outcome = SocketOutcome::Silent;
        harness.advance(secs(2));
        assert_eq!((harness.phase(), harness.client().snapshot().attempt), (Phase::Connecting, 5));
        harness.input(input());
        harness.advance(secs(9));
        assert_eq!((harness.phase(), harness.gave_up()), (Phase::Waiting, vec![]));
    }
}

#[test]
fn the_snapshot_tells_which_attempt_runs_or_is_waited_for_and_when() {
    let mut harness = TestHarness::open(|_| {});
    harness.server.outcome = SocketOutcome::Silent;
    harness.close(1011);
    let snapshot = harness.client().snapshot();
    assert_eq!(snapshot.attempt, 1);
    assert_eq!(snapshot.retry_at.map(|at| at.as_millis()), Some(harness.now + 1_000));
    assert_eq!(snapshot.close.map(|close| close.code), Some(1011));
    harness.advance(1_000);
    let snapshot = harness.client().snapshot();
    assert_eq!((snapshot.phase, snapshot.attempt, snapshot.retry_at), (Phase::Connecting, 1, None));
    harness.advance(10_000);
    assert_eq!(harness.client().snapshot().attempt, 2);
}

#[test]
fn the_page_that_was_suspended_past_a_retry_connects_as_soon_as_it_runs() {
    let mut harness = TestHarness::open(|_| {});
    harness.close(1006);
    harness.suspend(secs(600));
    assert_eq!((harness.phase(), harness.last().asked_at), (Phase::Open, harness.now));
}

#[test]
fn an_early_alarm_changes_nothing() {
    let mut harness = TestHarness::open(|_| {});
    harness.close(1006);
    harness.advance(999);
    let before = format!("{:?}", harness.client());
    harness.input(Input::Timeout);
    assert_eq!(before, format!("{:?}", harness.client()));
    harness.advance(1);
    assert_eq!(harness.phase(), Phase::Open);
}

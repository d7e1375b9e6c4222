//! The application has no token: nobody is logged in.

use everwire::proto::{Input, Phase, RequestFailure, Sent, Timer};
use everwire_kit::{Act, Json, SocketOutcome, TestHarness, request, secs};

/// A client whose first attempt found nobody logged in.
fn logged_out() -> TestHarness {
    let mut harness = TestHarness::new(|_| {});
    log_out(&mut harness);
    harness.connect();
    harness.advance(0);
    assert_eq!(harness.phase(), Phase::LoggedOut);
    harness
}

fn log_out(harness: &mut TestHarness) {
    harness.server.outcome = SocketOutcome::TokenAbsent;
}

fn log_in(harness: &mut TestHarness) {
    harness.server.outcome = SocketOutcome::Accept;
    harness.token_changed();
}

fn token_requests(harness: &TestHarness) -> Vec<bool> {
    harness.sockets.iter().map(|socket| socket.token_refused).collect()
}

#[test]
fn without_a_token_the_client_waits_and_is_told_of_no_failure() {
    let mut harness = logged_out();
    assert_eq!((harness.due(), harness.alarm), (None, None));
    harness.advance(secs(600));
    assert_eq!((harness.phase(), harness.sockets.len()), (Phase::LoggedOut, 1));
    assert_eq!(harness.closes(), [] as [u16; 0]);
    assert_eq!((harness.reconnecting(), harness.gave_up(), harness.opens()), (vec![], vec![], 0));
    let snapshot = harness.client().snapshot();
    assert_eq!((snapshot.attempt, snapshot.retry_at, snapshot.close), (0, None, None));
}

#[test]
fn the_network_and_the_page_do_not_bring_a_token() {
    let wakes: [fn() -> Input<Json>; 5] = [
        || Input::NetworkOnline,
        || Input::NetworkOffline,
        || Input::PageVisible,
        || Input::PageRestored,
        || Input::Timeout,
    ];
    let mut harness = logged_out();
    let told = harness.events.len();
    for wake in wakes {
        harness.input(wake());
        harness.advance(secs(60));
    }
    assert_eq!((harness.phase(), harness.sockets.len(), harness.events.len()), (Phase::LoggedOut, 1, told));
}

#[test]
fn a_new_token_connects_and_sends_what_has_waited_in_order() {
    let ways: [Act; 3] = [TestHarness::token_changed, TestHarness::connect, TestHarness::reconnect];
    for log_in in ways {
        let mut harness = TestHarness::new(|_| {});
        log_out(&mut harness);
        assert_eq!(harness.say("before"), Sent::Queued);
        harness.connect();
        harness.advance(0);
        assert_eq!(harness.say("after"), Sent::Queued);
        harness.advance(secs(60));
        assert_eq!((harness.phase(), harness.queued()), (Phase::LoggedOut, 2));
        harness.server.outcome = SocketOutcome::Accept;
        log_in(&mut harness);
        harness.advance(0);
        assert_eq!((harness.phase(), harness.heard()), (Phase::Open, vec!["note before".into(), "note after".into()]));
        assert_eq!(token_requests(&harness), [false, false]);
    }
}

#[test]
fn being_logged_out_costs_no_attempts() {
    let mut harness = TestHarness::open(|_| {});
    harness.server.outcome = SocketOutcome::Refuse;
    harness.close(1006);
    harness.advance(secs(8));
    assert_eq!(harness.reconnecting().len(), 4);
    log_out(&mut harness);
    harness.advance(secs(10));
    assert_eq!(harness.phase(), Phase::LoggedOut);
    harness.server.outcome = SocketOutcome::Refuse;
    harness.token_changed();
    harness.advance(0);
    assert_eq!(harness.reconnecting()[4..], [(1, 1_000)]);
}

#[test]
fn a_user_who_is_gone_when_the_token_is_to_be_refreshed_has_logged_out() {
    for code in [1008, 4401] {
        let mut harness = TestHarness::open(|_| {});
        log_out(&mut harness);
        harness.close(code);
        harness.advance(secs(60));
        assert_eq!((harness.phase(), token_requests(&harness)), (Phase::LoggedOut, vec![false, true]), "{code}");
        assert_eq!(harness.closes(), [code]);
        log_in(&mut harness);
        harness.advance(0);
        assert_eq!((harness.phase(), harness.last().token_refused), (Phase::Open, false), "{code}");
    }
}

#[test]
fn a_new_token_revives_a_client_that_was_stopped_by_the_old_one() {
    for code in [1008, 4401] {
        let mut harness = TestHarness::new(|_| {});
        harness.server.outcome = SocketOutcome::Close(code);
        harness.connect();
        harness.advance(secs(60));
        assert_eq!((harness.phase(), harness.sockets.len()), (Phase::Fatal, 2), "{code}");
        log_in(&mut harness);
        harness.advance(0);
        assert_eq!((harness.phase(), token_requests(&harness)), (Phase::Open, vec![false, true, false]), "{code}");
    }
}

#[test]
fn a_new_token_does_not_revive_a_client_that_was_stopped_for_something_else() {
    let ends: [Act; 2] = [
        |harness| harness.close(1002),
        |harness| {
            harness.server.outcome = SocketOutcome::Close(1002);
            harness.close(4401);
            harness.advance(secs(60));
        },
    ];
    for end in ends {
        let mut harness = TestHarness::open(|_| {});
        end(&mut harness);
        assert_eq!(harness.phase(), Phase::Fatal);
        let attempts = harness.sockets.len();
        for _ in 0..2 {
            log_in(&mut harness);
            harness.advance(secs(60));
            assert_eq!((harness.phase(), harness.sockets.len()), (Phase::Fatal, attempts));
        }
    }
}

#[test]
fn a_new_token_does_not_wait_for_the_next_attempt() {
    let mut harness = TestHarness::open(|_| {});
    harness.close(4401);
    assert_eq!(harness.phase(), Phase::Waiting);
    harness.token_changed();
    assert_eq!((harness.phase(), harness.last().token_refused), (Phase::Connecting, false));
    harness.advance(0);
    assert_eq!(harness.phase(), Phase::Open);
}

#[test]
fn a_new_token_is_tried_after_giving_up_because_a_refusal_over_http_looks_like_a_lost_network() {
    let mut harness = TestHarness::new(|_| {});
    harness.server.outcome = SocketOutcome::Refuse;
    harness.connect();
    harness.advance(secs(60));
    assert_eq!(harness.phase(), Phase::GivenUp);
    harness.server.outcome = SocketOutcome::Accept;
    harness.token_changed();
    harness.advance(0);
    assert_eq!(harness.phase(), Phase::Open);
}

#[test]
fn a_new_token_changes_nothing_where_none_is_missing() {
    let places: [(Phase, Act); 4] = [
        (Phase::Idle, |_| {}),
        (Phase::Connecting, TestHarness::connect),
        (Phase::Open, |harness| {
            harness.connect();
            harness.advance(0);
        }),
        (Phase::Offline, |harness| {
            harness.connect();
            harness.input(Input::NetworkOffline);
            harness.close(1006);
        }),
    ];
    for (phase, arrive) in places {
        let mut harness = TestHarness::new(|_| {});
        arrive(&mut harness);
        let (attempts, told, due) = (harness.sockets.len(), harness.events.len(), harness.due());
        harness.token_changed();
        assert_eq!((harness.phase(), harness.sockets.len()), (phase, attempts));
        assert_eq!((harness.events.len(), harness.due()), (told, due), "{phase:?}");
    }
}

#[test]
fn a_page_that_has_slept_does_what_is_due_when_it_is_told_of_a_token() {
    let mut harness = TestHarness::new(|_| {});
    harness.server.outcome = SocketOutcome::Silent;
    harness.connect();
    harness.sleep_without_alarm(secs(60));
    harness.token_changed();
    assert_eq!((harness.phase(), harness.closes()), (Phase::Waiting, vec![1006]));
}

#[test]
fn an_answer_that_is_older_than_the_new_token_does_not_log_out() {
    let mut harness = TestHarness::new(|_| {});
    log_out(&mut harness);
    harness.server.latency_ms = 100;
    harness.connect();
    harness.advance(50);
    log_in(&mut harness);
    harness.advance(50);
    assert_eq!((harness.phase(), harness.reconnecting()), (Phase::Waiting, vec![(1, 1_000)]));
    harness.advance(1_100);
    assert_eq!(harness.phase(), Phase::Open);
}

#[test]
fn an_answer_that_is_as_new_as_the_token_logs_out() {
    let mut harness = TestHarness::new(|_| {});
    log_out(&mut harness);
    harness.connect();
    harness.token_changed();
    harness.advance(secs(60));
    assert_eq!((harness.phase(), harness.sockets.len()), (Phase::LoggedOut, 2));
}

#[test]
fn the_refusal_of_an_old_token_says_nothing_of_the_new_one() {
    let mut harness = TestHarness::open(|_| {});
    harness.close(4401);
    harness.advance(1_000);
    assert_eq!((harness.phase(), harness.last().token_refused), (Phase::Open, true));
    harness.token_changed();
    harness.close(4401);
    assert_eq!(harness.phase(), Phase::Waiting);
    harness.advance(2_000);
    assert_eq!((harness.phase(), harness.last().token_refused), (Phase::Open, true));
    harness.close(4401);
    assert_eq!(harness.phase(), Phase::Fatal);
}

#[test]
fn who_disconnects_is_not_logged_out_by_a_late_answer() {
    let mut harness = TestHarness::new(|_| {});
    log_out(&mut harness);
    harness.server.latency_ms = 100;
    harness.connect();
    harness.disconnect();
    harness.advance(100);
    assert_eq!(harness.phase(), Phase::Idle);
}

#[test]
fn disconnecting_from_a_client_that_waits_for_a_token_leaves_it_idle_for_good() {
    let mut harness = logged_out();
    harness.disconnect();
    assert_eq!((harness.phase(), harness.closes()), (Phase::Idle, vec![]));
    log_in(&mut harness);
    harness.advance(secs(60));
    assert_eq!((harness.phase(), harness.sockets.len()), (Phase::Idle, 1));
}

#[test]
fn a_request_waits_for_the_login_as_long_as_it_has_time() {
    let mut harness = TestHarness::reliable(|_| {});
    log_out(&mut harness);
    harness.close(4401);
    harness.advance(secs(10));
    assert_eq!(harness.phase(), Phase::LoggedOut);
    harness.send(request("slow", 60_000)).expect("the request is accepted");
    harness.send(request("fast", 2_000)).expect("the request is accepted");
    assert_eq!(harness.due(), Some((2_000, Timer::ReplyOverdue)));
    harness.advance(2_000);
    assert_eq!(harness.failed_requests(), [(2, RequestFailure::TimedOut)]);
    log_in(&mut harness);
    harness.advance(0);
    assert_eq!((harness.phase(), harness.numbered()), (Phase::Open, vec!["1: note slow".into()]));
}

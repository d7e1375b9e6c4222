//! `disconnect()`, `reconnect()`, and what close codes mean.

use everwire::proto::{Input, Phase, Timer};
use everwire_kit::{Act, SocketOutcome, Stage, TestHarness, secs};
use serde_json::json;

#[test]
fn disconnect_completes_the_closing_handshake_and_stays_closed() {
    let mut harness = TestHarness::open(|_| {});
    harness.server.latency_ms = 40;
    harness.disconnect();
    assert_eq!((harness.phase(), harness.last().stage), (Phase::Closing, Stage::Closing));
    harness.advance(40);
    assert_eq!((harness.phase(), harness.last().stage, harness.closes()), (Phase::Idle, Stage::Closed, vec![1000]));
    harness.advance(secs(3_600));
    assert_eq!((harness.sockets.len(), harness.due()), (1, None));
}

#[test]
fn a_closing_handshake_that_the_server_does_not_complete_ends_after_three_seconds() {
    let mut harness = TestHarness::open(|_| {});
    harness.server.completes_closing = false;
    harness.disconnect();
    assert_eq!(harness.due(), Some((3_000, Timer::CloseOverdue)));
    harness.advance(3_000);
    assert_eq!((harness.phase(), harness.last().stage), (Phase::Idle, Stage::Abandoned { at: harness.now }));
    assert_eq!((harness.due(), harness.closes().len()), (None, 1));
}

#[test]
fn a_close_code_that_asks_for_a_retry_does_not_undo_a_disconnect() {
    let mut harness = TestHarness::open(|_| {});
    harness.server.completes_closing = false;
    harness.disconnect();
    harness.close(1012);
    harness.advance(secs(60));
    assert_eq!((harness.phase(), harness.sockets.len()), (Phase::Idle, 1));
}

#[test]
fn frames_that_arrive_during_the_closing_handshake_are_delivered() {
    let mut harness = TestHarness::open(|_| {});
    harness.server.latency_ms = 100;
    harness.disconnect();
    harness.push(json!({ "type": "notification", "data": { "text": "late" } }));
    assert_eq!(harness.frames().len(), 1);
}

#[test]
fn disconnect_cancels_what_is_under_way_or_scheduled() {
    let situations: [(&str, Act); 5] = [
        ("connecting", |harness| harness.server.outcome = SocketOutcome::Silent),
        ("waiting", |harness| harness.server.outcome = SocketOutcome::Refuse),
        ("fatal", |harness| harness.server.outcome = SocketOutcome::Close(1002)),
        ("offline", |harness| {
            harness.server.outcome = SocketOutcome::Refuse;
            harness.input(Input::NetworkOffline);
        }),
        ("idle", |_| {}),
    ];
    for (name, arrange) in situations {
        let mut harness = TestHarness::new(|_| {});
        arrange(&mut harness);
        if name != "idle" {
            harness.connect();
        }
        harness.advance(0);
        let sockets = harness.sockets.len();
        harness.disconnect();
        assert_eq!((harness.phase(), harness.due()), (Phase::Idle, None), "{name}");
        harness.advance(secs(60));
        assert_eq!((harness.phase(), harness.sockets.len()), (Phase::Idle, sockets), "{name}");
        assert!(harness.live().is_none(), "{name}");
    }
}

#[test]
fn connect_during_the_closing_handshake_wins_at_once() {
    let mut harness = TestHarness::open(|_| {});
    harness.server.completes_closing = false;
    harness.disconnect();
    harness.connect();
    assert_eq!(harness.sockets[0].stage, Stage::Abandoned { at: harness.now });
    harness.advance(secs(10));
    assert_eq!((harness.phase(), harness.sockets.len()), (Phase::Open, 2));
}

#[test]
fn reconnect_drops_what_is_there_and_connects_anew() {
    let mut harness = TestHarness::open(|_| {});
    harness.reconnect();
    assert_eq!(harness.sockets[0].stage, Stage::Abandoned { at: harness.now });
    assert_eq!((harness.phase(), harness.closes()), (Phase::Connecting, vec![1000]));
    harness.advance(0);
    assert_eq!((harness.phase(), harness.sockets.len()), (Phase::Open, 2));
}

#[test]
fn reconnect_works_from_every_state_with_a_fresh_budget() {
    let situations: [(&str, Act); 6] = [
        ("idle", |_| {}),
        ("connecting", |harness| {
            harness.server.outcome = SocketOutcome::Silent;
            harness.connect();
        }),
        ("waiting", |harness| {
            harness.server.outcome = SocketOutcome::Refuse;
            harness.connect();
            harness.advance(secs(8));
        }),
        ("fatal", |harness| {
            harness.server.outcome = SocketOutcome::Close(1002);
            harness.connect();
        }),
        ("closing", |harness| {
            harness.server.completes_closing = false;
            harness.connect();
            harness.advance(0);
            harness.disconnect();
        }),
        ("offline", |harness| {
            harness.input(Input::NetworkOffline);
            harness.server.outcome = SocketOutcome::Refuse;
            harness.connect();
            harness.advance(0);
            harness.input(Input::NetworkOnline);
        }),
    ];
    for (name, arrange) in situations {
        let mut harness = TestHarness::new(|_| {});
        arrange(&mut harness);
        harness.advance(0);
        harness.server.outcome = SocketOutcome::Refuse;
        harness.reconnect();
        assert_eq!((harness.phase(), harness.last().asked_at), (Phase::Connecting, harness.now), "{name}");
        harness.advance(0);
        assert_eq!(harness.reconnecting().last(), Some(&(1, 1_000)), "{name}");
        harness.server.outcome = SocketOutcome::Accept;
        harness.advance(1_000);
        assert_eq!(harness.phase(), Phase::Open, "{name}");
    }
}

#[test]
fn codes_that_another_attempt_cannot_help_stop_the_client() {
    for code in [1002, 1003, 1007, 1010] {
        let mut harness = TestHarness::open(|_| {});
        harness.close(code);
        assert_eq!((harness.phase(), harness.due()), (Phase::Fatal, None), "{code}");
        assert_eq!(harness.client().snapshot().close.map(|close| close.code), Some(code));
        for input in [Input::PageVisible, Input::NetworkOnline, Input::PageRestored] {
            harness.input(input);
            harness.advance(secs(60));
        }
        assert_eq!((harness.phase(), harness.sockets.len()), (Phase::Fatal, 1), "{code}");
        harness.connect();
        harness.advance(0);
        assert_eq!(harness.phase(), Phase::Open, "{code}");
    }
}

#[test]
fn codes_that_say_nothing_about_another_attempt_are_retried() {
    for code in [1000, 1001, 1005, 1006, 1009, 1011, 3000, 4000] {
        let mut harness = TestHarness::open(|_| {});
        harness.close(code);
        assert_eq!((harness.phase(), harness.due()), (Phase::Waiting, Some((1_000, Timer::RetryDue))), "{code}");
        harness.advance(1_000);
        assert_eq!((harness.phase(), harness.closes()), (Phase::Open, vec![code]), "{code}");
    }
}

#[test]
fn inputs_of_a_replaced_socket_changes_nothing() {
    let mut harness = TestHarness::open(|_| {});
    harness.server.latency_ms = 50;
    harness.disconnect();
    harness.connect();
    assert_eq!(harness.sockets.len(), 2);
    harness.advance(50);
    assert_eq!((harness.phase(), harness.closes()), (Phase::Open, vec![1000]));
}

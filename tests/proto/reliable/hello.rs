//! Asking for the reliable mode.

use everwire::proto::{Delivery, DropReason, Input, Phase, Sent, Timer};
use everwire_kit::{ServerMemory, SocketOutcome, TestHarness, ack, event, message, note, secs, welcome};
use serde_json::json;

#[test]
fn hello_is_the_first_frame_a_ping_follows_and_nothing_else_is_sent_before_the_welcome() {
    let mut harness = TestHarness::asking(|_| {});
    harness.memory = Some(ServerMemory::default());
    harness.server.latency_ms = 40;
    harness.connect();
    harness.say("early");
    harness.advance(40);
    assert_eq!((harness.phase(), harness.hellos()), (Phase::Connecting, vec!["hello"]));
    assert_eq!(harness.last().pings, [harness.now]);
    assert_eq!((harness.say("later"), harness.heard().len(), harness.opens()), (Sent::Queued, 0, 0));
    harness.advance(40);
    assert_eq!(harness.numbered(), ["1: note early", "2: note later"]);
    assert_eq!((harness.phase(), harness.opens(), harness.transmitted()), (Phase::Open, 1, vec![1, 2]));
}

#[test]
fn the_mode_is_unknown_until_the_first_welcome_and_then_stands_in_the_snapshot() {
    let mut harness = TestHarness::asking(|_| {});
    assert_eq!(harness.delivery(), Delivery::Unknown);
    harness.memory = Some(ServerMemory::default());
    harness.connect();
    harness.advance(0);
    assert_eq!(harness.delivery(), Delivery::Reliable);
    harness.close(1006);
    assert_eq!(harness.delivery(), Delivery::Reliable);
    assert_eq!(TestHarness::open(|_| {}).delivery(), Delivery::AtMostOnce);
}

#[test]
fn the_ping_behind_the_hello_measures_the_round_trip_and_starts_the_heartbeat() {
    let mut harness = TestHarness::asking(|_| {});
    harness.memory = Some(ServerMemory::default());
    harness.server.latency_ms = 40;
    harness.connect();
    harness.advance(80);
    assert_eq!(harness.client().snapshot().last_rtt_ms, Some(40));
    assert_eq!(harness.due(), Some((29_960, Timer::PingDue)));
}

#[test]
fn a_pong_before_a_welcome_is_a_plain_server_that_is_spoken_to_at_most_once() {
    let mut harness = TestHarness::asking(|_| {});
    harness.say("early");
    harness.connect();
    harness.advance(0);
    assert_eq!((harness.phase(), harness.delivery(), harness.opens()), (Phase::Open, Delivery::AtMostOnce, 1));
    harness.say("later");
    assert_eq!(harness.numbered(), ["note early", "note later"]);
    assert_eq!(harness.due().map(|(_, timer)| timer), Some(Timer::PingDue));
}

#[test]
fn an_error_about_the_hello_is_a_plain_server_too_and_not_for_the_application() {
    let mut harness = TestHarness::asking(|_| {});
    harness.server.answers_pings = false;
    harness.connect();
    harness.advance(0);
    let error = json!({ "type": "error", "data": { "message": "?", "code": "unknown_type", "about": "hello" } });
    harness.push(error.clone());
    assert_eq!((harness.phase(), harness.delivery(), harness.frames().len()), (Phase::Open, Delivery::AtMostOnce, 0));
    harness.push(error);
    assert_eq!(harness.frames().len(), 1);
}

#[test]
fn a_server_that_learns_or_forgets_the_mode_is_noticed_on_the_next_connection() {
    let mut harness = TestHarness::asking(|_| {});
    harness.connect();
    harness.advance(0);
    harness.memory = Some(ServerMemory::default());
    harness.come_back();
    assert_eq!((harness.delivery(), harness.say("a")), (Delivery::Reliable, Sent::Now));
    harness.memory = None;
    harness.come_back();
    assert_eq!(harness.delivery(), Delivery::AtMostOnce);
}

#[test]
fn a_plain_server_cannot_be_asked_what_had_arrived_so_it_is_reported_and_not_sent_twice() {
    let mut harness = TestHarness::withhold_acks();
    harness.say("unconfirmed");
    harness.memory = None;
    harness.close(1006);
    harness.say("new");
    harness.advance(1_000);
    assert_eq!(harness.dropped(), [("note unconfirmed".to_owned(), DropReason::Unconfirmed)]);
    assert_eq!(harness.numbered(), ["note new"]);
}

/// A client of the reliable mode, and a server that answers neither hello nor ping.
fn facing_silence() -> TestHarness {
    let mut harness = TestHarness::asking(|config| config.reconnect.jitter = 0.0);
    harness.server.answers_pings = false;
    harness.connect();
    harness.advance(0);
    harness
}

#[test]
fn a_hello_without_an_answer_ends_with_the_attempt_and_the_close_says_so() {
    let mut harness = facing_silence();
    assert_eq!(harness.due(), Some((10_000, Timer::ConnectOverdue)));
    harness.advance(10_000);
    assert_eq!((harness.phase(), harness.end().as_str()), (Phase::Waiting, "NoWelcome"));
    assert_eq!((harness.closes(), harness.reconnecting()), (vec![1006], vec![(1, 1_000)]));
}

#[test]
fn a_server_that_says_nothing_twice_and_completes_the_closing_handshake_is_spoken_to_at_most_once() {
    let mut harness = facing_silence();
    harness.say("waited");
    harness.advance(10_000 + 1_000 + 10_000 + 2_000);
    assert_eq!((harness.phase(), harness.delivery()), (Phase::Connecting, Delivery::Unknown));
    assert_eq!(harness.due(), Some((2_000, Timer::ConnectOverdue)));
    harness.advance(2_000);
    assert_eq!((harness.phase(), harness.delivery()), (Phase::Open, Delivery::AtMostOnce));
    assert_eq!(harness.numbered(), ["note waited"]);
    harness.advance(5_000);
    harness.close(1006);
    harness.advance(1_000 + 2_000);
    assert_eq!((harness.phase(), harness.sockets.len()), (Phase::Open, 4));
}

#[test]
fn a_welcome_that_comes_after_all_ends_the_mistake_on_the_same_connection() {
    let mut harness = facing_silence();
    harness.advance(10_000 + 1_000 + 10_000 + 2_000 + 2_000);
    harness.say("unnumbered");
    harness.push(event("user", 9));
    assert!(harness.told().is_empty());
    harness.push(welcome(7, 0, 128, json!({ "user": 8 })));
    harness.push(event("user", 9));
    harness.say("numbered");
    assert_eq!((harness.phase(), harness.delivery()), (Phase::Open, Delivery::Reliable));
    assert_eq!(harness.numbered(), ["note unnumbered", "2 after 0: note numbered"]);
    assert_eq!((harness.told(), harness.protocol_errors()), (vec!["user 9".to_owned()], 0));
    harness.advance(5_000);
    harness.close(1006);
    harness.advance(1_000 + 2_000);
    assert_eq!(harness.phase(), Phase::Connecting);
}

#[test]
fn a_server_that_has_welcomed_the_client_is_never_taken_for_a_plain_one() {
    let mut harness = TestHarness::withhold_acks();
    harness.say("a");
    harness.memory = None;
    harness.server.answers_pings = false;
    harness.close(1006);
    harness.advance(600_000);
    assert_eq!((harness.phase(), harness.end().as_str()), (Phase::GivenUp, "NoWelcome"));
    assert_eq!((harness.delivery(), harness.dropped().len()), (Delivery::Reliable, 0));
}

#[test]
fn an_answer_to_the_hello_that_takes_longer_than_a_pong_may_keeps_its_connection() {
    for answer in [welcome(7, 0, 128, json!({})), json!({ "type": "error", "data": { "about": "hello" } })] {
        let mut harness = TestHarness::asking(|config| config.heartbeat.timeout_ms = 3_000);
        harness.server.answers_pings = false;
        harness.connect();
        harness.advance(3_500);
        harness.push(answer);
        assert_eq!((harness.phase(), harness.closes().len()), (Phase::Open, 0));
        harness.advance(3_000);
        assert_eq!((harness.phase(), harness.end().as_str()), (Phase::Waiting, "PongTimeout"));
    }
}

#[test]
fn what_proves_nothing_is_no_silence() {
    // The network swallows everything, so the closing handshake is not completed either.
    let mut harness = facing_silence();
    harness.server.completes_closing = false;
    harness.advance(10_000);
    assert_eq!((harness.phase(), harness.due().map(|(at, _)| at)), (Phase::Connecting, Some(3_000)));
    harness.advance(600_000);
    assert_eq!((harness.phase(), harness.delivery()), (Phase::GivenUp, Delivery::Unknown));
    // The server says something by its close code.
    let mut harness = facing_silence();
    for _ in 0..3 {
        harness.server.completes_closing = false;
        harness.advance(10_000);
        harness.close(1013);
        assert_eq!((harness.phase(), harness.closes().pop()), (Phase::Waiting, Some(1013)));
        while harness.phase() == Phase::Waiting {
            harness.advance(100);
        }
    }
    assert_eq!(harness.delivery(), Delivery::Unknown);
    // The socket opened so late that there was no time to answer.
    let mut harness = TestHarness::asking(|config| config.reconnect.jitter = 0.0);
    harness.server.answers_pings = false;
    harness.server.latency_ms = 6_000;
    harness.connect();
    harness.advance(600_000);
    assert_eq!((harness.phase(), harness.delivery()), (Phase::GivenUp, Delivery::Unknown));
}

#[test]
fn an_answer_that_comes_while_the_socket_is_being_closed_is_no_silence() {
    for answer in [welcome(7, 0, 128, json!({})), json!({ "type": "pong" }), event("user", 9)] {
        let mut harness = facing_silence();
        harness.server.latency_ms = 100;
        for delay_ms in [1_000, 2_000, 4_000] {
            harness.advance(10_000);
            assert_eq!(harness.due().map(|(_, timer)| timer), Some(Timer::CloseOverdue));
            harness.push(answer.clone());
            assert_eq!((harness.phase(), harness.numbered().len()), (Phase::Connecting, 0));
            harness.advance(100);
            assert_eq!((harness.phase(), harness.end().as_str()), (Phase::Waiting, "NoWelcome"));
            assert_eq!(harness.delivery(), Delivery::Unknown);
            harness.advance(delay_ms);
        }
    }
}

#[test]
fn time_spent_on_the_handshake_is_not_given_again_to_the_hello() {
    let mut harness = TestHarness::asking(|_| {});
    harness.server.latency_ms = 6_000;
    harness.server.answers_pings = false;
    harness.connect();
    harness.advance(6_000);
    assert_eq!(harness.due(), Some((4_000, Timer::ConnectOverdue)));
}

#[test]
fn a_close_during_the_handshake_counts_as_a_failed_attempt() {
    let mut harness = TestHarness::asking(|_| {});
    harness.server.outcome = SocketOutcome::Close(1013);
    harness.server.answers_pings = false;
    harness.connect();
    harness.advance(secs(3_600));
    assert_eq!((harness.phase(), harness.sockets.len()), (Phase::GivenUp, 6));
}

#[test]
fn disconnecting_during_the_handshake_closes_properly() {
    let mut harness = TestHarness::asking(|_| {});
    harness.server.answers_pings = false;
    harness.connect();
    harness.advance(0);
    harness.disconnect();
    assert_eq!(harness.phase(), Phase::Closing);
    harness.advance(0);
    assert_eq!((harness.phase(), harness.closes()), (Phase::Idle, vec![1000]));
}

#[test]
fn a_page_that_comes_back_during_the_handshake_keeps_its_attempt_unless_the_cache_has_closed_it() {
    let mut harness = TestHarness::asking(|_| {});
    harness.server.answers_pings = false;
    harness.connect();
    harness.advance(0);
    for input in [Input::PageVisible, Input::NetworkOffline, Input::NetworkOnline] {
        harness.input(input);
        assert_eq!((harness.phase(), harness.sockets.len()), (Phase::Connecting, 1));
    }
    harness.input(Input::PageRestored);
    assert_eq!((harness.phase(), harness.sockets.len()), (Phase::Connecting, 2));
}

#[test]
fn typing_is_refused_during_the_handshake_and_goes_out_without_a_number_after_it() {
    let mut harness = TestHarness::asking(|_| {});
    harness.memory = Some(ServerMemory::default());
    harness.server.latency_ms = 40;
    let typing = || message("typing", json!({ "match_id": "m", "is_typing": true }));
    harness.connect();
    harness.advance(40);
    assert!(harness.send(typing()).is_err());
    harness.advance(40);
    assert_eq!(harness.send(typing()).unwrap(), Sent::Now);
    harness.send(note("a")).unwrap();
    harness.send(typing()).unwrap();
    harness.say("b");
    assert_eq!(harness.numbered(), ["typing m", "2 after 0: note a", "typing m", "4 after 2: note b"]);
}

#[test]
fn what_comes_before_the_welcome_is_delivered_unless_it_is_stored_and_so_comes_again() {
    let mut harness = TestHarness::asking(|_| {});
    harness.server.answers_pings = false;
    harness.connect();
    harness.advance(0);
    harness.push(json!({ "type": "connected", "data": { "user_id": "ada" } }));
    harness.push(event("user", 4));
    assert_eq!((harness.told(), harness.phase()), (vec!["connected".to_owned()], Phase::Connecting));
    harness.push(welcome(7, 0, 128, json!({ "user": 3 })));
    harness.push(event("user", 4));
    assert_eq!(harness.told(), ["connected", "user 4"]);
    assert_eq!((harness.protocol_errors(), harness.gaps().len()), (0, 0));
}

#[test]
fn nothing_is_taken_before_the_socket_has_opened() {
    let mut harness = TestHarness::asking(|_| {});
    harness.server.outcome = SocketOutcome::Silent;
    harness.connect();
    for frame in [welcome(7, 0, 128, json!({})), event("user", 4), json!({ "type": "connected", "data": {} })] {
        harness.push(frame);
    }
    assert_eq!((harness.phase(), harness.told().len(), harness.protocol_errors()), (Phase::Connecting, 0, 0));
}

#[test]
fn without_the_option_a_client_says_no_hello_and_takes_everything_as_an_event() {
    let mut harness = TestHarness::open(|_| {});
    assert!(harness.hellos().is_empty());
    for frame in [welcome(7, 9, 1, json!({})), event("user", 9), event("user", 9), ack(5)] {
        harness.push(frame);
    }
    assert_eq!(harness.told(), ["welcome", "user 9", "user 9", "ack"]);
    assert_eq!(harness.protocol_errors(), 0);
}

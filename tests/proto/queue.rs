//! What happens to messages that are sent without a connection.

use everwire::proto::{DropReason, Input, Phase, Purpose, Refusal, Sent, Timer};
use everwire_kit::{Act, SocketOutcome, TestHarness, message, note, note_of, secs};
use serde_json::json;

#[test]
fn a_message_on_an_open_connection_goes_out_at_once() {
    let mut harness = TestHarness::open(|_| {});
    assert_eq!(harness.say("a"), Sent::Now);
    assert_eq!(harness.heard(), ["note a"]);
}

#[test]
fn messages_sent_while_not_open_wait_in_order_and_are_flushed_on_open() {
    let mut harness = TestHarness::new(|_| {});
    assert_eq!(harness.say("idle"), Sent::Queued);
    harness.server.outcome = SocketOutcome::Refuse;
    harness.connect();
    assert_eq!(harness.say("connecting"), Sent::Queued);
    harness.advance(0);
    assert_eq!(harness.say("waiting"), Sent::Queued);
    harness.input(Input::NetworkOffline);
    assert_eq!(harness.say("offline"), Sent::Queued);
    assert_eq!(harness.client().snapshot().queued, 4);
    harness.server.outcome = SocketOutcome::Accept;
    harness.input(Input::NetworkOnline);
    harness.advance(0);
    assert_eq!(harness.heard(), ["note idle", "note connecting", "note waiting", "note offline"]);
    assert_eq!((harness.client().snapshot().queued, harness.client().snapshot().queued_bytes), (0, 0));
}

#[test]
fn messages_survive_giving_up_a_fatal_close_and_a_disconnect() {
    let ends: [Act; 3] = [
        |harness| {
            harness.server.outcome = SocketOutcome::Refuse;
            harness.close(1006);
            harness.advance(secs(60));
            assert_eq!(harness.phase(), Phase::GivenUp);
        },
        |harness| {
            harness.close(1002);
            assert_eq!(harness.phase(), Phase::Fatal);
        },
        |harness| {
            harness.disconnect();
            assert_eq!(harness.phase(), Phase::Closing);
        },
    ];
    for end in ends {
        let mut harness = TestHarness::open(|_| {});
        end(&mut harness);
        assert_eq!(harness.say("a"), Sent::Queued);
        harness.server.outcome = SocketOutcome::Accept;
        harness.connect();
        harness.advance(0);
        assert_eq!(harness.heard(), ["note a"]);
    }
}

#[test]
fn the_application_hears_of_the_open_connection_after_the_flush() {
    let mut harness = TestHarness::new(|_| {});
    harness.say("a");
    harness.connect();
    harness.advance(0);
    let position = |what: &str| harness.trace.iter().position(|line| line.contains(what));
    assert!(position("Transmit") < position("Opened") && position("Transmit").is_some(), "{:?}", harness.trace);
}

#[test]
fn pings_and_typing_are_never_queued() {
    for (event, data) in [
        ("ping", json!({})),
        ("user_typing", json!({ "session_id": "s", "isTyping": true })),
        ("typing", json!({ "match_id": "m", "is_typing": true })),
    ] {
        let mut harness = TestHarness::new(|_| {});
        let refused = harness.send(message(event, data.clone())).unwrap_err();
        assert_eq!((refused.refusal, refused.message.purpose), (Refusal::NotOpen, Purpose::Volatile), "{event}");
        assert_eq!(harness.client().snapshot().queued, 0);
        harness.connect();
        harness.advance(0);
        assert_eq!(harness.send(message(event, data)).unwrap(), Sent::Now, "{event}");
        assert_eq!(harness.heard().len(), 1);
    }
}

#[test]
fn a_message_over_the_size_limit_is_refused_at_the_call_and_handed_back() {
    for connected in [false, true] {
        let mut harness = if connected { TestHarness::open(|_| {}) } else { TestHarness::new(|_| {}) };
        let large = note_of(10_241);
        let frame = large.frame.clone();
        let refused = harness.send(large).unwrap_err();
        assert_eq!(refused.refusal, Refusal::TooLarge { bytes: 10_241, max: 10_240 });
        assert_eq!(refused.message.frame, frame);
        assert_eq!(harness.client().snapshot().queued, 0);
        assert!(harness.sockets.iter().all(|socket| socket.sent.is_empty()));
        assert!(harness.send(note_of(10_240)).is_ok());
    }
}

#[test]
fn the_size_limit_is_what_the_option_says() {
    let mut harness = TestHarness::open(|config| config.max_message_bytes = 100);
    assert!(harness.send(note_of(101)).is_err());
    assert!(harness.send(note_of(100)).is_ok());
}

#[test]
fn messages_expire_when_their_time_is_over_and_are_reported() {
    let mut harness = TestHarness::new(|config| config.queue.ttl_ms = 5_000);
    harness.say("a");
    harness.advance(2_000);
    harness.say("b");
    assert_eq!(harness.due(), Some((3_000, Timer::MessageExpired)));
    harness.advance(2_999);
    assert!(harness.dropped().is_empty());
    harness.advance(1);
    assert_eq!(harness.dropped(), [("note a".to_owned(), DropReason::Expired)]);
    assert_eq!(harness.client().snapshot().queued, 1);
    harness.advance(2_000);
    assert_eq!((harness.dropped().len(), harness.due()), (2, None));
    harness.connect();
    harness.advance(0);
    assert!(harness.heard().is_empty());
}

#[test]
fn a_message_that_expired_while_the_page_slept_is_not_sent_on_open() {
    let wakes: [Act; 2] = [
        |harness| harness.suspend(500),
        |harness| {
            harness.sleep_without_alarm(500);
            harness.advance(0);
        },
    ];
    for wake in wakes {
        let mut harness = TestHarness::new(|config| config.queue.ttl_ms = 500);
        harness.connect();
        harness.say("a");
        wake(&mut harness);
        assert_eq!((harness.phase(), harness.heard().len()), (Phase::Open, 0));
        assert_eq!(harness.dropped(), [("note a".to_owned(), DropReason::Expired)]);
    }
}

#[test]
fn expired_messages_make_room_before_a_new_one_is_refused() {
    let mut harness = TestHarness::new(|config| {
        config.queue.ttl_ms = 500;
        config.queue.max_messages = 1;
    });
    harness.say("a");
    harness.sleep_without_alarm(600);
    assert_eq!(harness.say("b"), Sent::Queued);
    assert_eq!(harness.dropped(), [("note a".to_owned(), DropReason::Expired)]);
}

#[test]
fn messages_wait_for_ever_by_default() {
    let mut harness = TestHarness::new(|_| {});
    harness.say("a");
    harness.advance(secs(86_400 * 30));
    harness.connect();
    harness.advance(0);
    assert_eq!(harness.heard(), ["note a"]);
}

#[test]
fn a_message_that_the_socket_did_not_take_goes_out_first_on_the_next_one() {
    let mut harness = TestHarness::open(|_| {});
    harness.stop_accepting();
    assert_eq!(harness.say("a"), Sent::Now);
    assert_eq!((harness.phase(), harness.client().snapshot().queued), (Phase::Closing, 1));
    assert_eq!(harness.say("b"), Sent::Queued);
    harness.close(1006);
    harness.advance(1_000);
    assert_eq!(harness.heard(), ["note a", "note b"]);
    assert_eq!(harness.client().snapshot().queued, 0);
}

#[test]
fn a_flush_that_the_socket_did_not_take_is_repeated_in_order() {
    let mut harness = TestHarness::new(|_| {});
    for text in ["a", "b", "c"] {
        harness.say(text);
    }
    harness.server.outcome = SocketOutcome::AcceptAndTakeNothing;
    harness.connect();
    harness.advance(0);
    assert_eq!((harness.phase(), harness.client().snapshot().queued), (Phase::Closing, 3));
    harness.server.outcome = SocketOutcome::Accept;
    harness.close(1001);
    harness.advance(1_000);
    assert_eq!(harness.heard(), ["note a", "note b", "note c"]);
}

#[test]
fn a_socket_that_takes_no_frames_and_never_closes_is_abandoned_after_three_seconds() {
    let mut harness = TestHarness::open(|_| {});
    harness.stop_accepting();
    harness.say("a");
    assert_eq!(harness.due(), Some((3_000, Timer::CloseOverdue)));
    harness.advance(4_000);
    assert_eq!((harness.phase(), harness.heard()), (Phase::Open, vec!["note a".to_owned()]));
}

#[test]
fn the_close_code_of_a_socket_that_took_no_frames_still_counts() {
    let mut harness = TestHarness::open(|_| {});
    harness.stop_accepting();
    harness.say("a");
    harness.close(1002);
    assert_eq!(harness.phase(), Phase::Fatal);
}

#[test]
fn a_stable_connection_whose_socket_refuses_messages_resets_the_counter() {
    let mut harness = TestHarness::open(|_| {});
    harness.close(1006);
    harness.advance(secs(10));
    harness.stop_accepting();
    harness.say("a");
    harness.close(1006);
    assert_eq!(harness.reconnecting(), [(1, 1_000), (1, 1_000)]);
}

#[test]
fn typing_that_the_socket_did_not_take_is_reported_as_dropped() {
    let mut harness = TestHarness::open(|_| {});
    harness.stop_accepting();
    harness.send(message("typing", json!({ "match_id": "m", "is_typing": true }))).unwrap();
    assert_eq!(harness.dropped(), [("typing m".to_owned(), DropReason::NotOpen)]);
    assert_eq!(harness.client().snapshot().queued, 0);
}

#[test]
fn a_message_that_the_socket_did_not_take_expires_like_any_other() {
    let mut harness = TestHarness::open(|config| {
        config.queue.ttl_ms = 2_000;
        config.reconnect.max_attempts = 0;
    });
    harness.stop_accepting();
    harness.say("a");
    harness.close(1006);
    harness.advance(2_000);
    assert_eq!(harness.dropped(), [("note a".to_owned(), DropReason::Expired)]);
}

#[test]
fn queued_bytes_are_the_frames_bytes() {
    let mut harness = TestHarness::new(|_| {});
    harness.send(note_of(100)).unwrap();
    harness.send(note("b")).unwrap();
    assert_eq!(harness.client().snapshot().queued_bytes, 100 + note("b").frame.len() as u64);
}

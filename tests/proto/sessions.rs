//! A new connection enters the joined sessions again.

use everwire::proto::{Message, Phase, Refusal, Sent};
use everwire_kit::{SocketOutcome, TestHarness, message};
use serde_json::json;

fn join(session: &str) -> Box<Message<String>> {
    message("join_session", json!({ "session_id": session }))
}

fn leave(session: &str) -> Box<Message<String>> {
    message("leave_session", json!({ "session_id": session }))
}

fn lose_and_reopen(harness: &mut TestHarness) {
    harness.close(1006);
    harness.advance(5_000);
    assert_eq!(harness.phase(), Phase::Open);
}

#[test]
fn joined_sessions_are_entered_again_in_order_before_the_queue_is_flushed() {
    let mut harness = TestHarness::open(|_| {});
    for session in ["maths", "physics", "chemistry"] {
        harness.send(join(session)).unwrap();
    }
    harness.close(1006);
    harness.say("hello");
    harness.send(join("biology")).unwrap();
    harness.advance(1_000);
    assert_eq!(
        harness.heard(),
        ["join_session maths", "join_session physics", "join_session chemistry", "note hello", "join_session biology"]
    );
    lose_and_reopen(&mut harness);
    assert_eq!(
        harness.heard(),
        ["join_session maths", "join_session physics", "join_session chemistry", "join_session biology"]
    );
}

#[test]
fn a_session_that_was_left_is_forgotten() {
    let mut harness = TestHarness::open(|_| {});
    harness.send(join("maths")).unwrap();
    harness.send(join("physics")).unwrap();
    harness.send(leave("maths")).unwrap();
    lose_and_reopen(&mut harness);
    assert_eq!(harness.heard(), ["join_session physics"]);
}

#[test]
fn a_session_that_is_left_while_away_is_left_on_the_next_connection_and_then_forgotten() {
    let mut harness = TestHarness::open(|_| {});
    harness.send(join("maths")).unwrap();
    harness.close(1006);
    harness.send(leave("maths")).unwrap();
    harness.advance(1_000);
    assert_eq!(harness.heard(), ["join_session maths", "leave_session maths"]);
    lose_and_reopen(&mut harness);
    assert!(harness.heard().is_empty());
}

#[test]
fn joining_again_keeps_one_entry_at_its_place() {
    let mut harness = TestHarness::open(|_| {});
    harness.send(join("maths")).unwrap();
    harness.send(join("physics")).unwrap();
    harness.send(join("maths")).unwrap();
    lose_and_reopen(&mut harness);
    assert_eq!(harness.heard(), ["join_session maths", "join_session physics"]);
}

#[test]
fn matches_are_entered_again_like_sessions_and_are_not_mistaken_for_them() {
    let mut harness = TestHarness::open(|_| {});
    harness.send(join("1")).unwrap();
    harness.send(message("join_match", json!({ "match_id": "1" }))).unwrap();
    harness.send(leave("1")).unwrap();
    lose_and_reopen(&mut harness);
    assert_eq!(harness.heard(), ["join_match 1"]);
}

#[test]
fn sessions_survive_a_disconnect_and_an_explicit_reconnect() {
    let mut harness = TestHarness::open(|_| {});
    harness.send(join("maths")).unwrap();
    harness.disconnect();
    harness.advance(0);
    harness.connect();
    harness.advance(0);
    assert_eq!(harness.heard(), ["join_session maths"]);
    harness.reconnect();
    harness.advance(0);
    assert_eq!(harness.heard(), ["join_session maths"]);
}

#[test]
fn a_join_that_never_reached_the_server_is_sent_once_it_can_be() {
    let mut harness = TestHarness::new(|_| {});
    harness.send(join("maths")).unwrap();
    harness.server.outcome = SocketOutcome::AcceptAndTakeNothing;
    harness.connect();
    harness.advance(0);
    harness.server.outcome = SocketOutcome::Accept;
    harness.close(1006);
    harness.advance(1_000);
    assert_eq!(harness.heard(), ["join_session maths"]);
    lose_and_reopen(&mut harness);
    assert_eq!(harness.heard(), ["join_session maths"]);
    assert!(harness.dropped().is_empty());
}

#[test]
fn sessions_are_entered_before_messages_even_if_leaving_them_was_not_delivered() {
    let mut harness = TestHarness::open(|_| {});
    harness.send(join("maths")).unwrap();
    harness.server.outcome = SocketOutcome::AcceptAndTakeNothing;
    harness.close(1006);
    harness.say("still in maths");
    harness.send(leave("maths")).unwrap();
    harness.advance(1_000);
    assert_eq!((harness.phase(), harness.client().snapshot().queued), (Phase::Closing, 2));
    harness.server.outcome = SocketOutcome::Accept;
    harness.close(1006);
    harness.advance(5_000);
    assert_eq!(harness.heard(), ["join_session maths", "note still in maths", "leave_session maths"]);
    lose_and_reopen(&mut harness);
    assert!(harness.heard().is_empty());
}

#[test]
fn joining_and_leaving_do_not_expire() {
    let mut harness = TestHarness::new(|config| config.queue.ttl_ms = 1_000);
    harness.send(join("maths")).unwrap();
    harness.send(leave("physics")).unwrap();
    harness.say("hello");
    harness.advance(1_000);
    assert_eq!(harness.dropped().len(), 1);
    assert_eq!(harness.due(), None);
    harness.connect();
    harness.advance(0);
    assert_eq!(harness.heard(), ["join_session maths", "leave_session physics"]);
}

#[test]
fn one_session_too_many_is_refused_at_the_call_until_one_is_left() {
    let mut harness = TestHarness::open(|_| {});
    for number in 0..1_000 {
        harness.send(join(&number.to_string())).unwrap();
    }
    assert_eq!(harness.send(join("new")).unwrap_err().refusal, Refusal::TooManySessions);
    assert_eq!(harness.send(join("7")).unwrap(), Sent::Now);
    harness.send(leave("7")).unwrap();
    assert_eq!(harness.send(join("new")).unwrap(), Sent::Now);
    lose_and_reopen(&mut harness);
    assert_eq!(harness.heard().len(), 1_000);
}

#[test]
fn a_join_without_a_session_is_an_ordinary_message() {
    let mut harness = TestHarness::open(|_| {});
    harness.send(message("join_session", json!({}))).unwrap();
    lose_and_reopen(&mut harness);
    assert!(harness.heard().is_empty());
}

#[test]
fn a_second_join_or_a_leave_that_a_closing_socket_refuses_does_not_undo_the_first_join() {
    for (again, queued) in [(join("maths"), "join_session maths"), (leave("maths"), "leave_session maths")] {
        let mut harness = TestHarness::open(|_| {});
        harness.send(join("maths")).unwrap();
        harness.stop_accepting();
        harness.send(again).unwrap();
        harness.advance(10_000);
        assert_eq!(harness.phase(), Phase::Open);
        assert_eq!(harness.heard(), ["join_session maths", queued]);
    }
}

//! What the driver adds to the state machine: who is told what of a socket that turns out to be closing, when the alarm is armed, and what
//! handlers may do.

use everwire::proto::{DropReason, Input, Overflow, Phase, Refusal, Sent, Timer};
use everwire_kit::{TestHarness, ack, event, message, note, secs};
use serde_json::json;

#[test]
fn a_message_that_the_socket_takes_is_sent_and_has_its_number() {
    let mut harness = TestHarness::open(|_| {});
    assert_eq!(harness.submit(note("a")), Ok((Sent::Now, 1)));
    harness.close(1006);
    assert_eq!(harness.submit(note("b")), Ok((Sent::Queued, 2)));
}

#[test]
fn a_message_that_a_closing_socket_did_not_take_waits() {
    let mut harness = TestHarness::open(|_| {});
    harness.stop_accepting();
    assert_eq!(harness.submit(note("a")), Ok((Sent::Queued, 1)));
    assert_eq!((harness.phase(), harness.queued()), (Phase::Closing, 1));
    harness.come_back();
    assert_eq!((harness.heard(), harness.transmitted()), (vec!["note a".to_owned()], vec![1]));
}

#[test]
fn a_numbered_message_that_a_closing_socket_did_not_take_is_under_way_all_the_same() {
    let mut harness = TestHarness::reliable(|_| {});
    harness.stop_accepting();
    assert_eq!(harness.submit(note("a")), Ok((Sent::Now, 1)));
    assert_eq!((harness.phase(), harness.queued(), harness.client().in_flight()), (Phase::Closing, 0, 1));
    harness.come_back();
    assert_eq!((harness.numbered(), harness.processed()), (vec!["1: note a".to_owned()], 1));
}

#[test]
fn typing_that_a_closing_socket_did_not_take_is_refused_at_the_call_and_the_next_message_keeps_its_number() {
    for reliable in [false, true] {
        let mut harness = if reliable { TestHarness::reliable(|_| {}) } else { TestHarness::open(|_| {}) };
        harness.stop_accepting();
        let typing = message("typing", json!({ "match_id": "m", "is_typing": true }));
        assert_eq!(harness.submit(typing), Err(Refusal::NotOpen));
        assert_eq!(harness.dropped(), [("typing m".to_owned(), DropReason::NotOpen)]);
        assert_eq!(harness.submit(note("a")), Ok((Sent::Queued, 2)));
    }
}

#[test]
fn what_the_state_machine_refuses_the_driver_refuses() {
    let mut harness = TestHarness::open(|config| config.max_message_bytes = 70);
    let large = note("a text that is longer than the others");
    let refusal = Refusal::TooLarge { bytes: large.bytes, max: 70 };
    assert_eq!(harness.submit(large), Err(refusal));
    assert_eq!((harness.dropped().len(), harness.client().latest_seq()), (0, 0));
}

#[test]
fn nobody_is_told_that_a_waiting_message_was_sent_which_the_socket_did_not_take() {
    let mut harness = TestHarness::new(|_| {});
    harness.say("a");
    harness.say("b");
    harness.server.outcome = everwire_kit::SocketOutcome::AcceptAndTakeNothing;
    harness.connect();
    harness.advance(0);
    assert_eq!((harness.phase(), harness.queued(), harness.transmitted()), (Phase::Closing, 2, vec![]));
}

#[test]
fn an_idle_client_looks_at_the_network_before_it_connects() {
    let mut harness = TestHarness::new(|_| {});
    harness.server.outcome = everwire_kit::SocketOutcome::Refuse;
    harness.input(Input::NetworkOffline);
    harness.connect();
    harness.advance(0);
    assert_eq!(harness.phase(), Phase::Offline);
}

#[test]
fn a_deadline_beyond_the_longest_timeout_of_browsers_is_reached_in_steps() {
    let mut harness = TestHarness::new(|_| {});
    let mut patient = note("a");
    patient.policy.ttl_ms = Some(secs(60 * 86_400));
    harness.send(patient).unwrap();
    assert_eq!(harness.alarm, Some(harness.now + i32::MAX as u64));
    harness.advance(secs(60 * 86_400) - 1);
    assert_eq!((harness.dropped().len(), harness.due()), (0, Some((1, Timer::MessageExpired))));
    harness.advance(1);
    assert_eq!(harness.dropped(), [("note a".to_owned(), DropReason::Expired)]);
    assert_eq!(harness.alarm, None);
}

#[test]
fn a_handler_that_sends_while_another_message_is_refused_gets_the_number_of_that_one() {
    let mut harness = TestHarness::new(|config| {
        config.queue.max_messages = 1;
        config.queue.overflow = Overflow::DropNewest;
    });
    harness.say("a");
    harness.reaction = Some(|harness| {
        assert!(harness.cancel(1));
        harness.say("from a handler");
    });
    assert!(harness.send(note("b")).is_err());
    assert_eq!((harness.client().latest_seq(), harness.queued()), (2, 1));
    assert_eq!(harness.dropped(), [("note b".to_owned(), DropReason::Overflow)]);
}

#[test]
fn a_message_counts_as_sent_although_a_handler_disconnects_in_the_same_call() {
    let mut harness = TestHarness::open(|_| {});
    harness.reaction = Some(TestHarness::disconnect);
    assert_eq!(harness.submit(note("a")), Ok((Sent::Now, 1)));
    assert_eq!((harness.phase(), harness.heard()), (Phase::Closing, vec!["note a".to_owned()]));
    let mut harness = TestHarness::open(|_| {});
    harness.reaction = Some(TestHarness::disconnect);
    let typing = message("typing", json!({ "match_id": "m", "is_typing": true }));
    assert_eq!(harness.submit(typing), Ok((Sent::Now, 1)));
}

#[test]
fn a_handler_may_send_and_disconnect() {
    let mut harness = TestHarness::withhold_acks();
    harness.reaction = Some(|harness| {
        harness.say("from a handler");
    });
    harness.push(event("user", 1));
    assert_eq!(harness.numbered(), ["1: note from a handler"]);
    harness.reaction = Some(TestHarness::disconnect);
    harness.push(ack(1));
    assert_eq!((harness.phase(), harness.acknowledged()), (Phase::Closing, vec!["1".to_owned()]));
    harness.advance(0);
    assert_eq!(harness.phase(), Phase::Idle);
}

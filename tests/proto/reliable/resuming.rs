//! A new connection goes on where the last one ended.

use everwire::proto::{Input, Message, Phase, Sent};
use everwire_kit::{Act, TestHarness, ack, event, message, position, receipt, refusal, reply, welcome};
use serde_json::json;

fn join(session: &str) -> Box<Message<String>> {
    message("join_session", json!({ "session_id": session }))
}

fn leave(session: &str) -> Box<Message<String>> {
    message("leave_session", json!({ "session_id": session }))
}

#[test]
fn what_was_lost_is_sent_again_in_order_before_what_is_new() {
    let mut harness = TestHarness::withhold_acks();
    harness.say("a");
    harness.cut();
    harness.say("b");
    harness.say("c");
    harness.close(1006);
    assert_eq!(harness.say("d"), Sent::Queued);
    harness.try_again();
    assert_eq!(harness.numbered(), ["2: note b", "3: note c", "4: note d"]);
    assert_eq!(harness.acknowledged(), ["1"]);
}

#[test]
fn what_is_processed_is_not_sent_again_although_its_acknowledgement_was_lost() {
    let mut harness = TestHarness::withhold_acks();
    for text in ["a", "b"] {
        harness.say(text);
    }
    harness.come_back();
    assert!(harness.numbered().is_empty());
    assert_eq!((harness.acknowledged(), harness.client().in_flight()), (vec!["2".to_owned()], 0));
    assert_eq!(harness.say("c"), Sent::Now);
    assert_eq!(harness.numbered(), ["3: note c"]);
}

#[test]
fn what_is_sent_again_was_not_waiting_so_nobody_is_told_that_it_was() {
    let mut harness = TestHarness::withhold_acks();
    harness.cut();
    harness.say("a");
    harness.come_back();
    assert_eq!((harness.numbered(), harness.transmitted()), (vec!["1: note a".to_owned()], vec![]));
}

#[test]
fn a_message_that_was_sent_once_is_sent_again_however_often_the_connection_is_lost() {
    let mut harness = TestHarness::withhold_acks();
    harness.cut();
    harness.say("a");
    harness.server.latency_ms = 10;
    for _ in 0..4 {
        harness.close(1006);
        harness.try_again();
        harness.advance(10);
        harness.cut();
        harness.advance(10);
        assert_eq!((harness.phase(), harness.numbered()), (Phase::Open, vec!["1: note a".to_owned()]));
    }
    assert_eq!((harness.processed(), harness.dropped().len()), (0, 0));
}

#[test]
fn messages_under_way_survive_every_end_of_a_connection() {
    let ends: [(&str, Act); 6] = [
        ("lost", |harness| harness.come_back()),
        ("fatal", |harness| {
            harness.close(1002);
            assert_eq!(harness.phase(), Phase::Fatal);
            harness.connect();
        }),
        ("disconnected", |harness| {
            harness.disconnect();
            harness.advance(0);
            harness.connect();
        }),
        ("replaced", TestHarness::reconnect),
        ("restored", |harness| harness.input(Input::PageRestored)),
        ("refused by the socket", |harness| {
            harness.stop_accepting();
            harness.say("c");
            harness.close(1006);
            harness.try_again();
        }),
    ];
    for (name, end) in ends {
        let mut harness = TestHarness::withhold_acks();
        harness.cut();
        harness.say("a");
        harness.say("b");
        end(&mut harness);
        harness.advance(0);
        assert_eq!(harness.numbered()[..2], ["1: note a", "2: note b"], "{name}");
        assert!(harness.dropped().is_empty(), "{name}");
    }
}

#[test]
fn what_the_socket_did_not_take_is_under_way_and_not_in_the_queue() {
    let mut harness = TestHarness::reliable(|config| config.queue.max_messages = 0);
    harness.stop_accepting_after(1);
    assert_eq!((harness.say("a"), harness.say("b")), (Sent::Now, Sent::Now));
    assert_eq!((harness.phase(), harness.queued(), harness.client().in_flight()), (Phase::Closing, 0, 2));
    harness.close(1006);
    harness.try_again();
    assert_eq!((harness.numbered(), harness.processed()), (vec!["2: note b".to_owned()], 2));
    assert!(harness.dropped().is_empty());
}

#[test]
fn sessions_are_joined_again_without_a_number_before_what_is_sent_again_and_what_waits() {
    let mut harness = TestHarness::reliable(|_| {});
    harness.send(join("maths")).unwrap();
    harness.send(join("physics")).unwrap();
    harness.advance(0);
    harness.cut();
    harness.say("lost");
    harness.close(1006);
    harness.say("queued");
    harness.try_again();
    assert_eq!(harness.numbered(), ["join_session maths", "join_session physics", "3: note lost", "4: note queued"]);
}

#[test]
fn a_session_counts_as_joined_or_left_when_the_server_has_said_so() {
    let mut harness = TestHarness::reliable(|_| {});
    harness.send(join("maths")).unwrap();
    harness.advance(0);
    harness.cut();
    harness.send(join("physics")).unwrap();
    harness.send(leave("maths")).unwrap();
    harness.come_back();
    assert_eq!(harness.numbered(), ["join_session maths", "2: join_session physics", "3: leave_session maths"]);
    harness.advance(0);
    harness.come_back();
    assert_eq!(harness.numbered(), ["join_session physics"]);
}

#[test]
fn a_join_whose_acknowledgement_was_lost_is_joined_again() {
    let mut harness = TestHarness::withhold_acks();
    harness.send(join("maths")).unwrap();
    harness.come_back();
    assert_eq!(harness.numbered(), ["join_session maths"]);
}

#[test]
fn frames_that_still_arrive_while_the_connection_closes_are_left_to_the_next_one() {
    let mut harness = TestHarness::withhold_acks();
    harness.say("a");
    harness.say("b");
    harness.server.completes_closing = false;
    harness.disconnect();
    assert_eq!(harness.phase(), Phase::Closing);
    for frame in [ack(1), ack(2), welcome(9, 2, 1, json!({})), event("user", 1)] {
        harness.push(frame);
    }
    assert_eq!((harness.told().len(), harness.acknowledged().len(), harness.client().in_flight()), (0, 0, 2));
    assert_eq!((harness.gaps().len(), harness.protocol_errors()), (0, 0));
    harness.push(refusal(1));
    harness.push(receipt(2));
    harness.push(reply(2));
    assert_eq!((harness.told(), harness.refused()), (vec!["error".to_owned()], vec![1]));
    assert_eq!((harness.receipts().len(), harness.replied().len(), harness.protocol_errors()), (1, 0, 1));
    harness.push(position("user", 8));
    harness.connect();
    harness.advance(0);
    assert_eq!(harness.hellos(), ["hello"]);
}

#[test]
fn a_connection_with_messages_under_way_opens_after_they_are_sent_again() {
    let mut harness = TestHarness::withhold_acks();
    harness.cut();
    harness.say("a");
    harness.come_back();
    let position = |what: &str| harness.trace.iter().rposition(|line| line.contains(what));
    assert!(position("Transmit") < position("Opened"), "{:?}", harness.trace);
}

#[test]
fn a_welcome_acknowledges_a_part_and_the_rest_is_sent_after_it() {
    let mut harness = TestHarness::withhold_acks();
    for text in ["a", "b", "c"] {
        harness.say(text);
    }
    harness.memory().set_last(2);
    harness.come_back();
    assert_eq!((harness.acknowledged(), harness.numbered()), (vec!["2".to_owned()], vec!["3: note c".to_owned()]));
    harness.push(ack(3));
    assert_eq!(harness.client().in_flight(), 0);
}

//! Whose messages answers are about, and events that this client has caused itself.

use everwire::proto::wire::ReceiptStatus;
use everwire::proto::{Message, ProtocolViolation};
use everwire_kit::{CLIENT_ID, Json, TestHarness, ack, event, note, receipt, refusal, reply, request, stored};

const OWN_STREAM: &str = "client:k3Zq8vXw2LmN4pRt";

fn left(seq: u64) -> Box<Message<String>> {
    let mut message = note("old");
    (message.origin, message.seq) = (Some("earlier".to_owned()), seq);
    message
}

/// One request of its own is sent and acknowledged, and a message of a previous client instance is under way.
fn sending_for_a_previous_instance() -> TestHarness {
    let mut harness = TestHarness::withhold_acks();
    harness.send(request("own", 30_000)).expect("the request is accepted");
    harness.push(ack(1));
    harness.restore([left(1)]);
    harness.advance(0);
    assert_eq!(harness.hellos(), ["hello", "hello as earlier"]);
    harness
}

fn answers() -> [Json; 3] {
    [refusal(1), receipt(1), reply(1)]
}

#[test]
fn answers_without_a_stream_are_about_the_client_id_of_the_latest_hello() {
    let mut harness = sending_for_a_previous_instance();
    answers().into_iter().for_each(|answer| harness.push(answer));
    assert_eq!((harness.refused(), harness.receipts(), harness.replied()), (vec![], vec![], vec![]));
    assert_eq!((harness.told(), harness.protocol_errors()), (vec!["error".to_owned()], 0));
    harness.push(ack(1));
    harness.advance(0);
    harness.push(reply(1));
    assert_eq!(harness.replied(), [1]);
}

#[test]
fn until_the_welcome_is_there_answers_are_not_taken_for_those_to_the_own_messages() {
    let mut harness = sending_for_a_previous_instance();
    harness.cut();
    harness.push(ack(1));
    assert_eq!(harness.hellos(), ["hello", "hello as earlier", "hello"]);
    answers().into_iter().for_each(|answer| harness.push(answer));
    assert_eq!((harness.refused(), harness.receipts(), harness.replied()), (vec![], vec![], vec![]));
}

#[test]
fn answers_in_the_stream_of_this_client_are_about_its_own_messages_whoever_said_hello() {
    let mut harness = sending_for_a_previous_instance();
    harness.push(stored(receipt(1), OWN_STREAM, 1));
    harness.push(stored(reply(1), OWN_STREAM, 2));
    assert_eq!((harness.receipts(), harness.replied()), (vec![(1, ReceiptStatus::Read)], vec![1]));
    assert_eq!(harness.positions(), [(OWN_STREAM, 2)]);
    let mut harness = sending_for_a_previous_instance();
    harness.push(stored(refusal(1), OWN_STREAM, 1));
    assert_eq!((harness.refused(), harness.told()), (vec![1], vec!["error".to_owned()]));
}

#[test]
fn answers_in_the_stream_of_another_client_are_about_its_messages_and_no_position_is_kept() {
    let mut harness = TestHarness::reliable(|_| {});
    harness.send(request("own", 30_000)).unwrap();
    harness.advance(0);
    for answer in answers() {
        harness.push(stored(answer.clone(), "client:earlier", 4));
        harness.push(stored(answer, "client:earlier", 4));
    }
    assert_eq!((harness.refused(), harness.receipts(), harness.replied()), (vec![], vec![], vec![]));
    assert_eq!((harness.protocol_errors(), harness.positions()), (0, vec![]));
}

#[test]
fn answers_in_any_other_stream_are_about_the_messages_that_are_sent_now() {
    let mut harness = TestHarness::reliable(|_| {});
    harness.send(request("own", 30_000)).unwrap();
    harness.push(stored(reply(1), "user", 1));
    assert_eq!((harness.replied(), harness.positions()), (vec![1], vec![("user", 1)]));
    let mut harness = sending_for_a_previous_instance();
    harness.push(stored(reply(1), "user", 1));
    assert_eq!((harness.replied().len(), harness.positions()), (0, vec![("user", 1)]));
}

#[test]
fn a_repeated_answer_in_a_stream_is_one_violation_and_no_second_answer() {
    let mut harness = TestHarness::reliable(|_| {});
    harness.send(request("own", 30_000)).unwrap();
    for _ in 0..2 {
        harness.push(stored(reply(1), OWN_STREAM, 1));
    }
    assert_eq!((harness.replied(), harness.violations()), (vec![1], vec![ProtocolViolation::Repetition]));
}

#[test]
fn own_events_take_their_place_in_the_stream_and_are_not_delivered() {
    let mut harness = TestHarness::reliable(|_| {});
    let by = |client_id: &str, offset| {
        let mut event = event("user", offset);
        (event["client_id"], event["seq"]) = (client_id.into(), 1.into());
        event
    };
    harness.push(by(CLIENT_ID, 1));
    harness.push(by("another-device-of-ada", 2));
    harness.push(by(CLIENT_ID, 3));
    assert_eq!((harness.told(), harness.positions()), (vec!["user 2".to_owned()], vec![("user", 3)]));
    harness.push(by(CLIENT_ID, 3));
    assert_eq!(harness.violations(), [ProtocolViolation::Repetition]);
    harness.come_back();
    assert_eq!(harness.hellos(), ["hello user=3"]);
}

#[test]
fn an_own_event_without_a_stream_is_an_event_like_any_other() {
    let mut harness = TestHarness::reliable(|_| {});
    harness.push(serde_json::json!({ "type": "notification", "data": {}, "client_id": CLIENT_ID, "seq": 1 }));
    assert_eq!(harness.told(), ["notification"]);
}

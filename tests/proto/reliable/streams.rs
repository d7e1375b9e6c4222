//! Stored events: offsets, repetitions, gaps.

use everwire::proto::{Input, Phase, ProtocolViolation};
use everwire_kit::{ServerMemory, TestHarness, event, event_after, position, receipt, stored, welcome};
use serde_json::json;

fn endless_gap(stream: &str, from: u64) -> (String, u64, Option<u64>) {
    (stream.to_owned(), from, None)
}

fn gap(stream: &str, from: u64, to: u64) -> (String, u64, Option<u64>) {
    (stream.to_owned(), from, Some(to))
}

#[test]
fn the_positions_reached_are_named_in_the_next_hello() {
    let mut harness = TestHarness::reliable(|_| {});
    harness.push(event("user", 1));
    harness.push(event("user", 2));
    harness.push(event("s3", 40));
    harness.come_back();
    assert_eq!(harness.hellos(), ["hello s3=40 user=2"]);
    assert_eq!(harness.told(), ["user 1", "user 2", "s3 40"]);
    assert_eq!(harness.positions(), [("user", 2), ("s3", 40)]);
}

#[test]
fn positions_in_a_welcome_are_taken_over_and_named_in_the_next_hello() {
    let mut harness = TestHarness::asking(|_| {});
    harness.memory = Some(ServerMemory::of_streams([("user", 12), ("s1", 0)]));
    harness.connect();
    harness.advance(0);
    harness.come_back();
    assert_eq!((harness.hellos(), harness.gaps().len()), (vec!["hello s1=0 user=12"], 0));
    harness.push(event("user", 13));
    assert_eq!(harness.told(), ["user 13"]);
}

#[test]
fn a_repeated_event_is_counted_and_not_delivered() {
    let mut harness = TestHarness::reliable(|_| {});
    for offset in [1, 2, 2, 1, 3] {
        harness.push(event("user", offset));
    }
    assert_eq!(harness.told(), ["user 1", "user 2", "user 3"]);
    assert_eq!(harness.violations(), [ProtocolViolation::Repetition, ProtocolViolation::Repetition]);
    assert_eq!(harness.phase(), Phase::Open);
}

#[test]
fn offsets_may_be_skipped_if_the_event_says_what_it_follows() {
    let mut harness = TestHarness::reliable(|_| {});
    harness.push(event("user", 3));
    harness.push(event_after("user", 3, 9));
    harness.push(event_after("user", 8, 10));
    assert_eq!(harness.told(), ["user 3", "user 9", "user 10"]);
    assert_eq!((harness.gaps().len(), harness.protocol_errors()), (0, 0));
}

#[test]
fn after_a_missing_event_the_client_resumes_and_gets_both() {
    let mut harness = TestHarness::reliable(|_| {});
    harness.push(event("user", 1));
    harness.push(event("user", 3));
    assert_eq!((harness.phase(), harness.end().as_str(), harness.told().len()), (Phase::Waiting, "EventLost", 1));
    harness.memory().set_streams([("user", 1)]);
    harness.try_again();
    assert_eq!(harness.hellos(), ["hello user=1"]);
    harness.push(event("user", 2));
    harness.push(event("user", 3));
    assert_eq!(harness.told(), ["user 1", "user 2", "user 3"]);
    assert_eq!((harness.protocol_errors(), harness.gaps().len()), (0, 0));
}

#[test]
fn the_first_event_of_an_unknown_stream_is_taken_wherever_it_stands() {
    let mut harness = TestHarness::reliable(|_| {});
    harness.push(event("s1", 500));
    harness.push(event("s1", 501));
    assert_eq!((harness.told().len(), harness.gaps().len(), harness.protocol_errors()), (2, 0, 0));
}

#[test]
fn each_stream_has_a_position_of_its_own() {
    let mut harness = TestHarness::reliable(|_| {});
    for (stream, offset) in [("s1", 7), ("s2", 7), ("s1", 8), ("s2", 8)] {
        harness.push(event(stream, offset));
    }
    assert_eq!((harness.told().len(), harness.protocol_errors()), (4, 0));
}

#[test]
fn a_welcome_beyond_the_position_is_a_gap_and_the_events_after_it_follow() {
    let mut harness = TestHarness::reliable(|_| {});
    harness.push(event("user", 4));
    harness.memory().set_streams([("user", 9)]);
    harness.come_back();
    assert_eq!(harness.gaps(), [gap("user", 5, 9)]);
    harness.push(event("user", 10));
    assert_eq!((harness.told(), harness.protocol_errors()), (vec!["user 4".to_owned(), "user 10".to_owned()], 0));
}

#[test]
fn a_position_that_the_server_tells_later_means_the_same() {
    let mut harness = TestHarness::reliable(|_| {});
    harness.push(position("s1", 0));
    harness.push(event("s1", 1));
    harness.push(position("s1", 1));
    harness.push(position("s1", 6));
    harness.push(event("s1", 7));
    assert_eq!(harness.gaps(), [gap("s1", 2, 6)]);
    assert_eq!((harness.told(), harness.protocol_errors()), (vec!["s1 1".to_owned(), "s1 7".to_owned()], 0));
}

#[test]
fn a_position_below_the_clients_own_is_a_gap_without_an_end_and_the_client_goes_on_from_there() {
    let mut harness = TestHarness::reliable(|_| {});
    harness.push(event("user", 4));
    harness.push(position("user", 2));
    assert_eq!((harness.protocol_errors(), harness.gaps()), (0, vec![endless_gap("user", 5)]));
    harness.push(event("user", 3));
    assert_eq!(harness.told(), ["user 4", "user 3"]);
}

#[test]
fn a_welcome_below_the_position_is_a_gap_too_and_no_later_event_is_taken_for_a_repetition() {
    let mut harness = TestHarness::reliable(|_| {});
    harness.push(event("user", 400));
    harness.memory().set_streams([("user", 0)]);
    harness.come_back();
    assert_eq!(harness.gaps(), [endless_gap("user", 401)]);
    for offset in 1..=150 {
        harness.push(event("user", offset));
    }
    assert_eq!((harness.told().len(), harness.protocol_errors(), harness.phase()), (151, 0, Phase::Open));
}

#[test]
fn a_stream_that_a_welcome_leaves_out_is_forgotten_and_told_as_a_gap() {
    let mut harness = TestHarness::reliable(|_| {});
    harness.push(event("user", 4));
    harness.push(event("s1", 7));
    harness.memory().uncarried = vec!["s1".to_owned()];
    harness.come_back();
    assert_eq!((harness.gaps(), harness.protocol_errors()), (vec![endless_gap("s1", 8)], 0));
    harness.come_back();
    assert_eq!((harness.hellos(), harness.gaps().len()), (vec!["hello user=4"], 1));
    harness.push(event("s1", 2));
    assert_eq!(harness.told(), ["user 4", "s1 7", "s1 2"]);
}

#[test]
fn streams_that_come_and_go_never_use_up_what_a_client_can_follow() {
    let mut harness = TestHarness::reliable(|_| {});
    for round in 0..3 {
        let names: Vec<_> = (0..200).map(|stream| format!("s{stream}")).collect();
        for name in &names {
            harness.push(event(name, round * 10 + 1));
        }
        harness.memory().uncarried = names;
        harness.come_back();
        assert_eq!(harness.client().positions().count(), 0);
    }
}

#[test]
fn a_first_open_handler_that_disconnects_loses_no_event() {
    let mut harness = TestHarness::asking(|_| {});
    harness.memory = Some(ServerMemory::of_streams([("user", 12)]));
    harness.connect();
    harness.advance(0);
    let position = |what: &str| harness.trace.iter().rposition(|line| line.contains(what));
    assert!(position("Opened").is_some());
    harness.disconnect();
    assert_eq!(harness.positions(), [("user", 12)]);
}

#[test]
fn gaps_are_told_before_the_connection_is_used_on() {
    let mut harness = TestHarness::reliable(|_| {});
    harness.push(event("user", 4));
    harness.memory().set_streams([("user", 9)]);
    harness.come_back();
    harness.push(event("user", 10));
    let position = |what: &str| harness.trace.iter().rposition(|line| line.contains(what));
    assert!(position("Gap {") < position("user 10"));
}

#[test]
fn a_257th_stream_is_delivered_at_most_once() {
    let mut harness = TestHarness::reliable(|_| {});
    for stream in 0..256 {
        harness.push(event(&format!("s{stream}"), 1));
    }
    assert_eq!(harness.protocol_errors(), 0);
    for offset in 1..=150 {
        harness.push(event("s256", offset));
        harness.push(event("s300", offset));
    }
    harness.push(event("s256", 150));
    harness.push(position("s256", 8));
    assert_eq!((harness.told().len(), harness.phase()), (256 + 301, Phase::Open));
    assert_eq!((harness.protocol_errors(), harness.gaps().len()), (0, 0));
    assert_eq!(harness.client().positions().count(), 256);
}

#[test]
fn positions_of_a_replaced_socket_are_ignored() {
    let mut harness = TestHarness::reliable(|_| {});
    harness.push(event("user", 4));
    let old = harness.live().unwrap().id;
    harness.come_back();
    for frame in [position("user", 99), event("user", 5)] {
        harness.assert_ignored(Input::Frame { socket: old, frame });
    }
    assert!(harness.gaps().is_empty());
}

#[test]
fn a_stored_reply_or_receipt_moves_the_position_of_its_stream() {
    let mut harness = TestHarness::reliable(|_| {});
    harness.say("a");
    let receipt = stored(receipt(1), "s1", 1);
    harness.push(receipt.clone());
    harness.push(receipt);
    assert_eq!((harness.receipts().len(), harness.violations()), (1, vec![ProtocolViolation::Repetition]));
    harness.come_back();
    assert_eq!(harness.hellos(), ["hello s1=1"]);
}

#[test]
fn positions_in_a_welcome_that_violates_the_protocol_are_not_taken() {
    let mut harness = TestHarness::reliable(|_| {});
    harness.push(event("user", 4));
    harness.memory = None;
    harness.server.answers_pings = false;
    harness.come_back();
    harness.push(welcome(7, 50, 128, json!({ "user": 9 })));
    assert_eq!((harness.phase(), harness.gaps().len()), (Phase::Waiting, 0));
    assert_eq!(harness.positions(), [("user", 4)]);
}

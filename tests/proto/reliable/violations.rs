//! How servers break the protocol, and what a client makes of it (docs/PROTOCOL.md).

use everwire::proto::{Phase, ProtocolViolation, Timer};
use everwire_kit::{TestHarness, ack, event, receipt, refusal, reply, welcome};
use serde_json::{Value, json};

fn malformed() -> Value {
    json!({ "type": "ack", "data": { "seq": "1" } })
}

/// One message sent, nothing acknowledged.
fn waiting() -> TestHarness {
    let mut harness = TestHarness::withhold_acks();
    harness.say("a");
    harness
}

#[test]
fn answers_about_what_was_never_sent_are_ignored() {
    for frame in [ack(2), refusal(2), reply(2), receipt(2)] {
        let mut harness = waiting();
        harness.push(frame.clone());
        assert_eq!(harness.violations(), [ProtocolViolation::NeverSent], "{frame}");
        assert_eq!(
            (harness.told().len(), harness.acknowledged().len(), harness.client().in_flight()),
            (0, 0, 1),
            "{frame}"
        );
        assert_eq!((harness.protocol_errors(), harness.phase()), (1, Phase::Open), "{frame}");
    }
}

#[test]
fn what_waits_was_never_sent_either() {
    let mut harness = TestHarness::withhold_acks();
    harness.memory().window = 1;
    harness.come_back();
    harness.say("sent");
    harness.say("waits");
    for frame in [ack(2), refusal(2), receipt(2)] {
        harness.push(frame);
    }
    assert_eq!((harness.violations(), harness.queued()), (vec![ProtocolViolation::NeverSent; 3], 1));
}

#[test]
fn an_acknowledgement_that_goes_backwards_is_ignored() {
    let mut harness = TestHarness::withhold_acks();
    harness.say("a");
    harness.say("b");
    harness.say("c");
    harness.push(ack(2));
    harness.push(ack(1));
    assert_eq!((harness.violations(), harness.client().in_flight()), (vec![ProtocolViolation::Backwards], 1));
    harness.push(ack(3));
    assert_eq!((harness.protocol_errors(), harness.acknowledged()), (1, vec!["2".to_owned(), "3".to_owned()]));
}

#[test]
fn an_acknowledgement_below_the_welcome_goes_backwards() {
    let mut harness = TestHarness::reliable(|_| {});
    harness.say("a");
    harness.say("b");
    harness.come_back();
    harness.push(ack(1));
    assert_eq!(harness.violations(), [ProtocolViolation::Backwards]);
}

#[test]
fn an_acknowledgement_of_what_is_not_sent_again_yet_is_ignored() {
    let mut harness = TestHarness::withhold_acks();
    harness.cut();
    harness.say("a");
    harness.say("b");
    harness.memory().window = 1;
    harness.come_back();
    harness.push(ack(2));
    assert_eq!((harness.violations(), harness.client().in_flight()), (vec![ProtocolViolation::NeverSent], 2));
}

#[test]
fn a_welcome_about_what_was_never_sent_ends_the_connection() {
    let mut harness = waiting();
    harness.memory().set_last(2);
    harness.come_back();
    assert_eq!((harness.phase(), harness.end().as_str()), (Phase::Waiting, "ProtocolViolation"));
    assert_eq!((harness.violations(), harness.client().in_flight()), (vec![ProtocolViolation::NeverSent], 1));
    harness.memory().set_last(1);
    harness.try_again();
    assert_eq!((harness.phase(), harness.client().in_flight()), (Phase::Open, 0));
}

#[test]
fn a_welcome_that_takes_back_an_acknowledgement_is_counted_and_the_client_goes_on_from_there() {
    let mut harness = TestHarness::reliable(|_| {});
    for text in ["a", "b", "c"] {
        harness.say(text);
    }
    harness.advance(0);
    harness.memory().set_last(1);
    harness.come_back();
    assert_eq!((harness.violations(), harness.phase()), (vec![ProtocolViolation::Backwards], Phase::Open));
    harness.say("d");
    assert_eq!(harness.numbered(), ["4 after 1: note d"]);
    harness.come_back();
    assert_eq!(harness.protocol_errors(), 1);
    harness.memory().set_last(2);
    harness.come_back();
    assert_eq!(harness.violations(), [ProtocolViolation::Backwards; 2]);
}

#[test]
fn a_server_that_has_forgotten_violates_the_protocol_on_every_connection_until_it_has_caught_up() {
    let mut harness = TestHarness::reliable(|_| {});
    for text in ["a", "b", "c"] {
        harness.say(text);
    }
    harness.advance(0);
    harness.memory().set_last(1);
    harness.come_back();
    harness.come_back();
    assert_eq!((harness.violations(), harness.phase()), (vec![ProtocolViolation::Backwards; 2], Phase::Open));
    harness.say("d");
    harness.come_back();
    assert_eq!(harness.protocol_errors(), 2);
}

#[test]
fn a_welcome_about_what_was_accepted_and_waits_is_about_what_was_never_sent() {
    let mut harness = TestHarness::reliable(|_| {});
    harness.close(1006);
    harness.say("waits");
    harness.memory().set_last(1);
    harness.try_again();
    assert_eq!((harness.violations(), harness.queued()), (vec![ProtocolViolation::NeverSent], 1));
}

#[test]
fn a_welcome_that_nobody_asked_for_is_ignored_with_all_it_says() {
    let mut harness = waiting();
    harness.push(event("user", 5));
    for frame in [welcome(7, 1, 1, json!({ "user": 50 })), welcome(9, 1, 1, json!({ "user": 50 }))] {
        harness.push(frame);
    }
    assert_eq!(harness.violations(), [ProtocolViolation::UnexpectedWelcome; 2]);
    assert_eq!((harness.client().in_flight(), harness.gaps().len()), (1, 0));
    harness.push(event("user", 6));
    assert_eq!(harness.told(), ["user 5", "user 6"]);
}

#[test]
fn a_welcome_to_a_server_that_was_taken_for_a_plain_one_is_ignored() {
    let mut harness = TestHarness::asking(|_| {});
    harness.connect();
    harness.advance(0);
    harness.push(welcome(7, 0, 1, json!({})));
    assert_eq!(harness.violations(), [ProtocolViolation::UnexpectedWelcome]);
    harness.say("a");
    assert_eq!(harness.numbered(), ["note a"]);
    harness.push(ack(1));
    assert_eq!(harness.violations()[1], ProtocolViolation::NeverSent);
}

#[test]
fn frames_with_wrong_fields_are_counted() {
    let mut harness = waiting();
    harness.push(malformed());
    assert_eq!(
        (harness.violations(), harness.told().len(), harness.phase()),
        (vec![ProtocolViolation::Malformed], 0, Phase::Open)
    );
}

#[test]
fn wrong_fields_before_the_welcome_are_counted_too() {
    let mut harness = TestHarness::asking(|_| {});
    harness.server.answers_pings = false;
    harness.connect();
    harness.advance(0);
    for _ in 0..100 {
        harness.push(malformed());
    }
    assert_eq!((harness.phase(), harness.protocol_errors()), (Phase::Connecting, 100));
    harness.push(malformed());
    assert_eq!((harness.phase(), harness.end().as_str()), (Phase::Waiting, "ProtocolViolation"));
}

#[test]
fn the_first_ten_of_a_connection_are_told_and_all_are_counted() {
    let mut harness = waiting();
    for _ in 0..30 {
        harness.push(malformed());
    }
    assert_eq!((harness.violations().len(), harness.protocol_errors(), harness.phase()), (10, 30, Phase::Open));
    harness.come_back();
    for _ in 0..12 {
        harness.push(malformed());
    }
    assert_eq!((harness.violations().len(), harness.protocol_errors()), (20, 42));
}

#[test]
fn more_than_a_hundred_on_one_connection_end_it_and_the_client_tries_again_later() {
    let mut harness = waiting();
    for _ in 0..100 {
        harness.push(malformed());
    }
    assert_eq!(harness.phase(), Phase::Open);
    harness.push(malformed());
    assert_eq!((harness.phase(), harness.end().as_str()), (Phase::Waiting, "ProtocolViolation"));
    assert_eq!(harness.due().map(|(_, timer)| timer), Some(Timer::RetryDue));
    assert_eq!((harness.protocol_errors(), harness.client().in_flight()), (101, 1));
    harness.try_again();
    for _ in 0..100 {
        harness.push(malformed());
    }
    assert_eq!(harness.phase(), Phase::Open);
}

#[test]
fn violations_while_the_connection_closes_do_not_end_it_twice() {
    let mut harness = waiting();
    harness.server.completes_closing = false;
    harness.disconnect();
    for _ in 0..120 {
        harness.push(malformed());
    }
    assert_eq!((harness.phase(), harness.protocol_errors()), (Phase::Closing, 120));
}

//! What a client does not believe (docs/PROTOCOL.md).

use everwire::proto::{Phase, ProtocolViolation, Timer};
use serde_json::{Value, json};

use crate::memory::{ack, event, receipt, refusal, reply, welcome};
use crate::world::World;

fn malformed() -> Value {
    json!({ "type": "ack", "data": { "seq": "1" } })
}

/// One message sent, nothing acknowledged.
fn waiting() -> World {
    let mut world = World::taciturn();
    world.say("a");
    world
}

#[test]
fn news_of_what_was_never_sent_is_ignored() {
    for frame in [ack(2), refusal(2), reply(2), receipt(2)] {
        let mut world = waiting();
        world.push(frame.clone());
        assert_eq!(world.violations(), [ProtocolViolation::NeverSent], "{frame}");
        assert_eq!((world.told().len(), world.acknowledged().len(), world.client.in_flight()), (0, 0, 1), "{frame}");
        assert_eq!((world.protocol_errors(), world.phase()), (1, Phase::Open), "{frame}");
    }
}

#[test]
fn what_waits_was_never_sent_either() {
    let mut world = World::taciturn();
    world.memory().window = 1;
    world.come_back();
    world.say("sent");
    world.say("waits");
    for frame in [ack(2), refusal(2), receipt(2)] {
        world.push(frame);
    }
    assert_eq!((world.violations(), world.queued()), (vec![ProtocolViolation::NeverSent; 3], 1));
}

#[test]
fn an_acknowledgement_that_goes_backwards_is_ignored() {
    let mut world = World::taciturn();
    world.say("a");
    world.say("b");
    world.say("c");
    world.push(ack(2));
    world.push(ack(1));
    assert_eq!((world.violations(), world.client.in_flight()), (vec![ProtocolViolation::Backwards], 1));
    world.push(ack(3));
    assert_eq!((world.protocol_errors(), world.acknowledged()), (1, vec!["2".to_owned(), "3".to_owned()]));
}

#[test]
fn an_acknowledgement_below_the_welcome_goes_backwards() {
    let mut world = World::reliable(|_| {});
    world.say("a");
    world.say("b");
    world.come_back();
    world.push(ack(1));
    assert_eq!(world.violations(), [ProtocolViolation::Backwards]);
}

#[test]
fn an_acknowledgement_of_what_is_not_sent_again_yet_is_ignored() {
    let mut world = World::taciturn();
    world.cut();
    world.say("a");
    world.say("b");
    world.memory().window = 1;
    world.come_back();
    world.push(ack(2));
    assert_eq!((world.violations(), world.client.in_flight()), (vec![ProtocolViolation::NeverSent], 2));
}

#[test]
fn a_welcome_about_what_was_never_sent_ends_the_connection() {
    let mut world = waiting();
    world.memory().last.insert(String::new(), 2);
    world.come_back();
    assert_eq!((world.phase(), world.end().as_str()), (Phase::Waiting, "ProtocolViolation"));
    assert_eq!((world.violations(), world.client.in_flight()), (vec![ProtocolViolation::NeverSent], 1));
    world.memory().last.insert(String::new(), 1);
    world.try_again();
    assert_eq!((world.phase(), world.client.in_flight()), (Phase::Open, 0));
}

#[test]
fn a_welcome_that_takes_back_an_acknowledgement_is_counted_and_the_client_goes_on_from_there() {
    let mut world = World::reliable(|_| {});
    for text in ["a", "b", "c"] {
        world.say(text);
    }
    world.advance(0);
    world.memory().last.insert(String::new(), 1);
    world.come_back();
    assert_eq!((world.violations(), world.phase()), (vec![ProtocolViolation::Backwards], Phase::Open));
    world.say("d");
    assert_eq!(world.numbered(), ["4 after 1: note d"]);
    world.come_back();
    assert_eq!(world.protocol_errors(), 1);
    world.memory().last.insert(String::new(), 2);
    world.come_back();
    assert_eq!(world.violations(), [ProtocolViolation::Backwards; 2]);
}

#[test]
fn a_server_that_has_forgotten_is_doubted_on_every_connection_until_it_has_caught_up() {
    let mut world = World::reliable(|_| {});
    for text in ["a", "b", "c"] {
        world.say(text);
    }
    world.advance(0);
    world.memory().last.insert(String::new(), 1);
    world.come_back();
    world.come_back();
    assert_eq!((world.violations(), world.phase()), (vec![ProtocolViolation::Backwards; 2], Phase::Open));
    world.say("d");
    world.come_back();
    assert_eq!(world.protocol_errors(), 2);
}

#[test]
fn a_welcome_about_what_was_accepted_and_waits_is_about_what_was_never_sent() {
    let mut world = World::reliable(|_| {});
    world.close(1006);
    world.say("waits");
    world.memory().last.insert(String::new(), 1);
    world.try_again();
    assert_eq!((world.violations(), world.queued()), (vec![ProtocolViolation::NeverSent], 1));
}

#[test]
fn a_welcome_that_nobody_asked_for_is_ignored_with_all_it_says() {
    let mut world = waiting();
    world.push(event("user", 5));
    for frame in [welcome(7, 1, 1, json!({ "user": 50 })), welcome(9, 1, 1, json!({ "user": 50 }))] {
        world.push(frame);
    }
    assert_eq!(world.violations(), [ProtocolViolation::UnexpectedWelcome; 2]);
    assert_eq!((world.client.in_flight(), world.gaps().len()), (1, 0));
    world.push(event("user", 6));
    assert_eq!(world.told(), ["user 5", "user 6"]);
}

#[test]
fn a_welcome_to_a_server_that_was_taken_for_a_plain_one_is_ignored() {
    let mut world = World::asking(|_| {});
    world.connect();
    world.advance(0);
    world.push(welcome(7, 0, 1, json!({})));
    assert_eq!(world.violations(), [ProtocolViolation::UnexpectedWelcome]);
    world.say("a");
    assert_eq!(world.numbered(), ["note a"]);
    world.push(ack(1));
    assert_eq!(world.violations()[1], ProtocolViolation::NeverSent);
}

#[test]
fn frames_with_wrong_fields_are_counted() {
    let mut world = waiting();
    world.push(malformed());
    assert_eq!(
        (world.violations(), world.told().len(), world.phase()),
        (vec![ProtocolViolation::Malformed], 0, Phase::Open)
    );
}

#[test]
fn wrong_fields_before_the_welcome_are_counted_too() {
    let mut world = World::asking(|_| {});
    world.server.answers_pings = false;
    world.connect();
    world.advance(0);
    for _ in 0..100 {
        world.push(malformed());
    }
    assert_eq!((world.phase(), world.protocol_errors()), (Phase::Connecting, 100));
    world.push(malformed());
    assert_eq!((world.phase(), world.end().as_str()), (Phase::Waiting, "ProtocolViolation"));
}

#[test]
fn the_first_ten_of_a_connection_are_told_and_all_are_counted() {
    let mut world = waiting();
    for _ in 0..30 {
        world.push(malformed());
    }
    assert_eq!((world.violations().len(), world.protocol_errors(), world.phase()), (10, 30, Phase::Open));
    world.come_back();
    for _ in 0..12 {
        world.push(malformed());
    }
    assert_eq!((world.violations().len(), world.protocol_errors()), (20, 42));
}

#[test]
fn more_than_a_hundred_on_one_connection_end_it_and_the_client_tries_again_later() {
    let mut world = waiting();
    for _ in 0..100 {
        world.push(malformed());
    }
    assert_eq!(world.phase(), Phase::Open);
    world.push(malformed());
    assert_eq!((world.phase(), world.end().as_str()), (Phase::Waiting, "ProtocolViolation"));
    assert_eq!(world.due().map(|(_, timer)| timer), Some(Timer::RetryDue));
    assert_eq!((world.protocol_errors(), world.client.in_flight()), (101, 1));
    world.try_again();
    for _ in 0..100 {
        world.push(malformed());
    }
    assert_eq!(world.phase(), Phase::Open);
}

#[test]
fn disbelief_while_the_connection_closes_does_not_end_it_twice() {
    let mut world = waiting();
    world.server.completes_closing = false;
    world.disconnect();
    for _ in 0..120 {
        world.push(malformed());
    }
    assert_eq!((world.phase(), world.protocol_errors()), (Phase::Closing, 120));
}

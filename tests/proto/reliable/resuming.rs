//! A new connection goes on where the last one ended.

use everwire::proto::{Input, Message, Phase, Sent};
use serde_json::json;

use crate::memory::{ack, receipt, refusal, reply, welcome};
use crate::wire::message;
use crate::world::{Act, World};

fn join(session: &str) -> Box<Message<String>> {
    message("join_session", json!({ "session_id": session }))
}

fn leave(session: &str) -> Box<Message<String>> {
    message("leave_session", json!({ "session_id": session }))
}

#[test]
fn what_was_lost_is_sent_again_in_order_before_what_is_new() {
    let mut world = World::taciturn();
    world.say("a");
    world.cut();
    world.say("b");
    world.say("c");
    world.close(1006);
    assert_eq!(world.say("d"), Sent::Queued);
    world.try_again();
    assert_eq!(world.numbered(), ["2: note b", "3: note c", "4: note d"]);
    assert_eq!(world.acknowledged(), ["1"]);
}

#[test]
fn what_is_processed_is_not_sent_again_although_its_acknowledgement_was_lost() {
    let mut world = World::taciturn();
    for text in ["a", "b"] {
        world.say(text);
    }
    world.come_back();
    assert!(world.numbered().is_empty());
    assert_eq!((world.acknowledged(), world.client.in_flight()), (vec!["2".to_owned()], 0));
    assert_eq!(world.say("c"), Sent::Now);
    assert_eq!(world.numbered(), ["3: note c"]);
}

#[test]
fn what_is_sent_again_was_not_waiting_so_it_is_no_news() {
    let mut world = World::taciturn();
    world.cut();
    world.say("a");
    world.come_back();
    assert_eq!((world.numbered(), world.transmitted()), (vec!["1: note a".to_owned()], vec![]));
}

#[test]
fn a_message_that_was_sent_once_is_sent_again_however_often_the_connection_is_lost() {
    let mut world = World::taciturn();
    world.cut();
    world.say("a");
    world.server.latency_ms = 10;
    for _ in 0..4 {
        world.close(1006);
        world.try_again();
        world.advance(10);
        world.cut();
        world.advance(10);
        assert_eq!((world.phase(), world.numbered()), (Phase::Open, vec!["1: note a".to_owned()]));
    }
    assert_eq!((world.processed(), world.dropped().len()), (0, 0));
}

#[test]
fn messages_under_way_survive_every_end_of_a_connection() {
    let ends: [(&str, Act); 6] = [
        ("lost", |world| world.come_back()),
        ("fatal", |world| {
            world.close(1002);
            assert_eq!(world.phase(), Phase::Fatal);
            world.connect();
        }),
        ("disconnected", |world| {
            world.disconnect();
            world.advance(0);
            world.connect();
        }),
        ("replaced", World::reconnect),
        ("restored", |world| world.input(Input::PageRestored)),
        ("deaf", |world| {
            world.go_deaf();
            world.say("c");
            world.close(1006);
            world.try_again();
        }),
    ];
    for (name, end) in ends {
        let mut world = World::taciturn();
        world.cut();
        world.say("a");
        world.say("b");
        end(&mut world);
        world.advance(0);
        assert_eq!(world.numbered()[..2], ["1: note a", "2: note b"], "{name}");
        assert!(world.dropped().is_empty(), "{name}");
    }
}

#[test]
fn what_the_socket_did_not_take_is_under_way_and_not_in_the_queue() {
    let mut world = World::reliable(|config| config.queue.max_messages = 0);
    world.go_deaf_after(1);
    assert_eq!((world.say("a"), world.say("b")), (Sent::Now, Sent::Now));
    assert_eq!((world.phase(), world.queued(), world.client.in_flight()), (Phase::Closing, 0, 2));
    world.close(1006);
    world.try_again();
    assert_eq!((world.numbered(), world.processed()), (vec!["2: note b".to_owned()], 2));
    assert!(world.dropped().is_empty());
}

#[test]
fn sessions_are_joined_again_without_a_number_before_what_is_sent_again_and_what_waits() {
    let mut world = World::reliable(|_| {});
    world.send(join("maths")).unwrap();
    world.send(join("physics")).unwrap();
    world.advance(0);
    world.cut();
    world.say("lost");
    world.close(1006);
    world.say("queued");
    world.try_again();
    assert_eq!(world.numbered(), ["join_session maths", "join_session physics", "3: note lost", "4: note queued"]);
}

#[test]
fn a_session_counts_as_joined_or_left_when_the_server_has_said_so() {
    let mut world = World::reliable(|_| {});
    world.send(join("maths")).unwrap();
    world.advance(0);
    world.cut();
    world.send(join("physics")).unwrap();
    world.send(leave("maths")).unwrap();
    world.come_back();
    assert_eq!(world.numbered(), ["join_session maths", "2: join_session physics", "3: leave_session maths"]);
    world.advance(0);
    world.come_back();
    assert_eq!(world.numbered(), ["join_session physics"]);
}

#[test]
fn a_join_whose_acknowledgement_was_lost_is_joined_again() {
    let mut world = World::taciturn();
    world.send(join("maths")).unwrap();
    world.come_back();
    assert_eq!(world.numbered(), ["join_session maths"]);
}

#[test]
fn frames_that_still_arrive_while_the_connection_closes_are_left_to_the_next_one() {
    let mut world = World::taciturn();
    world.say("a");
    world.say("b");
    world.server.completes_closing = false;
    world.disconnect();
    assert_eq!(world.phase(), Phase::Closing);
    for frame in [ack(1), ack(2), welcome(9, 2, 1, json!({})), crate::memory::event("user", 1)] {
        world.push(frame);
    }
    assert_eq!((world.told().len(), world.acknowledged().len(), world.client.in_flight()), (0, 0, 2));
    assert_eq!((world.gaps().len(), world.protocol_errors()), (0, 0));
    world.push(refusal(1));
    world.push(receipt(2));
    world.push(reply(2));
    assert_eq!((world.told(), world.protocol_errors()), (vec!["error".to_owned(), "receipt".to_owned()], 1));
    world.push(crate::memory::position("user", 8));
    world.connect();
    world.advance(0);
    assert_eq!(world.hellos(), ["hello"]);
}

#[test]
fn a_connection_with_messages_under_way_opens_after_they_are_sent_again() {
    let mut world = World::taciturn();
    world.cut();
    world.say("a");
    world.come_back();
    let position = |what: &str| world.trace.iter().rposition(|line| line.contains(what));
    assert!(position("Transmit") < position("Opened"), "{:?}", world.trace);
}

#[test]
fn a_welcome_acknowledges_a_part_and_the_rest_is_sent_after_it() {
    let mut world = World::taciturn();
    for text in ["a", "b", "c"] {
        world.say(text);
    }
    world.memory().last.insert(String::new(), 2);
    world.come_back();
    assert_eq!((world.acknowledged(), world.numbered()), (vec!["2".to_owned()], vec!["3: note c".to_owned()]));
    world.push(ack(3));
    assert_eq!(world.client.in_flight(), 0);
}

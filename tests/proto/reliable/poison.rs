//! Messages that a server cannot take and answers by ending the connection.

use everwire::proto::{DropReason, Phase};
use serde_json::json;

use crate::memory::{ack, welcome};
use crate::wire::note;
use crate::world::World;

const BLAMING: [u16; 6] = [1003, 1007, 1009, 1011, 4400, 4409];

/// The server ends the connection, and the client makes the next one.
fn end(world: &mut World, code: u16) {
    world.close(code);
    world.try_again();
}

#[test]
fn a_message_that_ends_three_connections_is_dropped_and_the_next_ones_go_on() {
    for code in BLAMING {
        let mut world = World::taciturn();
        world.cut();
        for text in ["poison", "b", "c"] {
            world.say(text);
        }
        end(&mut world, code);
        assert_eq!(world.numbered(), ["1: note poison"], "{code}");
        world.memory().last.clear();
        end(&mut world, code);
        assert_eq!(world.numbered(), ["1: note poison"], "{code}");
        assert!(world.dropped().is_empty(), "{code}");
        world.memory().last.clear();
        end(&mut world, code);
        assert_eq!(world.dropped(), [("note poison".to_owned(), DropReason::Poisoned)], "{code}");
        assert_eq!(world.numbered(), ["2 after 0: note b"], "{code}");
        world.push(ack(2));
        assert_eq!(world.numbered(), ["2 after 0: note b", "3: note c"], "{code}");
        world.push(ack(3));
        assert_eq!((world.client.in_flight(), world.phase()), (0, Phase::Open), "{code}");
    }
}

#[test]
fn the_blame_falls_on_the_message_behind_others_that_are_fine() {
    let mut world = World::taciturn();
    world.cut();
    for text in ["a", "b", "poison", "d"] {
        world.say(text);
    }
    end(&mut world, 1007);
    world.push(ack(1));
    world.push(ack(2));
    assert_eq!(world.numbered(), ["1: note a", "2: note b", "3: note poison"]);
    world.memory().last.insert(String::new(), 2);
    end(&mut world, 1007);
    world.memory().last.insert(String::new(), 2);
    end(&mut world, 1007);
    world.memory().last.insert(String::new(), 2);
    end(&mut world, 1007);
    assert_eq!(world.dropped(), [("note poison".to_owned(), DropReason::Poisoned)]);
    assert_eq!(world.numbered(), ["4 after 2: note d"]);
}

#[test]
fn once_the_suspects_are_done_the_whole_window_is_used_again() {
    let mut world = World::taciturn();
    world.cut();
    world.say("a");
    end(&mut world, 1011);
    for text in ["b", "c"] {
        world.say(text);
    }
    assert_eq!((world.numbered(), world.queued()), (vec!["1: note a".to_owned()], 2));
    world.push(ack(1));
    assert_eq!(world.numbered(), ["1: note a", "2: note b", "3: note c"]);
}

#[test]
fn connections_that_merely_die_never_count() {
    for code in [1000, 1001, 1005, 1006, 1012, 1013, 4410] {
        let mut world = World::reliable(|config| config.reconnect.max_attempts = 100);
        world.memory().acknowledges = false;
        for _ in 0..20 {
            world.cut();
            world.say("a");
            end(&mut world, code);
            world.memory().last.clear();
        }
        assert!(world.dropped().is_empty(), "{code}");
    }
}

#[test]
fn deaths_in_between_neither_count_nor_acquit() {
    let mut world = World::taciturn();
    world.cut();
    world.say("poison");
    for code in [1011, 1006, 1011, 1012, 1011] {
        assert!(world.dropped().is_empty());
        world.memory().last.clear();
        end(&mut world, code);
    }
    assert_eq!(world.dropped().len(), 1);
}

#[test]
fn a_connection_without_a_message_under_way_ends_as_its_code_says() {
    let mut world = World::reliable(|_| {});
    world.say("a");
    world.advance(0);
    world.close(4400);
    assert_eq!(world.phase(), Phase::Fatal);
}

#[test]
fn before_the_welcome_nothing_is_under_way() {
    let mut world = World::taciturn();
    world.cut();
    world.say("a");
    world.memory = None;
    world.server.answers_pings = false;
    for _ in 0..3 {
        end(&mut world, 1011);
    }
    assert!(world.dropped().is_empty());
    world.close(1007);
    assert_eq!((world.phase(), world.client.in_flight()), (Phase::Fatal, 1));
}

#[test]
fn what_a_closing_socket_refused_is_not_to_blame() {
    let mut world = World::taciturn();
    world.say("first");
    world.push(ack(1));
    world.go_deaf();
    world.say("a");
    assert_eq!(world.phase(), Phase::Closing);
    for strikes in 0..3 {
        assert_eq!((world.dropped().len(), world.client.in_flight()), (0, 1), "{strikes}");
        world.memory().last.insert(String::new(), 1);
        end(&mut world, 1011);
    }
    assert_eq!(world.dropped().len(), 0);
    world.memory().last.insert(String::new(), 1);
    end(&mut world, 1011);
    assert_eq!(world.dropped().len(), 1);
}

#[test]
fn giving_a_message_up_does_not_use_up_the_attempts() {
    let mut world = World::taciturn();
    world.cut();
    for number in 0..10 {
        world.say(&format!("poison {number}"));
    }
    for _ in 0..40 {
        if world.phase() == Phase::Open && world.client.in_flight() > 0 {
            world.memory().last.clear();
            world.close(1009);
        }
        world.advance(6_000);
    }
    assert_eq!((world.dropped().len(), world.gave_up()), (10, vec![]));
    assert_eq!(world.phase(), Phase::Open);
}

#[test]
fn what_an_earlier_page_has_left_is_given_up_too() {
    let mut world = World::taciturn();
    let mut left = note("poison");
    (left.sender, left.seq) = (Some("earlier".to_owned()), 4);
    world.restore([left]);
    world.advance(0);
    for _ in 0..3 {
        assert!(world.dropped().is_empty());
        world.memory().last.clear();
        end(&mut world, 1007);
    }
    assert_eq!(world.dropped(), [("note poison".to_owned(), DropReason::Poisoned)]);
    world.push(welcome(7, 0, 128, json!({})));
    world.say("own");
    assert_eq!(world.numbered(), ["1: note own"]);
}

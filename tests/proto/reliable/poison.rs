//! Messages that a server cannot take and answers by ending the connection.

use everwire::proto::{DropReason, Phase};
use everwire_kit::{TestHarness, ack, note, welcome};
use serde_json::json;

const BLAMING: [u16; 6] = [1003, 1007, 1009, 1011, 4400, 4409];

/// The server ends the connection, and the client makes the next one.
fn end(harness: &mut TestHarness, code: u16) {
    harness.close(code);
    harness.try_again();
}

#[test]
fn a_message_that_ends_three_connections_is_dropped_and_the_next_ones_go_on() {
    for code in BLAMING {
        let mut harness = TestHarness::withhold_acks();
        harness.cut();
        for text in ["poison", "b", "c"] {
            harness.say(text);
        }
        end(&mut harness, code);
        assert_eq!(harness.numbered(), ["1: note poison"], "{code}");
        harness.memory().last.clear();
        end(&mut harness, code);
        assert_eq!(harness.numbered(), ["1: note poison"], "{code}");
        assert!(harness.dropped().is_empty(), "{code}");
        harness.memory().last.clear();
        end(&mut harness, code);
        assert_eq!(harness.dropped(), [("note poison".to_owned(), DropReason::Poisoned)], "{code}");
        assert_eq!(harness.numbered(), ["2 after 0: note b"], "{code}");
        harness.push(ack(2));
        assert_eq!(harness.numbered(), ["2 after 0: note b", "3: note c"], "{code}");
        harness.push(ack(3));
        assert_eq!((harness.client().in_flight(), harness.phase()), (0, Phase::Open), "{code}");
    }
}

#[test]
fn the_blame_falls_on_the_message_behind_others_that_are_fine() {
    let mut harness = TestHarness::withhold_acks();
    harness.cut();
    for text in ["a", "b", "poison", "d"] {
        harness.say(text);
    }
    end(&mut harness, 1007);
    harness.push(ack(1));
    harness.push(ack(2));
    assert_eq!(harness.numbered(), ["1: note a", "2: note b", "3: note poison"]);
    harness.memory().set_last(2);
    end(&mut harness, 1007);
    harness.memory().set_last(2);
    end(&mut harness, 1007);
    harness.memory().set_last(2);
    end(&mut harness, 1007);
    assert_eq!(harness.dropped(), [("note poison".to_owned(), DropReason::Poisoned)]);
    assert_eq!(harness.numbered(), ["4 after 2: note d"]);
}

#[test]
fn once_the_suspects_are_done_the_whole_window_is_used_again() {
    let mut harness = TestHarness::withhold_acks();
    harness.cut();
    harness.say("a");
    end(&mut harness, 1011);
    for text in ["b", "c"] {
        harness.say(text);
    }
    assert_eq!((harness.numbered(), harness.queued()), (vec!["1: note a".to_owned()], 2));
    harness.push(ack(1));
    assert_eq!(harness.numbered(), ["1: note a", "2: note b", "3: note c"]);
}

#[test]
fn connections_that_merely_die_never_count() {
    for code in [1000, 1001, 1005, 1006, 1012, 1013, 4410] {
        let mut harness = TestHarness::reliable(|config| config.reconnect.max_attempts = 100);
        harness.memory().acknowledges = false;
        for _ in 0..20 {
            harness.cut();
            harness.say("a");
            end(&mut harness, code);
            harness.memory().last.clear();
        }
        assert!(harness.dropped().is_empty(), "{code}");
    }
}

#[test]
fn deaths_in_between_neither_count_nor_acquit() {
    let mut harness = TestHarness::withhold_acks();
    harness.cut();
    harness.say("poison");
    for code in [1011, 1006, 1011, 1012, 1011] {
        assert!(harness.dropped().is_empty());
        harness.memory().last.clear();
        end(&mut harness, code);
    }
    assert_eq!(harness.dropped().len(), 1);
}

#[test]
fn a_connection_without_a_message_under_way_ends_as_its_code_says() {
    let mut harness = TestHarness::reliable(|_| {});
    harness.say("a");
    harness.advance(0);
    harness.close(4400);
    assert_eq!(harness.phase(), Phase::Fatal);
}

#[test]
fn before_the_welcome_nothing_is_under_way() {
    let mut harness = TestHarness::withhold_acks();
    harness.cut();
    harness.say("a");
    harness.memory = None;
    harness.server.answers_pings = false;
    for _ in 0..3 {
        end(&mut harness, 1011);
    }
    assert!(harness.dropped().is_empty());
    harness.close(1007);
    assert_eq!((harness.phase(), harness.client().in_flight()), (Phase::Fatal, 1));
}

#[test]
fn what_a_closing_socket_refused_is_not_to_blame() {
    let mut harness = TestHarness::withhold_acks();
    harness.say("first");
    harness.push(ack(1));
    harness.stop_accepting();
    harness.say("a");
    assert_eq!(harness.phase(), Phase::Closing);
    for strikes in 0..3 {
        assert_eq!((harness.dropped().len(), harness.client().in_flight()), (0, 1), "{strikes}");
        harness.memory().set_last(1);
        end(&mut harness, 1011);
    }
    assert_eq!(harness.dropped().len(), 0);
    harness.memory().set_last(1);
    end(&mut harness, 1011);
    assert_eq!(harness.dropped().len(), 1);
}

#[test]
fn giving_a_message_up_does_not_use_up_the_attempts() {
    let mut harness = TestHarness::withhold_acks();
    harness.cut();
    for number in 0..10 {
        harness.say(&format!("poison {number}"));
    }
    for _ in 0..40 {
        if harness.phase() == Phase::Open && harness.client().in_flight() > 0 {
            harness.memory().last.clear();
            harness.close(1009);
        }
        harness.advance(6_000);
    }
    assert_eq!((harness.dropped().len(), harness.gave_up()), (10, vec![]));
    assert_eq!(harness.phase(), Phase::Open);
}

#[test]
fn what_a_previous_instance_has_left_is_given_up_too() {
    let mut harness = TestHarness::withhold_acks();
    let mut left = note("poison");
    (left.origin, left.seq) = (Some("earlier".to_owned()), 4);
    harness.restore([left]);
    harness.advance(0);
    for _ in 0..3 {
        assert!(harness.dropped().is_empty());
        harness.memory().last.clear();
        end(&mut harness, 1007);
    }
    assert_eq!(harness.dropped(), [("note poison".to_owned(), DropReason::Poisoned)]);
    harness.push(welcome(7, 0, 128, json!({})));
    harness.say("own");
    assert_eq!(harness.numbered(), ["1: note own"]);
}

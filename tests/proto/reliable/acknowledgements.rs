//! Acknowledgements, the window, and what happens without them.

use everwire::proto::{Phase, Sent, Timer};

use crate::memory::{ack, reply};
use crate::wire::message;
use crate::world::{World, secs};

#[test]
fn messages_are_numbered_as_they_are_accepted_and_kept_until_they_are_acknowledged() {
    let mut world = World::taciturn();
    for text in ["a", "b", "c"] {
        assert_eq!(world.say(text), Sent::Now);
    }
    assert_eq!(world.numbered(), ["1: note a", "2: note b", "3: note c"]);
    assert_eq!((world.client.latest_seq(), world.client.in_flight(), world.queued()), (3, 3, 0));
    assert!(world.acknowledged().is_empty());
    world.push(ack(1));
    assert_eq!((world.client.in_flight(), world.acknowledged()), (2, vec!["1".to_owned()]));
}

#[test]
fn an_acknowledgement_covers_everything_before_it() {
    let mut world = World::taciturn();
    for text in ["a", "b", "c", "d"] {
        world.say(text);
    }
    world.push(ack(3));
    assert_eq!((world.client.in_flight(), world.acknowledged()), (1, vec!["3".to_owned()]));
    world.push(ack(4));
    assert_eq!((world.client.in_flight(), world.acknowledged()), (0, vec!["3".to_owned(), "4".to_owned()]));
}

#[test]
fn the_application_hears_of_no_frame_that_is_an_acknowledgement_and_of_none_twice() {
    let mut world = World::taciturn();
    world.say("a");
    world.push(ack(1));
    world.push(ack(1));
    assert_eq!((world.told().len(), world.acknowledged().len(), world.protocol_errors()), (0, 1, 0));
}

#[test]
fn no_more_than_the_window_is_under_way_and_an_acknowledgement_lets_the_next_ones_out() {
    let mut world = World::taciturn();
    world.memory().window = 2;
    world.come_back();
    let sent: Vec<_> = ["a", "b", "c", "d", "e"].map(|text| world.say(text)).into();
    assert_eq!(sent, [Sent::Now, Sent::Now, Sent::Queued, Sent::Queued, Sent::Queued]);
    assert_eq!((world.heard().len(), world.queued(), world.has_room()), (2, 3, false));
    world.push(ack(1));
    assert_eq!((world.heard().len(), world.queued(), world.transmitted()), (3, 2, vec![3]));
    world.push(ack(3));
    assert_eq!(world.numbered(), ["1: note a", "2: note b", "3: note c", "4: note d", "5: note e"]);
    assert!(!world.has_room());
    world.push(ack(5));
    assert!(world.has_room());
    assert_eq!(world.say("f"), Sent::Now);
}

#[test]
fn the_default_window_is_what_the_server_says() {
    let mut world = World::taciturn();
    for _ in 0..128 {
        assert_eq!(world.say("a"), Sent::Now);
    }
    assert_eq!(world.say("b"), Sent::Queued);
}

#[test]
fn a_window_of_none_still_lets_one_message_through_and_a_huge_one_no_more_than_1024() {
    for (window, bound) in [(0, 1), (u32::MAX, 1_024)] {
        let mut world = World::taciturn();
        world.memory().window = window;
        world.come_back();
        for _ in 0..bound {
            assert_eq!(world.say("a"), Sent::Now, "{window}");
        }
        assert_eq!(world.say("b"), Sent::Queued, "{window}");
    }
}

#[test]
fn a_smaller_window_on_the_next_connection_holds_for_what_is_sent_again() {
    let mut world = World::taciturn();
    world.cut();
    for text in ["a", "b", "c"] {
        world.say(text);
    }
    world.memory().window = 1;
    world.come_back();
    assert_eq!(world.numbered(), ["1: note a"]);
    world.push(ack(1));
    assert_eq!(world.numbered(), ["1: note a", "2: note b"]);
}

#[test]
fn ten_seconds_without_an_acknowledgement_end_the_connection_and_the_messages_go_out_again() {
    let mut world = World::taciturn();
    world.cut();
    world.say("a");
    world.advance(4_000);
    world.say("b");
    assert_eq!(world.due(), Some((6_000, Timer::AckOverdue)));
    world.advance(5_999);
    assert_eq!(world.phase(), Phase::Open);
    world.advance(1);
    assert_eq!((world.phase(), world.end().as_str()), (Phase::Waiting, "AckTimeout"));
    world.try_again();
    assert_eq!(world.numbered(), ["1: note a", "2: note b"]);
    assert_eq!((world.processed(), world.queued()), (2, 0));
}

#[test]
fn every_acknowledgement_gives_what_is_left_its_full_time_again() {
    let mut world = World::taciturn();
    for text in ["a", "b"] {
        world.say(text);
    }
    world.advance(9_000);
    world.push(ack(1));
    assert_eq!(world.due(), Some((10_000, Timer::AckOverdue)));
    world.push(ack(1));
    world.advance(2_000);
    world.push(ack(2));
    assert_eq!(world.due().map(|(_, timer)| timer), Some(Timer::PingDue));
}

#[test]
fn a_server_that_holds_messages_back_repeats_its_acknowledgement_and_is_not_taken_for_dead() {
    let mut world = World::taciturn();
    for text in ["a", "b"] {
        world.say(text);
    }
    for _ in 0..5 {
        world.advance(9_000);
        world.push(ack(0));
    }
    assert_eq!((world.phase(), world.protocol_errors(), world.client.in_flight()), (Phase::Open, 0, 2));
    world.push(ack(1));
    world.advance(9_000);
    world.push(ack(1));
    world.advance(9_999);
    assert_eq!(world.phase(), Phase::Open);
    world.advance(1);
    assert_eq!(world.end(), "AckTimeout");
}

#[test]
fn what_proves_the_round_trip_stands_in_for_a_late_pong() {
    for life in [ack(1), ack(0), reply(1)] {
        let mut world = World::taciturn();
        world.server.answers_pings = false;
        world.advance(29_000);
        world.say("a");
        world.advance(1_000);
        world.advance(8_000);
        world.push(life.clone());
        world.advance(9_999);
        assert_eq!(world.phase(), Phase::Open, "{life}");
        world.advance(1);
        assert_eq!(world.phase(), Phase::Waiting, "{life}");
    }
}

#[test]
fn a_deadline_that_is_noticed_late_again_and_again_is_extended_once() {
    let mut world = World::taciturn();
    world.say("a");
    world.suspend(secs(25));
    assert_eq!(world.phase(), Phase::Open);
    world.suspend(secs(25));
    assert_eq!((world.phase(), world.end().as_str()), (Phase::Waiting, "AckTimeout"));
}

#[test]
fn the_patience_is_that_of_the_heartbeat() {
    let mut world = World::reliable(|config| config.heartbeat.timeout_ms = 3_000);
    world.memory().acknowledges = false;
    world.say("a");
    assert_eq!(world.due(), Some((3_000, Timer::AckOverdue)));
}

#[test]
fn a_page_that_slept_past_the_deadline_waits_two_seconds_for_what_may_have_arrived() {
    let mut world = World::taciturn();
    world.say("a");
    world.suspend(secs(25));
    assert_eq!((world.phase(), world.due()), (Phase::Open, Some((2_000, Timer::AckOverdue))));
    world.push(ack(1));
    assert_eq!((world.phase(), world.say("b")), (Phase::Open, Sent::Now));
    world.suspend(secs(12));
    world.advance(2_000);
    assert_eq!((world.phase(), world.end().as_str()), (Phase::Waiting, "AckTimeout"));
}

#[test]
fn a_deadline_noticed_a_little_late_is_over() {
    let mut world = World::taciturn();
    world.say("a");
    world.suspend(10_999);
    assert_eq!(world.end(), "AckTimeout");
}

#[test]
fn typing_has_no_number_waits_for_nothing_and_does_not_count_in_the_window() {
    let mut world = World::taciturn();
    world.memory().window = 1;
    world.come_back();
    let typing = || message("typing", serde_json::json!({ "match_id": "m", "is_typing": true }));
    for _ in 0..3 {
        assert_eq!(world.send(typing()).unwrap(), Sent::Now);
    }
    assert_eq!(world.client.in_flight(), 0);
    assert_eq!(world.due().map(|(_, timer)| timer), Some(Timer::PingDue));
    world.say("a");
    assert_eq!(world.send(typing()).unwrap(), Sent::Now);
    assert_eq!(world.numbered(), ["typing m", "typing m", "typing m", "4 after 0: note a", "typing m"]);
    world.say("b");
    assert_eq!(world.send(typing()).unwrap(), Sent::Queued);
    world.push(ack(4));
    assert_eq!(world.heard()[5..], ["note b", "typing m"]);
}

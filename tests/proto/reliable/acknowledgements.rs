//! Acknowledgements, the window, and what happens without them.

use everwire::proto::{Phase, Sent, Timer};
use everwire_kit::{TestHarness, ack, message, reply, secs};

#[test]
fn messages_are_numbered_as_they_are_accepted_and_kept_until_they_are_acknowledged() {
    let mut harness = TestHarness::withhold_acks();
    for text in ["a", "b", "c"] {
        assert_eq!(harness.say(text), Sent::Now);
    }
    assert_eq!(harness.numbered(), ["1: note a", "2: note b", "3: note c"]);
    assert_eq!((harness.client().latest_seq(), harness.client().in_flight(), harness.queued()), (3, 3, 0));
    assert!(harness.acknowledged().is_empty());
    harness.push(ack(1));
    assert_eq!((harness.client().in_flight(), harness.acknowledged()), (2, vec!["1".to_owned()]));
}

#[test]
fn an_acknowledgement_covers_everything_before_it() {
    let mut harness = TestHarness::withhold_acks();
    for text in ["a", "b", "c", "d"] {
        harness.say(text);
    }
    harness.push(ack(3));
    assert_eq!((harness.client().in_flight(), harness.acknowledged()), (1, vec!["3".to_owned()]));
    harness.push(ack(4));
    assert_eq!((harness.client().in_flight(), harness.acknowledged()), (0, vec!["3".to_owned(), "4".to_owned()]));
}

#[test]
fn the_application_hears_of_no_frame_that_is_an_acknowledgement_and_of_none_twice() {
    let mut harness = TestHarness::withhold_acks();
    harness.say("a");
    harness.push(ack(1));
    harness.push(ack(1));
    assert_eq!((harness.told().len(), harness.acknowledged().len(), harness.protocol_errors()), (0, 1, 0));
}

#[test]
fn no_more_than_the_window_is_under_way_and_an_acknowledgement_lets_the_next_ones_out() {
    let mut harness = TestHarness::withhold_acks();
    harness.memory().window = 2;
    harness.come_back();
    let sent: Vec<_> = ["a", "b", "c", "d", "e"].map(|text| harness.say(text)).into();
    assert_eq!(sent, [Sent::Now, Sent::Now, Sent::Queued, Sent::Queued, Sent::Queued]);
    assert_eq!((harness.heard().len(), harness.queued(), harness.has_room()), (2, 3, false));
    harness.push(ack(1));
    assert_eq!((harness.heard().len(), harness.queued(), harness.transmitted()), (3, 2, vec![3]));
    harness.push(ack(3));
    assert_eq!(harness.numbered(), ["1: note a", "2: note b", "3: note c", "4: note d", "5: note e"]);
    assert!(!harness.has_room());
    harness.push(ack(5));
    assert!(harness.has_room());
    assert_eq!(harness.say("f"), Sent::Now);
}

#[test]
fn the_default_window_is_what_the_server_says() {
    let mut harness = TestHarness::withhold_acks();
    for _ in 0..128 {
        assert_eq!(harness.say("a"), Sent::Now);
    }
    assert_eq!(harness.say("b"), Sent::Queued);
}

#[test]
fn a_window_of_none_still_lets_one_message_through_and_a_huge_one_no_more_than_1024() {
    for (window, bound) in [(0, 1), (u32::MAX, 1_024)] {
        let mut harness = TestHarness::withhold_acks();
        harness.memory().window = window;
        harness.come_back();
        for _ in 0..bound {
            assert_eq!(harness.say("a"), Sent::Now, "{window}");
        }
        assert_eq!(harness.say("b"), Sent::Queued, "{window}");
    }
}

#[test]
fn a_smaller_window_on_the_next_connection_holds_for_what_is_sent_again() {
    let mut harness = TestHarness::withhold_acks();
    harness.cut();
    for text in ["a", "b", "c"] {
        harness.say(text);
    }
    harness.memory().window = 1;
    harness.come_back();
    assert_eq!(harness.numbered(), ["1: note a"]);
    harness.push(ack(1));
    assert_eq!(harness.numbered(), ["1: note a", "2: note b"]);
}

#[test]
fn ten_seconds_without_an_acknowledgement_end_the_connection_and_the_messages_go_out_again() {
    let mut harness = TestHarness::withhold_acks();
    harness.cut();
    harness.say("a");
    harness.advance(4_000);
    harness.say("b");
    assert_eq!(harness.due(), Some((6_000, Timer::AckOverdue)));
    harness.advance(5_999);
    assert_eq!(harness.phase(), Phase::Open);
    harness.advance(1);
    assert_eq!((harness.phase(), harness.end().as_str()), (Phase::Waiting, "AckTimeout"));
    harness.try_again();
    assert_eq!(harness.numbered(), ["1: note a", "2: note b"]);
    assert_eq!((harness.processed(), harness.queued()), (2, 0));
}

#[test]
fn every_acknowledgement_gives_what_is_left_its_full_time_again() {
    let mut harness = TestHarness::withhold_acks();
    for text in ["a", "b"] {
        harness.say(text);
    }
    harness.advance(9_000);
    harness.push(ack(1));
    assert_eq!(harness.due(), Some((10_000, Timer::AckOverdue)));
    harness.push(ack(1));
    harness.advance(2_000);
    harness.push(ack(2));
    assert_eq!(harness.due().map(|(_, timer)| timer), Some(Timer::PingDue));
}

#[test]
fn a_server_that_holds_messages_back_repeats_its_acknowledgement_and_is_not_taken_for_dead() {
    let mut harness = TestHarness::withhold_acks();
    for text in ["a", "b"] {
        harness.say(text);
    }
    for _ in 0..5 {
        harness.advance(9_000);
        harness.push(ack(0));
    }
    assert_eq!((harness.phase(), harness.protocol_errors(), harness.client().in_flight()), (Phase::Open, 0, 2));
    harness.push(ack(1));
    harness.advance(9_000);
    harness.push(ack(1));
    harness.advance(9_999);
    assert_eq!(harness.phase(), Phase::Open);
    harness.advance(1);
    assert_eq!(harness.end(), "AckTimeout");
}

#[test]
fn what_proves_the_round_trip_stands_in_for_a_late_pong() {
    for life in [ack(1), ack(0), reply(1)] {
        let mut harness = TestHarness::withhold_acks();
        harness.server.answers_pings = false;
        harness.advance(29_000);
        harness.say("a");
        harness.advance(1_000);
        harness.advance(8_000);
        harness.push(life.clone());
        harness.advance(9_999);
        assert_eq!(harness.phase(), Phase::Open, "{life}");
        harness.advance(1);
        assert_eq!(harness.phase(), Phase::Waiting, "{life}");
    }
}

#[test]
fn a_deadline_that_is_noticed_late_again_and_again_is_extended_once() {
    let mut harness = TestHarness::withhold_acks();
    harness.say("a");
    harness.suspend(secs(25));
    assert_eq!(harness.phase(), Phase::Open);
    harness.suspend(secs(25));
    assert_eq!((harness.phase(), harness.end().as_str()), (Phase::Waiting, "AckTimeout"));
}

#[test]
fn an_acknowledgement_has_the_time_of_the_heartbeat() {
    let mut harness = TestHarness::reliable(|config| config.heartbeat.timeout_ms = 3_000);
    harness.memory().acknowledges = false;
    harness.say("a");
    assert_eq!(harness.due(), Some((3_000, Timer::AckOverdue)));
}

#[test]
fn a_page_that_slept_past_the_deadline_waits_two_seconds_for_what_may_have_arrived() {
    let mut harness = TestHarness::withhold_acks();
    harness.say("a");
    harness.suspend(secs(25));
    assert_eq!((harness.phase(), harness.due()), (Phase::Open, Some((2_000, Timer::AckOverdue))));
    harness.push(ack(1));
    assert_eq!((harness.phase(), harness.say("b")), (Phase::Open, Sent::Now));
    harness.suspend(secs(12));
    harness.advance(2_000);
    assert_eq!((harness.phase(), harness.end().as_str()), (Phase::Waiting, "AckTimeout"));
}

#[test]
fn a_deadline_noticed_a_little_late_is_over() {
    let mut harness = TestHarness::withhold_acks();
    harness.say("a");
    harness.suspend(10_999);
    assert_eq!(harness.end(), "AckTimeout");
}

#[test]
fn typing_has_no_number_waits_for_nothing_and_does_not_count_in_the_window() {
    let mut harness = TestHarness::withhold_acks();
    harness.memory().window = 1;
    harness.come_back();
    let typing = || message("typing", serde_json::json!({ "match_id": "m", "is_typing": true }));
    for _ in 0..3 {
        assert_eq!(harness.send(typing()).unwrap(), Sent::Now);
    }
    assert_eq!(harness.client().in_flight(), 0);
    assert_eq!(harness.due().map(|(_, timer)| timer), Some(Timer::PingDue));
    harness.say("a");
    assert_eq!(harness.send(typing()).unwrap(), Sent::Now);
    assert_eq!(harness.numbered(), ["typing m", "typing m", "typing m", "4 after 0: note a", "typing m"]);
    harness.say("b");
    assert_eq!(harness.send(typing()).unwrap(), Sent::Queued);
    harness.push(ack(4));
    assert_eq!(harness.heard()[5..], ["note b", "typing m"]);
}

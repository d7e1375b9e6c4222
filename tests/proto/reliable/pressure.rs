//! The browser's send buffer fills faster than the network drains it.

use everwire::proto::{Input, Phase, Sent, Timer};
use everwire_kit::{ServerMemory, TestHarness, note, note_of};

const HIGH: u64 = 262_144;
const LOW: u64 = 65_536;

#[test]
fn above_the_high_mark_messages_wait_until_the_buffer_is_below_the_low_one() {
    for reliable in [false, true] {
        let mut harness = if reliable { TestHarness::reliable(|_| {}) } else { TestHarness::open(|_| {}) };
        harness.buffered = HIGH;
        assert_eq!((harness.say("a"), harness.has_room()), (Sent::Now, true));
        harness.buffered = HIGH + 1;
        assert_eq!(harness.say("b"), Sent::Now);
        assert_eq!((harness.has_room(), harness.say("c")), (false, Sent::Queued));
        assert_eq!(harness.due(), Some((20, Timer::DrainCheckDue)));
        harness.buffered = LOW + 1;
        harness.advance(20);
        assert_eq!((harness.queued(), harness.due()), (1, Some((20, Timer::DrainCheckDue))));
        harness.buffered = LOW;
        harness.advance(20);
        assert_eq!((harness.queued(), harness.heard().len(), harness.has_room()), (0, 3, true));
        assert_ne!(harness.due().map(|(_, timer)| timer), Some(Timer::DrainCheckDue));
    }
}

#[test]
fn a_flush_stops_at_the_high_mark_and_goes_on_in_order() {
    let mut harness = TestHarness::asking(|_| {});
    for _ in 0..40 {
        harness.send(note_of(10_000)).unwrap();
    }
    harness.memory = Some(ServerMemory::default());
    harness.buffered = 270_000;
    harness.connect();
    harness.advance(0);
    assert_eq!((harness.phase(), harness.heard().len(), harness.queued()), (Phase::Open, 27, 13));
    harness.buffered = 0;
    harness.advance(20);
    assert_eq!((harness.heard().len(), harness.queued(), harness.processed()), (40, 0, 40));
}

#[test]
fn what_is_sent_again_heeds_the_buffer_too() {
    let mut harness = TestHarness::withhold_acks();
    harness.cut();
    for _ in 0..40 {
        harness.send(note_of(10_000)).unwrap();
    }
    harness.buffered = 270_000;
    harness.come_back();
    assert_eq!((harness.heard().len(), harness.client().in_flight(), harness.queued()), (27, 40, 0));
    harness.buffered = 0;
    harness.advance(20);
    assert_eq!((harness.heard().len(), harness.processed()), (40, 40));
}

#[test]
fn pings_are_not_held_back() {
    let mut harness = TestHarness::reliable(|_| {});
    harness.buffered = HIGH + 1;
    harness.say("a");
    let pings = harness.last().pings.len();
    harness.advance(30_000);
    assert_eq!(harness.last().pings.len(), pings + 1);
}

#[test]
fn the_marks_are_what_the_options_say() {
    let mut harness = TestHarness::reliable(|config| (config.buffer.high_bytes, config.buffer.low_bytes) = (1_000, 10));
    harness.buffered = 1_001;
    harness.say("a");
    assert!(!harness.has_room());
    harness.buffered = 11;
    harness.advance(20);
    assert!(!harness.has_room());
    harness.buffered = 10;
    harness.advance(20);
    assert!(harness.has_room());
}

#[test]
fn a_lost_connection_takes_its_buffer_with_it() {
    let mut harness = TestHarness::reliable(|_| {});
    harness.buffered = HIGH + 1;
    harness.say("a");
    harness.buffered = 0;
    harness.come_back();
    assert!(harness.has_room());
    assert_eq!(harness.say("b"), Sent::Now);
}

#[test]
fn a_buffer_that_is_full_when_the_second_welcome_comes_still_holds_messages_back() {
    let mut harness = TestHarness::reliable(|_| {});
    let mut old = note("old");
    (old.origin, old.seq) = (Some("earlier".to_owned()), 4);
    harness.restore([old]);
    harness.buffered = HIGH + 1;
    let socket = harness.live().unwrap().id;
    harness.input(Input::Buffered { socket, bytes: harness.buffered });
    harness.advance(0);
    assert_eq!((harness.heard().len(), harness.queued()), (0, 1));
    harness.buffered = 0;
    harness.advance(20);
    assert_eq!(harness.numbered(), ["4 after 0: note old"]);
}

#[test]
fn what_is_said_of_another_socket_s_buffer_is_ignored() {
    let mut harness = TestHarness::reliable(|_| {});
    let old = harness.live().unwrap().id;
    harness.come_back();
    harness.assert_ignored(Input::Buffered { socket: old, bytes: HIGH + 1 });
    assert!(harness.has_room());
}

//! The queue is full.

use everwire::proto::{Config, DropReason, Overflow, Refusal, Sent};
use everwire_kit::{TestHarness, note, note_of};

fn three_messages(overflow: Overflow) -> impl FnOnce(&mut Config) {
    move |config| {
        config.queue.max_messages = 3;
        config.queue.overflow = overflow;
    }
}

fn three_hundred_bytes(overflow: Overflow) -> impl FnOnce(&mut Config) {
    move |config| {
        config.queue.max_bytes = 300;
        config.queue.overflow = overflow;
    }
}

fn full(overflow: Overflow) -> TestHarness {
    let mut harness = TestHarness::new(three_messages(overflow));
    for text in ["a", "b", "c"] {
        harness.say(text);
    }
    harness
}

fn flushed(mut harness: TestHarness) -> Vec<String> {
    harness.connect();
    harness.advance(0);
    harness.heard()
}

#[test]
fn rejecting_hands_the_new_message_back_and_reports_no_drop() {
    let mut harness = full(Overflow::Reject);
    let refused = harness.send(note("d")).unwrap_err();
    assert_eq!((refused.refusal, refused.message.frame), (Refusal::QueueFull, note("d").frame));
    assert!(harness.dropped().is_empty());
    assert_eq!(flushed(harness), ["note a", "note b", "note c"]);
}

#[test]
fn dropping_the_newest_refuses_the_new_message_and_reports_it() {
    let mut harness = full(Overflow::DropNewest);
    assert_eq!(harness.send(note("d")).unwrap_err().refusal, Refusal::QueueFull);
    assert_eq!(harness.dropped(), [("note d".to_owned(), DropReason::Overflow)]);
    assert_eq!(flushed(harness), ["note a", "note b", "note c"]);
}

#[test]
fn dropping_the_oldest_makes_room_and_reports_what_had_to_go() {
    let mut harness = full(Overflow::DropOldest);
    assert_eq!(harness.say("d"), Sent::Queued);
    assert_eq!(harness.say("e"), Sent::Queued);
    assert_eq!(harness.dropped(), ["note a", "note b"].map(|label| (label.to_owned(), DropReason::Overflow)));
    assert_eq!(flushed(harness), ["note c", "note d", "note e"]);
}

#[test]
fn bytes_are_a_bound_of_their_own() {
    for overflow in [Overflow::Reject, Overflow::DropNewest] {
        let mut harness = TestHarness::new(three_hundred_bytes(overflow));
        harness.send(note_of(150)).unwrap();
        harness.send(note_of(150)).unwrap();
        assert_eq!(harness.send(note_of(100)).unwrap_err().refusal, Refusal::QueueFull);
        assert_eq!((harness.client().snapshot().queued, harness.client().snapshot().queued_bytes), (2, 300));
    }
}

#[test]
fn as_many_of_the_oldest_go_as_the_new_bytes_need() {
    let mut harness = TestHarness::new(three_hundred_bytes(Overflow::DropOldest));
    for _ in 0..3 {
        harness.send(note_of(100)).unwrap();
    }
    assert_eq!(harness.send(note_of(150)).unwrap(), Sent::Queued);
    assert_eq!(harness.dropped().len(), 2);
    assert_eq!((harness.client().snapshot().queued, harness.client().snapshot().queued_bytes), (2, 250));
}

#[test]
fn a_message_larger_than_the_whole_queue_pushes_nothing_out() {
    for overflow in [Overflow::Reject, Overflow::DropNewest, Overflow::DropOldest] {
        let mut harness = TestHarness::new(three_hundred_bytes(overflow));
        harness.send(note_of(100)).unwrap();
        assert_eq!(harness.send(note_of(301)).unwrap_err().refusal, Refusal::QueueFull);
        assert_eq!(harness.client().snapshot().queued, 1);
    }
}

#[test]
fn a_bound_of_zero_queues_nothing() {
    for overflow in [Overflow::Reject, Overflow::DropNewest, Overflow::DropOldest] {
        let mut harness = TestHarness::new(|config| {
            config.queue.max_messages = 0;
            config.queue.overflow = overflow;
        });
        assert_eq!(harness.send(note("a")).unwrap_err().refusal, Refusal::QueueFull);
        harness.connect();
        harness.advance(0);
        assert_eq!(harness.say("a"), Sent::Now);
    }
}

#[test]
fn the_default_bounds_are_a_thousand_messages_and_a_mebibyte() {
    let mut harness = TestHarness::new(|_| {});
    for _ in 0..1_000 {
        harness.say("a");
    }
    assert!(harness.send(note("b")).is_err());
    let mut harness = TestHarness::new(|_| {});
    for _ in 0..102 {
        harness.send(note_of(10_240)).unwrap();
    }
    assert!(harness.send(note_of(10_240)).is_err());
}

#[test]
fn a_message_that_the_socket_did_not_take_is_dropped_if_the_queue_cannot_hold_it() {
    for bound in
        [|config: &mut Config| config.queue.max_messages = 0, |config: &mut Config| config.queue.max_bytes = 10]
    {
        let mut harness = TestHarness::open(bound);
        harness.stop_accepting();
        assert_eq!(harness.say("a"), Sent::Now);
        assert_eq!(harness.client().snapshot().queued, 0);
        assert_eq!(harness.dropped(), [("note a".to_owned(), DropReason::Overflow)]);
    }
}

//! How single messages wait: time to live, coalescing, priority, taking back.

use everwire::proto::{DropReason, Message, Refusal, Sent, Timer};
use everwire_kit::{Json, ServerMemory, TestHarness, ack, message, note, note_of, secs};
use serde_json::json;

fn keyed(text: &str, key: &str) -> Box<Message<String>> {
    let mut note = note(text);
    note.policy.coalesce = Some(key.to_owned());
    note
}

fn brief(text: &str, ttl_ms: u64) -> Box<Message<String>> {
    let mut note = note(text);
    note.policy.ttl_ms = Some(ttl_ms);
    note
}

fn typing(session: &str) -> Box<Message<String>> {
    message("typing", json!({ "match_id": session, "is_typing": true }))
}

fn go_online(harness: &mut TestHarness) {
    harness.memory = Some(ServerMemory::default());
    harness.connect();
    harness.advance(0);
}

/// Open, and no more is sent.
fn congested() -> TestHarness {
    let mut harness = TestHarness::reliable(|_| {});
    harness.buffered = 300_000;
    harness.say("full");
    harness
}

#[test]
fn a_message_with_the_same_key_takes_the_place_of_the_one_that_waits_at_the_end() {
    let mut harness = TestHarness::asking(|_| {});
    harness.send(keyed("a1", "a")).unwrap();
    harness.send(keyed("b1", "b")).unwrap();
    harness.send(keyed("a2", "a")).unwrap();
    assert_eq!(harness.dropped(), [("note a1".to_owned(), DropReason::Replaced)]);
    go_online(&mut harness);
    assert_eq!(harness.numbered(), ["2 after 0: note b1", "3: note a2"]);
}

#[test]
fn a_waiting_message_of_a_higher_rank_is_not_replaced_and_one_of_the_same_rank_is() {
    let ranked = |text, rank| {
        let mut message = keyed(text, "read");
        message.policy.rank = rank;
        message
    };
    let mut harness = TestHarness::asking(|_| {});
    harness.send(ranked("7", 7)).unwrap();
    harness.send(ranked("5", 5)).unwrap();
    assert!(harness.dropped().is_empty());
    harness.send(ranked("6", 6)).unwrap();
    harness.send(ranked("7 again", 7)).unwrap();
    assert_eq!(harness.dropped(), ["note 5", "note 7", "note 6"].map(|label| (label.to_owned(), DropReason::Replaced)));
    go_online(&mut harness);
    assert_eq!(harness.numbered(), ["4 after 0: note 7 again"]);
}

#[test]
fn having_read_up_to_a_message_replaces_having_read_up_to_an_earlier_one() {
    let read = |id: &str| message("read_message", json!({ "match_id": "m", "message_id": id }));
    let mut harness = TestHarness::asking(|_| {});
    for id in ["9", "10", "8", "not-a-number"] {
        harness.send(read(id)).unwrap();
    }
    assert_eq!((harness.dropped().len(), harness.queued()), (1, 3));
    go_online(&mut harness);
    let ids = harness.last().sent.iter().map(|sent| serde_json::from_str::<Json>(&sent.text).unwrap());
    let ids: Vec<_> = ids.map(|frame| frame["data"]["message_id"].clone()).collect();
    assert_eq!(ids, ["10", "8", "not-a-number"]);
}

#[test]
fn a_message_that_was_sent_is_not_replaced() {
    let mut harness = TestHarness::withhold_acks();
    harness.send(keyed("a1", "a")).unwrap();
    harness.send(keyed("a2", "a")).unwrap();
    assert_eq!(
        (harness.numbered(), harness.dropped().len()),
        (vec!["1: note a1".to_owned(), "2: note a2".to_owned()], 0)
    );
}

#[test]
fn of_messages_that_wait_for_the_window_the_newest_with_a_key_is_sent() {
    let mut harness = TestHarness::withhold_acks();
    harness.memory().window = 1;
    harness.come_back();
    for text in ["a1", "a2", "a3"] {
        harness.send(keyed(text, "a")).unwrap();
    }
    harness.push(ack(1));
    assert_eq!(harness.numbered(), ["1: note a1", "3 after 1: note a3"]);
    assert_eq!(harness.dropped(), [("note a2".to_owned(), DropReason::Replaced)]);
}

#[test]
fn a_message_has_the_time_that_it_asks_for_until_it_is_sent_and_then_for_ever() {
    let mut harness = TestHarness::asking(|config| config.queue.ttl_ms = 60_000);
    harness.send(brief("brief", 500)).unwrap();
    harness.send(brief("patient", u64::MAX)).unwrap();
    harness.say("usual");
    assert_eq!(harness.due(), Some((500, Timer::MessageExpired)));
    harness.advance(500);
    assert_eq!(harness.dropped(), [("note brief".to_owned(), DropReason::Expired)]);
    harness.advance(60_000);
    assert_eq!((harness.dropped().len(), harness.queued()), (2, 1));

    let mut harness = TestHarness::withhold_acks();
    harness.cut();
    harness.send(brief("sent", 500)).unwrap();
    harness.come_back();
    assert_eq!((harness.numbered(), harness.dropped().len()), (vec!["1: note sent".to_owned()], 0));
}

#[test]
fn what_is_volatile_goes_out_after_everything_else_that_waits() {
    let mut harness = congested();
    assert_eq!(harness.send(typing("m")).unwrap(), Sent::Queued);
    harness.say("a");
    harness.say("b");
    harness.buffered = 0;
    harness.advance(20);
    assert_eq!(harness.numbered(), ["1: note full", "3 after 1: note a", "4: note b", "typing m"]);
    assert_eq!(harness.transmitted(), [3, 4, 2]);
}

#[test]
fn what_is_volatile_keeps_its_order_behind_what_is_sent_again() {
    let mut harness = TestHarness::withhold_acks();
    harness.cut();
    harness.say("a");
    harness.say("b");
    harness.memory().window = 1;
    harness.buffered = 300_000;
    harness.come_back();
    harness.send(typing("first")).unwrap();
    harness.buffered = 0;
    harness.advance(20);
    assert_eq!(harness.send(typing("second")).unwrap(), Sent::Queued);
    harness.push(ack(1));
    assert_eq!(harness.numbered(), ["1: note a", "2: note b", "typing first", "typing second"]);
}

#[test]
fn what_is_volatile_ends_with_the_connection() {
    let mut harness = congested();
    harness.send(typing("m")).unwrap();
    harness.say("kept");
    harness.close(1006);
    assert_eq!(harness.dropped(), [("typing m".to_owned(), DropReason::NotOpen)]);
    assert_eq!(harness.queued(), 1);
}

#[test]
fn the_newest_64_volatile_messages_wait() {
    let mut harness = congested();
    for number in 0..66 {
        harness.send(typing(&number.to_string())).unwrap();
    }
    assert_eq!(harness.dropped(), ["typing 0", "typing 1"].map(|label| (label.to_owned(), DropReason::Overflow)));
    assert_eq!((harness.queued(), harness.client().snapshot().queued_bytes), (0, 0));
}

#[test]
fn what_is_volatile_is_replaced_by_its_key_too() {
    let mut harness = congested();
    for is_typing in [true, false] {
        let mut typing = message("typing", json!({ "match_id": "m", "is_typing": is_typing }));
        typing.policy.coalesce = Some("typing m".to_owned());
        harness.send(typing).unwrap();
    }
    assert_eq!(harness.dropped(), [("typing m".to_owned(), DropReason::Replaced)]);
}

#[test]
fn a_message_can_be_taken_back_while_it_waits_and_never_after() {
    let mut harness = TestHarness::asking(|_| {});
    for text in ["a", "b", "c"] {
        harness.say(text);
    }
    assert!(harness.cancel(2));
    assert!(!harness.cancel(2));
    assert!(!harness.cancel(99));
    assert_eq!(harness.queued(), 2);
    go_online(&mut harness);
    assert_eq!(harness.numbered(), ["1: note a", "3 after 1: note c"]);
    assert!(!harness.cancel(3));
    harness.advance(0);
    assert!(!harness.cancel(3));
    assert_eq!((harness.processed(), harness.dropped().len()), (3, 0));
}

#[test]
fn a_message_that_is_under_way_cannot_be_taken_back_while_the_connection_is_lost() {
    let mut harness = TestHarness::withhold_acks();
    harness.cut();
    harness.say("a");
    harness.close(1006);
    assert!(!harness.cancel(1));
    harness.try_again();
    assert_eq!(harness.numbered(), ["1: note a"]);
}

#[test]
fn what_waits_behind_a_full_buffer_can_be_taken_back_whatever_it_is() {
    let mut harness = congested();
    harness.send(typing("m")).unwrap();
    harness.say("a");
    assert!(harness.cancel(2) && harness.cancel(3));
    harness.buffered = 0;
    harness.advance(20);
    assert_eq!(harness.numbered(), ["1: note full"]);
}

#[test]
fn a_request_that_is_taken_back_is_not_waited_for_and_one_that_was_sent_is() {
    let request = |text| {
        let mut request = note(text);
        request.policy.reply_within_ms = Some(5_000);
        request
    };
    let mut harness = TestHarness::asking(|_| {});
    harness.send(request("a")).unwrap();
    assert!(harness.cancel(1));
    assert_eq!(harness.due(), None);
    let mut harness = TestHarness::reliable(|_| {});
    harness.send(request("a")).unwrap();
    harness.advance(0);
    assert!(!harness.cancel(1));
    harness.advance(5_000);
    assert_eq!(harness.failed_requests().len(), 1);
}

#[test]
fn the_bounds_of_the_queue_hold_while_the_window_is_full() {
    let mut harness = TestHarness::reliable(|config| config.queue.max_messages = 2);
    harness.memory().acknowledges = false;
    harness.memory().window = 1;
    harness.come_back();
    harness.say("a");
    harness.say("b");
    harness.say("c");
    let refused = harness.send(note("d")).unwrap_err();
    assert_eq!((refused.refusal, refused.message.seq), (Refusal::QueueFull, 0));
    harness.push(ack(1));
    harness.push(ack(2));
    harness.push(ack(3));
    harness.say("e");
    assert_eq!(harness.numbered(), ["1: note a", "2: note b", "3: note c", "4: note e"]);
}

#[test]
fn what_waits_for_the_window_expires_and_what_is_under_way_does_not() {
    let mut harness = TestHarness::reliable(|config| config.queue.ttl_ms = 5_000);
    harness.memory().acknowledges = false;
    harness.memory().window = 1;
    harness.come_back();
    harness.say("a");
    harness.say("b");
    harness.advance(secs(5));
    assert_eq!(harness.dropped(), [("note b".to_owned(), DropReason::Expired)]);
    assert_eq!(harness.client().in_flight(), 1);
}

#[test]
fn there_is_room_as_long_as_a_message_of_any_size_would_be_taken() {
    let mut harness = TestHarness::asking(|config| {
        config.max_message_bytes = 1_000;
        config.queue.max_bytes = 1_500;
    });
    assert!(harness.has_room());
    harness.send(note_of(500)).unwrap();
    assert!(harness.has_room());
    harness.send(note_of(100)).unwrap();
    assert!(!harness.has_room());
    go_online(&mut harness);
    assert!(harness.has_room());
}

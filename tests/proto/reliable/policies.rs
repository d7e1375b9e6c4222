//! How single messages wait: time to live, coalescing, priority, taking back.

use everwire::proto::{DropReason, Message, Refusal, Sent, Timer};
use serde_json::json;

use crate::memory::{Memory, ack};
use crate::wire::{message, note, note_of};
use crate::world::{World, secs};

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

fn go_online(world: &mut World) {
    world.memory = Some(Memory::default());
    world.connect();
    world.advance(0);
}

/// Open, and no more is sent.
fn congested() -> World {
    let mut world = World::reliable(|_| {});
    world.buffered = 300_000;
    world.say("full");
    world
}

#[test]
fn a_message_with_the_same_key_takes_the_place_of_the_one_that_waits_at_the_end() {
    let mut world = World::asking(|_| {});
    world.send(keyed("a1", "a")).unwrap();
    world.send(keyed("b1", "b")).unwrap();
    world.send(keyed("a2", "a")).unwrap();
    assert_eq!(world.dropped(), [("note a1".to_owned(), DropReason::Replaced)]);
    go_online(&mut world);
    assert_eq!(world.numbered(), ["2 after 0: note b1", "3: note a2"]);
}

#[test]
fn a_message_that_was_sent_is_not_replaced() {
    let mut world = World::taciturn();
    world.send(keyed("a1", "a")).unwrap();
    world.send(keyed("a2", "a")).unwrap();
    assert_eq!((world.numbered(), world.dropped().len()), (vec!["1: note a1".to_owned(), "2: note a2".to_owned()], 0));
}

#[test]
fn of_messages_that_wait_for_the_window_the_newest_with_a_key_is_sent() {
    let mut world = World::taciturn();
    world.memory().window = 1;
    world.come_back();
    for text in ["a1", "a2", "a3"] {
        world.send(keyed(text, "a")).unwrap();
    }
    world.push(ack(1));
    assert_eq!(world.numbered(), ["1: note a1", "3 after 1: note a3"]);
    assert_eq!(world.dropped(), [("note a2".to_owned(), DropReason::Replaced)]);
}

#[test]
fn a_message_has_the_time_that_it_asks_for_until_it_is_sent_and_then_for_ever() {
    let mut world = World::asking(|config| config.queue.ttl_ms = 60_000);
    world.send(brief("brief", 500)).unwrap();
    world.send(brief("patient", u64::MAX)).unwrap();
    world.say("usual");
    assert_eq!(world.due(), Some((500, Timer::MessageExpired)));
    world.advance(500);
    assert_eq!(world.dropped(), [("note brief".to_owned(), DropReason::Expired)]);
    world.advance(60_000);
    assert_eq!((world.dropped().len(), world.queued()), (2, 1));

    let mut world = World::taciturn();
    world.cut();
    world.send(brief("sent", 500)).unwrap();
    world.come_back();
    assert_eq!((world.numbered(), world.dropped().len()), (vec!["1: note sent".to_owned()], 0));
}

#[test]
fn what_is_worthless_later_goes_out_after_everything_else_that_waits() {
    let mut world = congested();
    assert_eq!(world.send(typing("m")).unwrap(), Sent::Queued);
    world.say("a");
    world.say("b");
    world.buffered = 0;
    world.advance(20);
    assert_eq!(world.numbered(), ["1: note full", "3 after 1: note a", "4: note b", "typing m"]);
    assert_eq!(world.transmitted(), [3, 4, 2]);
}

#[test]
fn what_is_worthless_later_keeps_its_order_behind_what_is_sent_again() {
    let mut world = World::taciturn();
    world.cut();
    world.say("a");
    world.say("b");
    world.memory().window = 1;
    world.buffered = 300_000;
    world.come_back();
    world.send(typing("first")).unwrap();
    world.buffered = 0;
    world.advance(20);
    assert_eq!(world.send(typing("second")).unwrap(), Sent::Queued);
    world.push(ack(1));
    assert_eq!(world.numbered(), ["1: note a", "2: note b", "typing first", "typing second"]);
}

#[test]
fn what_is_worthless_later_ends_with_the_connection() {
    let mut world = congested();
    world.send(typing("m")).unwrap();
    world.say("kept");
    world.close(1006);
    assert_eq!(world.dropped(), [("typing m".to_owned(), DropReason::NotOpen)]);
    assert_eq!(world.queued(), 1);
}

#[test]
fn the_newest_64_of_what_is_worthless_later_wait() {
    let mut world = congested();
    for number in 0..66 {
        world.send(typing(&number.to_string())).unwrap();
    }
    assert_eq!(world.dropped(), ["typing 0", "typing 1"].map(|label| (label.to_owned(), DropReason::Overflow)));
    assert_eq!((world.queued(), world.client.snapshot().queued_bytes), (0, 0));
}

#[test]
fn what_is_worthless_later_is_replaced_by_its_key_too() {
    let mut world = congested();
    for is_typing in [true, false] {
        let mut typing = message("typing", json!({ "match_id": "m", "is_typing": is_typing }));
        typing.policy.coalesce = Some("typing m".to_owned());
        world.send(typing).unwrap();
    }
    assert_eq!(world.dropped(), [("typing m".to_owned(), DropReason::Replaced)]);
}

#[test]
fn a_message_can_be_taken_back_while_it_waits_and_never_after() {
    let mut world = World::asking(|_| {});
    for text in ["a", "b", "c"] {
        world.say(text);
    }
    assert!(world.cancel(2));
    assert!(!world.cancel(2));
    assert!(!world.cancel(99));
    assert_eq!(world.queued(), 2);
    go_online(&mut world);
    assert_eq!(world.numbered(), ["1: note a", "3 after 1: note c"]);
    assert!(!world.cancel(3));
    world.advance(0);
    assert!(!world.cancel(3));
    assert_eq!((world.processed(), world.dropped().len()), (3, 0));
}

#[test]
fn a_message_that_is_under_way_cannot_be_taken_back_while_the_connection_is_lost() {
    let mut world = World::taciturn();
    world.cut();
    world.say("a");
    world.close(1006);
    assert!(!world.cancel(1));
    world.try_again();
    assert_eq!(world.numbered(), ["1: note a"]);
}

#[test]
fn what_waits_behind_a_full_buffer_can_be_taken_back_whatever_it_is() {
    let mut world = congested();
    world.send(typing("m")).unwrap();
    world.say("a");
    assert!(world.cancel(2) && world.cancel(3));
    world.buffered = 0;
    world.advance(20);
    assert_eq!(world.numbered(), ["1: note full"]);
}

#[test]
fn a_request_that_is_taken_back_is_not_waited_for_and_one_that_was_sent_is() {
    let request = |text| {
        let mut request = note(text);
        request.policy.reply_within_ms = Some(5_000);
        request
    };
    let mut world = World::asking(|_| {});
    world.send(request("a")).unwrap();
    assert!(world.cancel(1));
    assert_eq!(world.due(), None);
    let mut world = World::reliable(|_| {});
    world.send(request("a")).unwrap();
    world.advance(0);
    assert!(!world.cancel(1));
    world.advance(5_000);
    assert_eq!(world.failed_requests().len(), 1);
}

#[test]
fn the_bounds_of_the_queue_hold_while_the_window_is_full() {
    let mut world = World::reliable(|config| config.queue.max_messages = 2);
    world.memory().acknowledges = false;
    world.memory().window = 1;
    world.come_back();
    world.say("a");
    world.say("b");
    world.say("c");
    let refused = world.send(note("d")).unwrap_err();
    assert_eq!((refused.refusal, refused.message.seq), (Refusal::QueueFull, 0));
    world.push(ack(1));
    world.push(ack(2));
    world.push(ack(3));
    world.say("e");
    assert_eq!(world.numbered(), ["1: note a", "2: note b", "3: note c", "4: note e"]);
}

#[test]
fn what_waits_for_the_window_expires_and_what_is_under_way_does_not() {
    let mut world = World::reliable(|config| config.queue.ttl_ms = 5_000);
    world.memory().acknowledges = false;
    world.memory().window = 1;
    world.come_back();
    world.say("a");
    world.say("b");
    world.advance(secs(5));
    assert_eq!(world.dropped(), [("note b".to_owned(), DropReason::Expired)]);
    assert_eq!(world.client.in_flight(), 1);
}

#[test]
fn there_is_room_as_long_as_a_message_of_any_size_would_be_taken() {
    let mut world = World::asking(|config| {
        config.max_message_bytes = 1_000;
        config.queue.max_bytes = 1_500;
    });
    assert!(world.has_room());
    world.send(note_of(500)).unwrap();
    assert!(world.has_room());
    world.send(note_of(100)).unwrap();
    assert!(!world.has_room());
    go_online(&mut world);
    assert!(world.has_room());
}

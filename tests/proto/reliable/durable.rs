//! Messages of earlier pages, messages that wait for the disk, and forgetting all of them.

use everwire::proto::{DropReason, Message, Phase, ProtocolViolation, Sent, Timer};
use serde_json::json;

use crate::memory::{Memory, ack, event, receipt, refusal, reply, welcome};
use crate::wire::{message, note};
use crate::world::{World, secs};

/// A message that an earlier page has left.
fn left(sender: &str, seq: u64, text: &str) -> Box<Message<String>> {
    let mut note = note(text);
    (note.sender, note.seq) = (Some(sender.to_owned()), seq);
    note
}

fn durable(text: &str) -> Box<Message<String>> {
    let mut note = note(text);
    note.policy.awaits_storage = true;
    note
}

#[test]
fn what_an_earlier_page_has_left_goes_first_under_its_own_client_id() {
    let mut world = World::asking(|_| {});
    world.memory = Some(Memory::default());
    world.say("new");
    world.restore([left("earlier", 4, "old"), left("earlier", 6, "older")]);
    world.connect();
    world.advance(0);
    assert_eq!(world.hellos(), ["hello as earlier", "hello"]);
    assert_eq!(world.numbered(), ["4 after 0: note old", "6 after 4: note older", "1: note new"]);
    assert_eq!(world.acknowledged(), ["earlier 4", "earlier 6", "1"]);
    assert_eq!(world.transmitted(), [1]);
}

#[test]
fn a_second_hello_names_no_positions_and_waits_until_everything_is_acknowledged() {
    let mut world = World::taciturn();
    world.push(event("user", 5));
    world.say("own");
    world.restore([left("earlier", 4, "old")]);
    assert_eq!((world.hellos().len(), world.has_room()), (1, false));
    assert_eq!(world.say("behind"), Sent::Queued);
    world.push(ack(1));
    assert_eq!(world.hellos(), ["hello", "hello as earlier"]);
    assert_eq!(world.numbered(), ["1: note own"]);
    world.advance(0);
    assert_eq!(world.numbered(), ["1: note own", "4 after 0: note old"]);
    world.push(ack(4));
    world.advance(0);
    assert_eq!(world.hellos(), ["hello", "hello as earlier", "hello"]);
    assert_eq!(world.numbered(), ["1: note own", "4 after 0: note old", "2: note behind"]);
    assert_eq!(world.protocol_errors(), 0);
}

#[test]
fn messages_of_several_earlier_pages_go_out_one_page_after_the_other() {
    let mut world = World::reliable(|_| {});
    world.restore([left("first", 1, "a"), left("first", 2, "b"), left("second", 9, "c")]);
    world.advance(0);
    assert_eq!(world.hellos(), ["hello", "hello as first", "hello as second", "hello"]);
    assert_eq!(world.numbered(), ["1: note a", "2: note b", "9 after 0: note c"]);
    assert_eq!(world.acknowledged(), ["first 1", "first 2", "second 9"]);
}

#[test]
fn there_is_room_again_once_an_earlier_page_s_messages_are_acknowledged() {
    let mut world = World::reliable(|_| {});
    world.restore([left("earlier", 1, "a")]);
    assert!(!world.has_room());
    world.advance(0);
    assert!(world.has_room());
    assert_eq!(world.say("own"), Sent::Now);
    assert_eq!(world.numbered(), ["1: note a", "1: note own"]);
}

#[test]
fn what_an_earlier_page_had_sent_and_not_lived_to_see_acknowledged_is_not_sent_again() {
    let mut world = World::asking(|_| {});
    world.memory = Some(Memory { last: [("earlier".to_owned(), 5)].into(), ..Memory::default() });
    world.restore([left("earlier", 4, "a"), left("earlier", 5, "b"), left("earlier", 6, "c")]);
    world.connect();
    world.advance(0);
    assert_eq!(world.numbered(), ["6: note c"]);
    assert_eq!(world.acknowledged(), ["earlier 5", "earlier 6"]);
    assert!(world.dropped().is_empty());
}

#[test]
fn an_unanswered_second_hello_ends_the_connection_and_the_next_one_begins_with_it() {
    let mut world = World::reliable(|_| {});
    world.cut();
    world.restore([left("earlier", 4, "old")]);
    assert_eq!((world.due(), world.say("a")), (Some((10_000, Timer::AckOverdue)), Sent::Queued));
    assert!(world.numbered().is_empty());
    world.advance(10_000);
    assert_eq!(world.end(), "AckTimeout");
    world.try_again();
    assert_eq!(world.hellos(), ["hello as earlier", "hello"]);
    assert_eq!(world.numbered(), ["4 after 0: note old", "1: note a"]);
}

#[test]
fn what_is_under_way_for_an_earlier_page_is_sent_again_under_its_client_id() {
    let mut world = World::taciturn();
    world.restore([left("earlier", 4, "old")]);
    world.cut();
    world.push(welcome(7, 0, 128, json!({})));
    assert_eq!(world.numbered(), ["4 after 0: note old"]);
    world.come_back();
    assert_eq!((world.hellos(), world.numbered()), (vec!["hello as earlier"], vec!["4 after 0: note old".to_owned()]));
}

#[test]
fn a_page_s_own_unacknowledged_messages_come_before_those_of_earlier_pages() {
    let mut world = World::taciturn();
    world.cut();
    world.say("own");
    world.close(1006);
    world.restore([left("earlier", 4, "old")]);
    world.try_again();
    assert_eq!((world.hellos(), world.numbered()), (vec!["hello"], vec!["1: note own".to_owned()]));
    world.push(ack(1));
    world.advance(0);
    assert_eq!(world.numbered(), ["1: note own", "4 after 0: note old"]);
}

#[test]
fn the_last_number_of_an_earlier_page_is_no_reason_for_doubt() {
    let mut world = World::asking(|_| {});
    world.memory = Some(Memory { last: [("earlier".to_owned(), 900)].into(), ..Memory::default() });
    world.restore([left("earlier", 901, "old")]);
    world.connect();
    world.advance(0);
    assert_eq!((world.phase(), world.protocol_errors()), (Phase::Open, 0));
    assert_eq!(world.say("own"), Sent::Now);
    assert_eq!(world.numbered(), ["901: note old", "1: note own"]);
}

#[test]
fn the_numbers_of_an_earlier_page_say_nothing_about_the_page_s_own() {
    let mut world = World::reliable(|_| {});
    world.say("own");
    world.advance(0);
    world.restore([left("earlier", 901, "old")]);
    world.advance(0);
    world.memory().last.insert(String::new(), 500);
    world.come_back();
    assert_eq!((world.violations(), world.end().as_str()), (vec![ProtocolViolation::NeverSent], "ProtocolViolation"));
}

#[test]
fn dropping_an_earlier_page_s_message_is_not_the_end_of_the_page_s_own_request() {
    let mut world = World::asking(|_| {});
    let mut request = note("own");
    request.policy.reply_within_ms = Some(5_000);
    world.send(request).unwrap();
    let mut old = left("earlier", 1, "old");
    old.policy.ttl_ms = Some(700);
    world.restore([old]);
    world.advance(5_000);
    assert_eq!((world.dropped().len(), world.failed_requests().len()), (1, 1));
}

#[test]
fn answers_about_an_earlier_page_s_messages_have_nobody_who_waits_for_them() {
    let mut world = World::taciturn();
    world.restore([left("earlier", 4, "old")]);
    world.advance(0);
    for frame in [refusal(4), receipt(4), reply(4), refusal(9_000)] {
        world.push(frame);
    }
    assert_eq!((world.told().len(), world.protocol_errors()), (0, 0));
}

#[test]
fn a_stored_answer_to_a_page_s_own_request_is_taken_while_an_earlier_page_s_messages_are_sent() {
    let mut world = World::taciturn();
    let mut request = note("own");
    request.policy.reply_within_ms = Some(30_000);
    world.send(request).unwrap();
    world.push(ack(1));
    world.restore([left("earlier", 4, "old")]);
    world.advance(0);
    let mut reply = reply(1);
    (reply["stream"], reply["offset"]) = (json!("s1"), json!(1));
    world.push(reply);
    assert_eq!((world.told(), world.protocol_errors()), (vec!["reply".to_owned()], 0));
    world.push(ack(4));
    world.advance(secs(60));
    assert!(world.failed_requests().is_empty());
}

#[test]
fn sessions_of_an_earlier_page_s_messages_are_joined_here_too() {
    let mut world = World::reliable(|_| {});
    let mut join = message("join_session", json!({ "session_id": "maths" }));
    (join.sender, join.seq) = (Some("earlier".to_owned()), 2);
    world.restore([join]);
    world.advance(0);
    world.come_back();
    assert_eq!(world.numbered(), ["join_session maths"]);
}

#[test]
fn a_plain_server_is_not_sent_what_an_earlier_page_may_have_sent() {
    let dropped = [("note old".to_owned(), DropReason::Unconfirmed)];
    let mut world = World::asking(|_| {});
    world.restore([left("earlier", 4, "old")]);
    world.connect();
    world.advance(0);
    assert_eq!((world.dropped(), world.heard().len()), (dropped.to_vec(), 0));
    world.restore([left("earlier", 4, "old")]);
    assert_eq!((world.dropped().len(), world.queued(), world.heard().len()), (2, 0, 0));
}

#[test]
fn what_an_earlier_page_has_left_cannot_be_taken_back_by_number_and_is_nobody_s_predecessor() {
    let mut world = World::asking(|_| {});
    let mut old = left("earlier", 1, "old");
    old.policy.coalesce = Some("k".to_owned());
    world.restore([old]);
    let mut new = note("new");
    new.policy.coalesce = Some("k".to_owned());
    world.send(new).unwrap();
    assert!(world.cancel(1));
    assert_eq!((world.queued(), world.dropped().len()), (1, 0));
}

#[test]
fn what_an_earlier_page_has_left_keeps_the_time_that_it_comes_with() {
    let mut world = World::asking(|_| {});
    let mut old = left("earlier", 1, "old");
    old.policy.ttl_ms = Some(700);
    world.restore([old]);
    world.advance(700);
    assert_eq!(world.dropped(), [("note old".to_owned(), DropReason::Expired)]);
}

#[test]
fn an_acknowledgement_beyond_what_was_sent_for_an_earlier_page_is_not_believed() {
    let mut world = World::taciturn();
    world.restore([left("earlier", 4, "old")]);
    world.advance(0);
    world.push(ack(5));
    assert_eq!((world.violations(), world.client.in_flight()), (vec![ProtocolViolation::NeverSent], 1));
}

#[test]
fn a_durable_message_is_sent_when_it_is_on_disk_and_holds_back_those_behind_it() {
    let mut world = World::reliable(|_| {});
    assert_eq!(world.send(durable("a")).unwrap(), Sent::Queued);
    assert_eq!(world.say("b"), Sent::Queued);
    assert_eq!((world.heard().len(), world.has_room()), (0, false));
    world.stored(2);
    assert!(world.heard().is_empty());
    world.stored(1);
    assert_eq!(world.numbered(), ["1: note a", "2: note b"]);
    assert_eq!(world.transmitted(), [1, 2]);
}

#[test]
fn a_durable_message_that_waits_for_the_disk_can_be_taken_back() {
    let mut world = World::reliable(|_| {});
    world.send(durable("a")).unwrap();
    world.say("b");
    assert!(world.cancel(1));
    assert_eq!(world.numbered(), ["2 after 0: note b"]);
    world.stored(1);
    assert_eq!(world.heard().len(), 1);
}

#[test]
fn the_disk_s_word_on_a_number_is_not_mistaken_for_an_earlier_page_s_message() {
    let mut world = World::asking(|_| {});
    let mut old = left("earlier", 1, "old");
    old.policy.awaits_storage = true;
    world.restore([old]);
    world.send(durable("own")).unwrap();
    world.stored(1);
    world.memory = Some(Memory::default());
    world.connect();
    world.advance(0);
    assert!(world.heard().is_empty());
}

#[test]
fn logging_out_drops_everything_and_the_next_connection_starts_without_positions() {
    let mut world = World::taciturn();
    world.push(event("user", 5));
    world.cut();
    world.say("under way");
    world.disconnect();
    world.restore([left("earlier", 4, "old")]);
    world.say("queued");
    world.forget();
    let dropped = ["note under way", "note old", "note queued"].map(|label| (label.to_owned(), DropReason::Forgotten));
    assert_eq!((world.dropped(), world.queued(), world.client.in_flight()), (dropped.to_vec(), 0, 0));
    world.memory().acknowledges = true;
    world.connect();
    world.advance(0);
    assert_eq!(world.hellos(), ["hello"]);
    world.say("another user's");
    assert_eq!(world.numbered(), ["3 after 0: note another user's"]);
    world.advance(0);
    assert_eq!((world.acknowledged(), world.protocol_errors(), world.gaps().len()), (vec!["3".to_owned()], 0, 0));
}

#[test]
fn logging_out_ends_requests_and_forgets_what_was_acknowledged() {
    let mut world = World::reliable(|_| {});
    let mut request = note("a");
    request.policy.reply_within_ms = Some(5_000);
    world.send(request).unwrap();
    world.advance(0);
    world.disconnect();
    world.advance(0);
    world.forget();
    world.memory = Some(Memory::default());
    world.connect();
    world.advance(secs(9));
    assert_eq!((world.failed_requests().len(), world.protocol_errors(), world.phase()), (1, 0, Phase::Open));
}

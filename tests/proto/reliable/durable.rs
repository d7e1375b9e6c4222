//! Messages of previous client instances, messages that wait for the disk, and forgetting all of them.

use everwire::proto::{DropReason, Message, Phase, ProtocolViolation, Sent, Timer};
use everwire_kit::{
    CLIENT_ID, ServerMemory, TestHarness, ack, event, message, note, receipt, refusal, reply, secs, stored, welcome,
};
use serde_json::json;

/// A message that a previous client instance has left.
fn left(sender: &str, seq: u64, text: &str) -> Box<Message<String>> {
    let mut note = note(text);
    (note.origin, note.seq) = (Some(sender.to_owned()), seq);
    note
}

fn durable(text: &str) -> Box<Message<String>> {
    let mut note = note(text);
    note.policy.awaits_storage = true;
    note
}

#[test]
fn what_a_previous_instance_has_left_goes_first_under_its_own_client_id() {
    let mut harness = TestHarness::asking(|_| {});
    harness.memory = Some(ServerMemory::default());
    harness.say("new");
    harness.restore([left("earlier", 4, "old"), left("earlier", 6, "older")]);
    harness.connect();
    harness.advance(0);
    assert_eq!(harness.hellos(), ["hello as earlier", "hello"]);
    assert_eq!(harness.numbered(), ["4 after 0: note old", "6 after 4: note older", "1: note new"]);
    assert_eq!(harness.acknowledged(), ["earlier 4", "earlier 6", "1"]);
    assert_eq!(harness.transmitted(), [1]);
}

#[test]
fn a_second_hello_names_no_positions_and_waits_until_everything_is_acknowledged() {
    let mut harness = TestHarness::withhold_acks();
    harness.push(event("user", 5));
    harness.say("own");
    harness.restore([left("earlier", 4, "old")]);
    assert_eq!((harness.hellos().len(), harness.has_room()), (1, false));
    assert_eq!(harness.say("behind"), Sent::Queued);
    harness.push(ack(1));
    assert_eq!(harness.hellos(), ["hello", "hello as earlier"]);
    assert_eq!(harness.numbered(), ["1: note own"]);
    harness.advance(0);
    assert_eq!(harness.numbered(), ["1: note own", "4 after 0: note old"]);
    harness.push(ack(4));
    harness.advance(0);
    assert_eq!(harness.hellos(), ["hello", "hello as earlier", "hello"]);
    assert_eq!(harness.numbered(), ["1: note own", "4 after 0: note old", "2: note behind"]);
    assert_eq!(harness.protocol_errors(), 0);
}

#[test]
fn messages_of_several_previous_instances_go_out_one_page_after_the_other() {
    let mut harness = TestHarness::reliable(|_| {});
    harness.restore([left("first", 1, "a"), left("first", 2, "b"), left("second", 9, "c")]);
    harness.advance(0);
    assert_eq!(harness.hellos(), ["hello", "hello as first", "hello as second", "hello"]);
    assert_eq!(harness.numbered(), ["1: note a", "2: note b", "9 after 0: note c"]);
    assert_eq!(harness.acknowledged(), ["first 1", "first 2", "second 9"]);
}

#[test]
fn there_is_room_again_once_a_previous_instance_s_messages_are_acknowledged() {
    let mut harness = TestHarness::reliable(|_| {});
    harness.restore([left("earlier", 1, "a")]);
    assert!(!harness.has_room());
    harness.advance(0);
    assert!(harness.has_room());
    assert_eq!(harness.say("own"), Sent::Now);
    assert_eq!(harness.numbered(), ["1: note a", "1: note own"]);
}

#[test]
fn what_a_previous_instance_had_sent_and_not_lived_to_see_acknowledged_is_not_sent_again() {
    let mut harness = TestHarness::asking(|_| {});
    harness.memory = Some(ServerMemory { last: [("earlier".to_owned(), 5)].into(), ..ServerMemory::default() });
    harness.restore([left("earlier", 4, "a"), left("earlier", 5, "b"), left("earlier", 6, "c")]);
    harness.connect();
    harness.advance(0);
    assert_eq!(harness.numbered(), ["6: note c"]);
    assert_eq!(harness.acknowledged(), ["earlier 5", "earlier 6"]);
    assert!(harness.dropped().is_empty());
}

#[test]
fn an_unanswered_second_hello_ends_the_connection_and_the_next_one_comes_to_it_again() {
    let mut harness = TestHarness::reliable(|_| {});
    harness.cut();
    harness.restore([left("earlier", 4, "old")]);
    assert_eq!((harness.due(), harness.say("a")), (Some((10_000, Timer::AckOverdue)), Sent::Queued));
    assert!(harness.numbered().is_empty());
    harness.advance(10_000);
    assert_eq!(harness.end(), "AckTimeout");
    harness.try_again();
    assert_eq!(harness.hellos(), ["hello", "hello as earlier", "hello"]);
    assert_eq!(harness.numbered(), ["4 after 0: note old", "1: note a"]);
}

/// A client that has come as far as 5 in the stream with the answers to it, whose connection was cut, and that has something to send for a page that is gone.
fn adopting(own_stream: &str) -> TestHarness {
    let mut harness = TestHarness::reliable(|_| {});
    harness.push(event(own_stream, 5));
    harness.cut();
    harness.restore([left("earlier", 4, "old")]);
    harness
}

#[test]
fn a_connection_brings_what_waits_for_this_client_before_it_serves_a_previous_instance() {
    let own_stream = format!("client:{CLIENT_ID}");
    let mut harness = adopting(&own_stream);
    harness.come_back();
    let hello = format!("hello {own_stream}=5");
    assert_eq!(harness.hellos(), [hello.as_str(), "hello as earlier", "hello"]);
    harness.push(event(&own_stream, 6));
    assert_eq!((harness.numbered(), harness.gaps().len()), (vec!["4 after 0: note old".to_owned()], 0));
    assert!(harness.told().contains(&format!("{own_stream} 6")), "{:?}", harness.told());
}

#[test]
fn a_connection_for_a_previous_instance_tells_no_gap_in_the_answers_to_this_client() {
    let own_stream = format!("client:{CLIENT_ID}");
    let mut harness = adopting(&own_stream);
    harness.memory().acknowledges = false;
    harness.come_back();
    harness.cut();
    // What is under way for the other comes first.
    harness.come_back();
    assert_eq!(harness.hellos(), [format!("hello as earlier {own_stream}=5").as_str(), "hello"]);
    harness.advance(0);
    assert_eq!((harness.gaps().len(), harness.protocol_errors()), (0, 0));
}

#[test]
fn what_comes_in_front_during_a_hello_does_not_hide_what_that_hello_acknowledges() {
    let mut harness = TestHarness::reliable(|_| {});
    harness.memory().last.insert("first".to_owned(), 2);
    harness.restore([left("first", 1, "a"), left("first", 2, "b")]);
    harness.restore([left("second", 9, "c")]);
    harness.advance(0);
    assert_eq!(harness.acknowledged(), ["first 2", "second 9"]);
    assert_eq!(harness.hellos(), ["hello", "hello as first", "hello as second", "hello"]);
    assert_eq!(harness.numbered(), ["9 after 0: note c"]);
}

#[test]
fn what_is_under_way_for_a_previous_instance_is_sent_again_under_its_client_id() {
    let mut harness = TestHarness::withhold_acks();
    harness.restore([left("earlier", 4, "old")]);
    harness.cut();
    harness.push(welcome(7, 0, 128, json!({})));
    assert_eq!(harness.numbered(), ["4 after 0: note old"]);
    harness.come_back();
    assert_eq!(
        (harness.hellos(), harness.numbered()),
        (vec!["hello as earlier"], vec!["4 after 0: note old".to_owned()])
    );
}

#[test]
fn a_page_s_own_unacknowledged_messages_come_before_those_of_previous_instances() {
    let mut harness = TestHarness::withhold_acks();
    harness.cut();
    harness.say("own");
    harness.close(1006);
    harness.restore([left("earlier", 4, "old")]);
    harness.try_again();
    assert_eq!((harness.hellos(), harness.numbered()), (vec!["hello"], vec!["1: note own".to_owned()]));
    harness.push(ack(1));
    harness.advance(0);
    assert_eq!(harness.numbered(), ["1: note own", "4 after 0: note old"]);
}

#[test]
fn the_last_number_of_a_previous_instance_is_no_violation() {
    let mut harness = TestHarness::asking(|_| {});
    harness.memory = Some(ServerMemory { last: [("earlier".to_owned(), 900)].into(), ..ServerMemory::default() });
    harness.restore([left("earlier", 901, "old")]);
    harness.connect();
    harness.advance(0);
    assert_eq!((harness.phase(), harness.protocol_errors()), (Phase::Open, 0));
    assert_eq!(harness.say("own"), Sent::Now);
    assert_eq!(harness.numbered(), ["901: note old", "1: note own"]);
}

#[test]
fn the_numbers_of_a_previous_instance_say_nothing_about_the_page_s_own() {
    let mut harness = TestHarness::reliable(|_| {});
    harness.say("own");
    harness.advance(0);
    harness.restore([left("earlier", 901, "old")]);
    harness.advance(0);
    harness.memory().set_last(500);
    harness.come_back();
    assert_eq!(
        (harness.violations(), harness.end().as_str()),
        (vec![ProtocolViolation::NeverSent], "ProtocolViolation")
    );
}

#[test]
fn dropping_a_previous_instance_s_message_is_not_the_end_of_the_page_s_own_request() {
    let mut harness = TestHarness::asking(|_| {});
    let mut request = note("own");
    request.policy.reply_within_ms = Some(5_000);
    harness.send(request).unwrap();
    let mut old = left("earlier", 1, "old");
    old.policy.ttl_ms = Some(700);
    harness.restore([old]);
    harness.advance(5_000);
    assert_eq!((harness.dropped().len(), harness.failed_requests().len()), (1, 1));
}

#[test]
fn answers_about_a_previous_instance_s_messages_have_nobody_who_waits_for_them() {
    let mut harness = TestHarness::withhold_acks();
    harness.restore([left("earlier", 4, "old")]);
    harness.advance(0);
    for frame in [refusal(4), receipt(4), reply(4), refusal(9_000)] {
        harness.push(frame);
    }
    assert_eq!((harness.told(), harness.protocol_errors()), (vec!["error".to_owned(), "error".to_owned()], 0));
    assert!(harness.replied().is_empty() && harness.refused().is_empty() && harness.receipts().is_empty());
}

#[test]
fn a_stored_answer_to_a_page_s_own_request_is_taken_while_a_previous_instance_s_messages_are_sent() {
    let mut harness = TestHarness::withhold_acks();
    let mut request = note("own");
    request.policy.reply_within_ms = Some(30_000);
    harness.send(request).unwrap();
    harness.push(ack(1));
    harness.restore([left("earlier", 4, "old")]);
    harness.advance(0);
    harness.push(stored(reply(1), &format!("client:{CLIENT_ID}"), 1));
    assert_eq!((harness.replied(), harness.protocol_errors()), (vec![1], 0));
    harness.push(ack(4));
    harness.advance(secs(60));
    assert!(harness.failed_requests().is_empty());
}

#[test]
fn sessions_of_a_previous_instance_s_messages_are_joined_here_too() {
    let mut harness = TestHarness::reliable(|_| {});
    let mut join = message("join_session", json!({ "session_id": "maths" }));
    (join.origin, join.seq) = (Some("earlier".to_owned()), 2);
    harness.restore([join]);
    harness.advance(0);
    harness.come_back();
    assert_eq!(harness.numbered(), ["join_session maths"]);
}

#[test]
fn a_plain_server_is_not_sent_what_a_previous_instance_may_have_sent() {
    let dropped = [("note old".to_owned(), DropReason::Unconfirmed)];
    let mut harness = TestHarness::asking(|_| {});
    harness.restore([left("earlier", 4, "old")]);
    harness.connect();
    harness.advance(0);
    assert_eq!((harness.dropped(), harness.heard().len()), (dropped.to_vec(), 0));
    harness.restore([left("earlier", 4, "old")]);
    assert_eq!((harness.dropped().len(), harness.queued(), harness.heard().len()), (2, 0, 0));
}

#[test]
fn what_a_previous_instance_has_left_cannot_be_taken_back_by_number_and_is_nobody_s_predecessor() {
    let mut harness = TestHarness::asking(|_| {});
    let mut old = left("earlier", 1, "old");
    old.policy.coalesce = Some("k".to_owned());
    harness.restore([old]);
    let mut new = note("new");
    new.policy.coalesce = Some("k".to_owned());
    harness.send(new).unwrap();
    assert!(harness.cancel(1));
    assert_eq!((harness.queued(), harness.dropped().len()), (1, 0));
}

#[test]
fn what_a_previous_instance_has_left_keeps_the_time_that_it_comes_with() {
    let mut harness = TestHarness::asking(|_| {});
    let mut old = left("earlier", 1, "old");
    old.policy.ttl_ms = Some(700);
    harness.restore([old]);
    harness.advance(700);
    assert_eq!(harness.dropped(), [("note old".to_owned(), DropReason::Expired)]);
}

#[test]
fn an_acknowledgement_beyond_what_was_sent_for_a_previous_instance_is_a_violation() {
    let mut harness = TestHarness::withhold_acks();
    harness.restore([left("earlier", 4, "old")]);
    harness.advance(0);
    harness.push(ack(5));
    assert_eq!((harness.violations(), harness.client().in_flight()), (vec![ProtocolViolation::NeverSent], 1));
}

#[test]
fn a_durable_message_is_sent_when_it_is_on_disk_and_holds_back_those_behind_it() {
    let mut harness = TestHarness::reliable(|_| {});
    assert_eq!(harness.send(durable("a")).unwrap(), Sent::Queued);
    assert_eq!(harness.say("b"), Sent::Queued);
    assert_eq!((harness.heard().len(), harness.has_room()), (0, false));
    harness.stored(2);
    assert!(harness.heard().is_empty());
    harness.stored(1);
    assert_eq!(harness.numbered(), ["1: note a", "2: note b"]);
    assert_eq!(harness.transmitted(), [1, 2]);
}

#[test]
fn a_durable_message_that_waits_for_the_disk_can_be_taken_back() {
    let mut harness = TestHarness::reliable(|_| {});
    harness.send(durable("a")).unwrap();
    harness.say("b");
    assert!(harness.cancel(1));
    assert_eq!(harness.numbered(), ["2 after 0: note b"]);
    harness.stored(1);
    assert_eq!(harness.heard().len(), 1);
}

#[test]
fn the_disk_s_word_on_a_number_is_not_mistaken_for_a_previous_instance_s_message() {
    let mut harness = TestHarness::asking(|_| {});
    let mut old = left("earlier", 1, "old");
    old.policy.awaits_storage = true;
    harness.restore([old]);
    harness.send(durable("own")).unwrap();
    harness.stored(1);
    harness.memory = Some(ServerMemory::default());
    harness.connect();
    harness.advance(0);
    assert!(harness.heard().is_empty());
}

#[test]
fn logging_out_drops_everything_and_the_next_connection_starts_without_positions() {
    let mut harness = TestHarness::withhold_acks();
    harness.push(event("user", 5));
    harness.cut();
    harness.say("under way");
    harness.disconnect();
    harness.restore([left("earlier", 4, "old")]);
    harness.say("queued");
    harness.forget();
    let dropped = ["note under way", "note old", "note queued"].map(|label| (label.to_owned(), DropReason::Forgotten));
    assert_eq!((harness.dropped(), harness.queued(), harness.client().in_flight()), (dropped.to_vec(), 0, 0));
    harness.memory().acknowledges = true;
    harness.connect();
    harness.advance(0);
    assert_eq!(harness.hellos(), ["hello"]);
    harness.say("another user's");
    assert_eq!(harness.numbered(), ["3 after 0: note another user's"]);
    harness.advance(0);
    assert_eq!((harness.acknowledged(), harness.protocol_errors(), harness.gaps().len()), (vec!["3".to_owned()], 0, 0));
}

#[test]
fn logging_out_ends_requests_and_forgets_what_was_acknowledged() {
    let mut harness = TestHarness::reliable(|_| {});
    let mut request = note("a");
    request.policy.reply_within_ms = Some(5_000);
    harness.send(request).unwrap();
    harness.advance(0);
    harness.disconnect();
    harness.advance(0);
    harness.forget();
    harness.memory = Some(ServerMemory::default());
    harness.connect();
    harness.advance(secs(9));
    assert_eq!((harness.failed_requests().len(), harness.protocol_errors(), harness.phase()), (1, 0, Phase::Open));
}

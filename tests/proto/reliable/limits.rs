//! What a welcome says of the server's limits.

use everwire::proto::{DropReason, Message, Refusal};
use everwire_kit::{ServerMemory, TestHarness, ack, note, note_of, secs};

fn limited(max_bytes: u64) -> TestHarness {
    let mut harness = TestHarness::asking(|_| {});
    harness.memory = Some(ServerMemory { max_bytes: Some(max_bytes), ..ServerMemory::default() });
    harness
}

fn left(seq: u64, age_ms: u64) -> Box<Message<String>> {
    let mut message = note("old");
    (message.origin, message.seq, message.age_ms) = (Some("earlier".to_owned()), seq, age_ms);
    message
}

#[test]
fn what_waits_and_is_larger_than_the_server_takes_fails_at_the_welcome() {
    let mut harness = limited(200);
    for message in [note("a"), note_of(201), note_of(200)] {
        harness.send(message).unwrap();
    }
    harness.connect();
    harness.advance(0);
    let reasons: Vec<_> = harness.dropped().into_iter().map(|(_, reason)| reason).collect();
    assert_eq!((reasons, harness.heard().len()), (vec![DropReason::TooLarge], 2));
    assert_eq!(harness.processed(), 3);
}

#[test]
fn what_was_sent_and_no_longer_fits_fails_too_unless_it_is_processed() {
    for processed in [0, 1] {
        let mut harness = TestHarness::withhold_acks();
        harness.cut();
        harness.send(note_of(300)).unwrap();
        harness.memory().max_bytes = Some(299);
        harness.memory().set_last(processed);
        harness.come_back();
        assert_eq!(harness.dropped().len() as u64, 1 - processed);
        assert_eq!((harness.client().in_flight(), harness.numbered().len()), (0, 0));
    }
}

#[test]
fn a_message_over_the_servers_limit_is_refused_at_the_call_also_while_there_is_no_connection() {
    let mut harness = limited(200);
    harness.connect();
    harness.advance(0);
    for _ in 0..2 {
        let refusal = harness.send(note_of(201)).unwrap_err().refusal;
        assert_eq!(refusal, Refusal::TooLarge { bytes: 201, max: 200 });
        if harness.live().is_some() {
            harness.close(1006);
        }
    }
    assert!(harness.send(note_of(200)).is_ok());
}

#[test]
fn a_larger_limit_of_the_server_does_not_raise_the_clients_own() {
    let mut harness = limited(1 << 40);
    harness.connect();
    harness.advance(0);
    assert!(harness.send(note_of(10_241)).is_err());
}

#[test]
fn a_plain_server_has_no_limit_to_announce() {
    let mut harness = limited(200);
    harness.connect();
    harness.advance(0);
    harness.memory = None;
    harness.come_back();
    assert!(harness.send(note_of(201)).is_ok());
}

#[test]
fn a_message_older_than_the_servers_memory_is_reported_and_not_sent_blindly() {
    let mut harness = TestHarness::asking(|_| {});
    harness.memory = Some(ServerMemory { remember_ms: Some(secs(60)), ..ServerMemory::default() });
    harness.restore([left(4, secs(61)), left(5, secs(59))]);
    harness.connect();
    harness.advance(0);
    assert_eq!(harness.dropped(), [("note old".to_owned(), DropReason::OutcomeUnknown)]);
    assert_eq!(harness.numbered(), ["5 after 0: note old"]);
}

#[test]
fn a_server_that_still_knows_the_client_id_settles_messages_of_any_age() {
    let mut harness = TestHarness::asking(|_| {});
    let last = [("earlier".to_owned(), 4)].into();
    harness.memory = Some(ServerMemory { remember_ms: Some(secs(60)), last, ..ServerMemory::default() });
    harness.restore([left(4, secs(600)), left(5, secs(600))]);
    harness.connect();
    harness.advance(0);
    assert!(harness.dropped().is_empty());
    assert_eq!(harness.numbered(), ["5: note old"]);
}

#[test]
fn the_time_that_a_page_waits_for_a_connection_counts() {
    let mut harness = TestHarness::asking(|_| {});
    harness.memory = Some(ServerMemory { remember_ms: Some(secs(60)), ..ServerMemory::default() });
    harness.restore([left(4, secs(50))]);
    harness.advance(secs(11));
    harness.connect();
    harness.advance(0);
    assert_eq!(harness.dropped().len(), 1);
}

#[test]
fn what_was_under_way_when_the_server_forgot_this_client_is_reported() {
    for (asleep, last, dropped) in [(secs(61), 0, 1), (secs(59), 0, 0), (secs(600), 1, 0)] {
        let mut harness = TestHarness::withhold_acks();
        harness.memory().remember_ms = Some(secs(60));
        if last > 0 {
            harness.say("first");
            harness.push(ack(1));
        }
        harness.cut();
        harness.say("under way");
        harness.close(1006);
        harness.disconnect();
        harness.advance(asleep);
        harness.memory().set_last(last);
        harness.connect();
        harness.advance(0);
        assert_eq!(harness.dropped().len(), dropped, "{asleep}");
        assert_eq!(harness.numbered().len(), 1 - dropped, "{asleep}");
    }
}

#[test]
fn a_server_that_once_knew_this_client_and_no_longer_does_has_forgotten_it() {
    let mut harness = TestHarness::withhold_acks();
    harness.memory().remember_ms = Some(secs(60));
    harness.say("a");
    harness.push(ack(1));
    harness.cut();
    harness.say("b");
    harness.memory().last.clear();
    harness.come_back();
    assert_eq!(harness.dropped(), [("note b".to_owned(), DropReason::OutcomeUnknown)]);
    harness.say("c");
    harness.push(ack(3));
    assert_eq!((harness.client().in_flight(), harness.protocol_errors()), (0, 0));
}

#[test]
fn what_was_never_sent_waits_as_long_as_it_likes() {
    let mut harness = TestHarness::asking(|_| {});
    harness.memory = Some(ServerMemory { remember_ms: Some(secs(60)), ..ServerMemory::default() });
    harness.say("a");
    harness.advance(secs(600));
    harness.connect();
    harness.advance(0);
    assert_eq!((harness.dropped().len(), harness.processed()), (0, 1));
}

#[test]
fn the_time_counts_in_which_the_client_had_not_noticed_that_its_connection_was_dead() {
    let mut harness = TestHarness::withhold_acks();
    harness.memory().remember_ms = Some(secs(5));
    harness.cut();
    harness.say("under way");
    harness.advance(secs(10));
    assert_eq!(harness.end(), "AckTimeout");
    harness.try_again();
    assert_eq!(harness.dropped(), [("note under way".to_owned(), DropReason::OutcomeUnknown)]);
    assert!(harness.numbered().is_empty());
}

//! What a welcome says of the server's limits.

use everwire::proto::{DropReason, Message, Refusal};

use crate::memory::Memory;
use crate::wire::{note, note_of};
use crate::world::{World, secs};

fn limited(max_bytes: u64) -> World {
    let mut world = World::asking(|_| {});
    world.memory = Some(Memory { max_bytes: Some(max_bytes), ..Memory::default() });
    world
}

fn left(seq: u64, age_ms: u64) -> Box<Message<String>> {
    let mut message = note("old");
    (message.sender, message.seq, message.age_ms) = (Some("earlier".to_owned()), seq, age_ms);
    message
}

#[test]
fn what_waits_and_is_larger_than_the_server_takes_fails_at_the_welcome() {
    let mut world = limited(200);
    for message in [note("a"), note_of(201), note_of(200)] {
        world.send(message).unwrap();
    }
    world.connect();
    world.advance(0);
    let reasons: Vec<_> = world.dropped().into_iter().map(|(_, reason)| reason).collect();
    assert_eq!((reasons, world.heard().len()), (vec![DropReason::TooLarge], 2));
    assert_eq!(world.processed(), 3);
}

#[test]
fn what_was_sent_and_no_longer_fits_fails_too_unless_it_is_processed() {
    for processed in [0, 1] {
        let mut world = World::taciturn();
        world.cut();
        world.send(note_of(300)).unwrap();
        world.memory().max_bytes = Some(299);
        world.memory().last.insert(String::new(), processed);
        world.come_back();
        assert_eq!(world.dropped().len() as u64, 1 - processed);
        assert_eq!((world.client.in_flight(), world.numbered().len()), (0, 0));
    }
}

#[test]
fn a_message_over_the_servers_limit_is_refused_at_the_call_also_while_there_is_no_connection() {
    let mut world = limited(200);
    world.connect();
    world.advance(0);
    for _ in 0..2 {
        let refusal = world.send(note_of(201)).unwrap_err().refusal;
        assert_eq!(refusal, Refusal::TooLarge { bytes: 201, max: 200 });
        if world.live().is_some() {
            world.close(1006);
        }
    }
    assert!(world.send(note_of(200)).is_ok());
}

#[test]
fn a_larger_limit_of_the_server_does_not_raise_the_clients_own() {
    let mut world = limited(1 << 40);
    world.connect();
    world.advance(0);
    assert!(world.send(note_of(10_241)).is_err());
}

#[test]
fn a_plain_server_has_no_limit_to_announce() {
    let mut world = limited(200);
    world.connect();
    world.advance(0);
    world.memory = None;
    world.come_back();
    assert!(world.send(note_of(201)).is_ok());
}

#[test]
fn a_message_older_than_the_servers_memory_is_reported_and_not_sent_blindly() {
    let mut world = World::asking(|_| {});
    world.memory = Some(Memory { remember_ms: Some(secs(60)), ..Memory::default() });
    world.restore([left(4, secs(61)), left(5, secs(59))]);
    world.connect();
    world.advance(0);
    assert_eq!(world.dropped(), [("note old".to_owned(), DropReason::OutcomeUnknown)]);
    assert_eq!(world.numbered(), ["5 after 0: note old"]);
}

#[test]
fn a_server_that_still_knows_the_client_id_is_believed_whatever_the_age() {
    let mut world = World::asking(|_| {});
    let last = [("earlier".to_owned(), 4)].into();
    world.memory = Some(Memory { remember_ms: Some(secs(60)), last, ..Memory::default() });
    world.restore([left(4, secs(600)), left(5, secs(600))]);
    world.connect();
    world.advance(0);
    assert!(world.dropped().is_empty());
    assert_eq!(world.numbered(), ["5: note old"]);
}

#[test]
fn the_time_that_a_page_waits_for_a_connection_counts() {
    let mut world = World::asking(|_| {});
    world.memory = Some(Memory { remember_ms: Some(secs(60)), ..Memory::default() });
    world.restore([left(4, secs(50))]);
    world.advance(secs(11));
    world.connect();
    world.advance(0);
    assert_eq!(world.dropped().len(), 1);
}

#[test]
fn what_was_under_way_when_the_server_forgot_this_client_is_reported() {
    for (asleep, last, dropped) in [(secs(61), 0, 1), (secs(59), 0, 0), (secs(600), 1, 0)] {
        let mut world = World::taciturn();
        world.memory().remember_ms = Some(secs(60));
        if last > 0 {
            world.say("first");
            world.push(crate::memory::ack(1));
        }
        world.cut();
        world.say("under way");
        world.close(1006);
        world.disconnect();
        world.advance(asleep);
        world.memory().last.insert(String::new(), last);
        world.connect();
        world.advance(0);
        assert_eq!(world.dropped().len(), dropped, "{asleep}");
        assert_eq!(world.numbered().len(), 1 - dropped, "{asleep}");
    }
}

#[test]
fn a_server_that_once_knew_this_client_and_no_longer_does_has_forgotten_it() {
    let mut world = World::taciturn();
    world.memory().remember_ms = Some(secs(60));
    world.say("a");
    world.push(crate::memory::ack(1));
    world.cut();
    world.say("b");
    world.memory().last.clear();
    world.come_back();
    assert_eq!(world.dropped(), [("note b".to_owned(), DropReason::OutcomeUnknown)]);
    world.say("c");
    world.push(crate::memory::ack(3));
    assert_eq!((world.client.in_flight(), world.protocol_errors()), (0, 0));
}

#[test]
fn what_was_never_sent_waits_as_long_as_it_likes() {
    let mut world = World::asking(|_| {});
    world.memory = Some(Memory { remember_ms: Some(secs(60)), ..Memory::default() });
    world.say("a");
    world.advance(secs(600));
    world.connect();
    world.advance(0);
    assert_eq!((world.dropped().len(), world.processed()), (0, 1));
}

#[test]
fn the_time_counts_in_which_the_client_had_not_noticed_that_its_connection_was_dead() {
    let mut world = World::taciturn();
    world.memory().remember_ms = Some(secs(5));
    world.cut();
    world.say("under way");
    world.advance(secs(10));
    assert_eq!(world.end(), "AckTimeout");
    world.try_again();
    assert_eq!(world.dropped(), [("note under way".to_owned(), DropReason::OutcomeUnknown)]);
    assert!(world.numbered().is_empty());
}

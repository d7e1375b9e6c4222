//! A server that has lost its memory, or found an older one.

use everwire::proto::{Phase, ProtocolViolation};
use serde_json::json;

use crate::memory::{Memory, ack, event};
use crate::world::World;

fn lose_memory(world: &mut World, epoch: u64) {
    world.memory = Some(Memory { epoch, ..Memory::default() });
}

#[test]
fn a_new_epoch_is_sent_what_is_unacknowledged_after_nothing() {
    let mut world = World::reliable(|_| {});
    world.say("a");
    world.advance(0);
    world.cut();
    world.say("b");
    world.say("c");
    lose_memory(&mut world, 8);
    world.come_back();
    assert_eq!(world.numbered(), ["2 after 0: note b", "3: note c"]);
    assert_eq!((world.protocol_errors(), world.phase()), (0, Phase::Open));
}

#[test]
fn a_new_epoch_is_a_gap_without_an_end_in_every_stream_that_has_a_position() {
    let mut world = World::reliable(|_| {});
    world.push(event("user", 4));
    world.push(event("s2", 9));
    lose_memory(&mut world, 8);
    world.memory().streams = [("user", 2), ("s1", 5), ("s2", 20)].into();
    world.come_back();
    assert_eq!(world.hellos(), ["hello user=4 s2=9"]);
    assert_eq!(world.gaps(), [("user".to_owned(), 5, None), ("s2".to_owned(), 10, None)]);
    world.push(event("user", 3));
    world.push(event("s2", 21));
    assert_eq!(world.told(), ["user 4", "s2 9", "user 3", "s2 21"]);
    assert_eq!(world.protocol_errors(), 0);
}

#[test]
fn the_gap_is_told_once_of_a_stream_that_the_new_epoch_does_not_name_at_once() {
    let mut world = World::reliable(|_| {});
    world.push(event("user", 4));
    lose_memory(&mut world, 8);
    world.memory().uncarried = vec!["user"];
    world.come_back();
    assert_eq!(world.gaps(), [("user".to_owned(), 5, None)]);
    world.push(crate::memory::position("user", 1));
    world.push(event("user", 2));
    assert_eq!((world.gaps().len(), world.told()), (1, vec!["user 4".to_owned(), "user 2".to_owned()]));
}

#[test]
fn acknowledgements_start_over_with_the_epoch() {
    let mut world = World::reliable(|_| {});
    world.say("a");
    world.say("b");
    world.advance(0);
    lose_memory(&mut world, 8);
    world.memory().acknowledges = false;
    world.come_back();
    world.say("c");
    assert_eq!(world.numbered(), ["3 after 0: note c"]);
    world.push(ack(3));
    world.come_back();
    assert_eq!((world.protocol_errors(), world.acknowledged()), (0, ["1", "2", "3", "3"].map(String::from).to_vec()));
}

#[test]
fn an_older_epoch_is_not_believed_and_the_client_tries_again_later() {
    let mut world = World::taciturn();
    world.cut();
    world.say("a");
    world.push(event("user", 1));
    lose_memory(&mut world, 6);
    world.memory().last.insert(String::new(), 1);
    world.memory().streams = [("user", 9)].into();
    world.come_back();
    assert_eq!((world.phase(), world.end().as_str()), (Phase::Waiting, "ProtocolViolation"));
    assert_eq!(world.violations(), [ProtocolViolation::OldEpoch]);
    assert_eq!((world.gaps().len(), world.acknowledged().len(), world.client.in_flight()), (0, 0, 1));
    lose_memory(&mut world, 7);
    world.try_again();
    assert_eq!((world.hellos(), world.numbered()), (vec!["hello user=1"], vec!["1: note a".to_owned()]));
}

#[test]
fn servers_that_are_never_believed_use_up_the_attempts() {
    let mut world = World::reliable(|_| {});
    lose_memory(&mut world, 6);
    world.close(1006);
    world.advance(60_000);
    assert_eq!((world.phase(), world.gave_up()), (Phase::GivenUp, vec![5]));
    assert_eq!(world.protocol_errors(), 5);
}

#[test]
fn the_first_epoch_is_believed_whatever_it_is() {
    for epoch in [1, 1 << 52] {
        let mut world = World::asking(|_| {});
        lose_memory(&mut world, epoch);
        world.memory().streams = [("user", 3)].into();
        world.connect();
        world.advance(0);
        assert_eq!((world.phase(), world.gaps().len(), world.protocol_errors()), (Phase::Open, 0, 0));
        world.push(json!({ "type": "stream", "data": { "stream": "user", "offset": 5 } }));
        assert_eq!(world.gaps(), [("user".to_owned(), 4, Some(5))]);
    }
}

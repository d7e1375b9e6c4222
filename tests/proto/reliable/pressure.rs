//! The browser's send buffer fills faster than the network drains it.

use everwire::proto::{Input, Phase, Sent, Timer};

use crate::memory::Memory;
use crate::wire::{note, note_of};
use crate::world::World;

const HIGH: u64 = 262_144;
const LOW: u64 = 65_536;

#[test]
fn above_the_high_mark_messages_wait_until_the_buffer_is_below_the_low_one() {
    for reliable in [false, true] {
        let mut world = if reliable { World::reliable(|_| {}) } else { World::open(|_| {}) };
        world.buffered = HIGH;
        assert_eq!((world.say("a"), world.has_room()), (Sent::Now, true));
        world.buffered = HIGH + 1;
        assert_eq!(world.say("b"), Sent::Now);
        assert_eq!((world.has_room(), world.say("c")), (false, Sent::Queued));
        assert_eq!(world.due(), Some((20, Timer::DrainCheckDue)));
        world.buffered = LOW + 1;
        world.advance(20);
        assert_eq!((world.queued(), world.due()), (1, Some((20, Timer::DrainCheckDue))));
        world.buffered = LOW;
        world.advance(20);
        assert_eq!((world.queued(), world.heard().len(), world.has_room()), (0, 3, true));
        assert_ne!(world.due().map(|(_, timer)| timer), Some(Timer::DrainCheckDue));
    }
}

#[test]
fn a_flush_stops_at_the_high_mark_and_goes_on_in_order() {
    let mut world = World::asking(|_| {});
    for _ in 0..40 {
        world.send(note_of(10_000)).unwrap();
    }
    world.memory = Some(Memory::default());
    world.buffered = 270_000;
    world.connect();
    world.advance(0);
    assert_eq!((world.phase(), world.heard().len(), world.queued()), (Phase::Open, 27, 13));
    world.buffered = 0;
    world.advance(20);
    assert_eq!((world.heard().len(), world.queued(), world.processed()), (40, 0, 40));
}

#[test]
fn what_is_sent_again_heeds_the_buffer_too() {
    let mut world = World::taciturn();
    world.cut();
    for _ in 0..40 {
        world.send(note_of(10_000)).unwrap();
    }
    world.buffered = 270_000;
    world.come_back();
    assert_eq!((world.heard().len(), world.client.in_flight(), world.queued()), (27, 40, 0));
    world.buffered = 0;
    world.advance(20);
    assert_eq!((world.heard().len(), world.processed()), (40, 40));
}

#[test]
fn pings_are_not_held_back() {
    let mut world = World::reliable(|_| {});
    world.buffered = HIGH + 1;
    world.say("a");
    let pings = world.last().pings.len();
    world.advance(30_000);
    assert_eq!(world.last().pings.len(), pings + 1);
}

#[test]
fn the_marks_are_what_the_options_say() {
    let mut world = World::reliable(|config| (config.buffer.high_bytes, config.buffer.low_bytes) = (1_000, 10));
    world.buffered = 1_001;
    world.say("a");
    assert!(!world.has_room());
    world.buffered = 11;
    world.advance(20);
    assert!(!world.has_room());
    world.buffered = 10;
    world.advance(20);
    assert!(world.has_room());
}

#[test]
fn a_lost_connection_takes_its_buffer_with_it() {
    let mut world = World::reliable(|_| {});
    world.buffered = HIGH + 1;
    world.say("a");
    world.buffered = 0;
    world.come_back();
    assert!(world.has_room());
    assert_eq!(world.say("b"), Sent::Now);
}

#[test]
fn a_buffer_that_is_full_when_the_second_welcome_comes_still_holds_messages_back() {
    let mut world = World::reliable(|_| {});
    let mut old = note("old");
    (old.sender, old.seq) = (Some("earlier".to_owned()), 4);
    world.restore([old]);
    world.buffered = HIGH + 1;
    let socket = world.live().unwrap().id;
    world.input(Input::Buffered { socket, bytes: world.buffered });
    world.advance(0);
    assert_eq!((world.heard().len(), world.queued()), (0, 1));
    world.buffered = 0;
    world.advance(20);
    assert_eq!(world.numbered(), ["4 after 0: note old"]);
}

#[test]
fn what_is_said_of_another_socket_s_buffer_is_ignored() {
    let mut world = World::reliable(|_| {});
    let old = world.live().unwrap().id;
    world.come_back();
    world.assert_ignored(Input::Buffered { socket: old, bytes: HIGH + 1 });
    assert!(world.has_room());
}

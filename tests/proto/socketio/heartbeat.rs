//! The pings of the server, and what their absence says.

use everwire::proto::wire::socketio::Namespace;
use everwire::proto::{Cause, Phase, Reason, Timestamp};
use everwire_kit::SoloLink;

use super::model_server::{INTERVAL_MS, TIMEOUT_MS};
use super::world::World;

#[test]
fn the_heartbeat_is_the_servers() {
    let mut world = World::joined();
    world.advance(10 * INTERVAL_MS);
    assert_eq!((world.phase(), world.closes.len(), world.attempts), (Phase::Open, 0, 1));
}

#[test]
fn a_missing_ping_is_a_dead_link() {
    let mut world = World::joined();
    world.advance(INTERVAL_MS);
    world.server.is_gone = true;
    world.advance(INTERVAL_MS + TIMEOUT_MS - 1_000);
    assert_eq!(world.phase(), Phase::Open);
    world.advance(1_000);
    assert_eq!(world.last_close(), (1006, &Reason::Client(Cause::PongTimeout)));
    world.server.is_gone = false;
    world.advance(10_000);
    assert_eq!((world.phase(), world.attempts, world.auths), (Phase::Open, 2, 2));
}

#[test]
fn a_wake_up_shortens_the_wait_for_the_ping_that_is_due() {
    let mut world = World::joined();
    world.server.is_gone = true;
    world.advance(10_000);
    world.wake();
    world.advance(INTERVAL_MS - 10_000 + 3_000);
    assert_eq!(world.phase(), Phase::Open);
    world.advance(1_000);
    assert_eq!(world.last_close().1, &Reason::Client(Cause::PongTimeout));
}

#[test]
fn a_page_that_has_slept_through_a_ping_learns_of_a_dead_link_at_once() {
    let mut world = World::joined();
    world.server.is_gone = true;
    world.sleep(INTERVAL_MS + 10_000);
    world.wake();
    world.advance(3_000);
    assert_eq!(world.phase(), Phase::Open);
    world.advance(1_000);
    assert_eq!(world.last_close().1, &Reason::Client(Cause::PongTimeout));
}

#[test]
fn a_page_that_has_slept_for_long_sees_the_ping_before_it_gives_up() {
    for is_told in [false, true] {
        let mut world = World::joined();
        world.sleep(INTERVAL_MS + TIMEOUT_MS + 5_000);
        if is_told {
            world.wake();
        }
        world.timers();
        assert_eq!(world.phase(), Phase::Open);
        // A server that is as late has not given up either.
        let frames = world.server.tick(world.now);
        world.arrive(frames.iter().map(String::as_str));
        world.advance(INTERVAL_MS);
        assert_eq!((world.phase(), world.closes.len()), (Phase::Open, 0));
    }
}

#[test]
fn a_page_that_has_slept_for_long_gives_up_when_no_ping_is_there() {
    let mut world = World::joined();
    world.server.is_gone = true;
    world.sleep(INTERVAL_MS + TIMEOUT_MS + 5_000);
    world.timers();
    world.advance(4_000);
    assert_eq!(world.last_close().1, &Reason::Client(Cause::PongTimeout));
}

#[test]
fn a_ping_before_the_handshake_is_not_answered() {
    let mut link = SoloLink::new(Namespace::MAIN);
    link.handle_text("2", Timestamp::from_millis(0));
    assert!(link.poll_output().is_none());
}

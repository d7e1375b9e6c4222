//! The server refuses the token.

use everwire::proto::Phase;

use crate::server::Handshake;
use crate::world::{World, secs};

fn asked_for_fresh_tokens(world: &World) -> Vec<bool> {
    world.sockets.iter().map(|socket| socket.token_refused).collect()
}

#[test]
fn a_refused_token_is_replaced_once_and_then_the_client_stops() {
    for code in [1008, 4401] {
        let mut world = World::new(|_| {});
        world.server.handshake = Handshake::Close(code);
        world.connect();
        world.advance(secs(60));
        assert_eq!(world.phase(), Phase::Fatal, "{code}");
        assert_eq!(asked_for_fresh_tokens(&world), [false, true], "{code}");
        assert_eq!(world.closes(), [code, code], "{code}");
    }
}

#[test]
fn a_fresh_token_that_the_server_accepts_ends_the_matter() {
    let mut world = World::open(|_| {});
    world.close(4401);
    world.advance(1_000);
    assert_eq!(world.phase(), Phase::Open);
    world.advance(secs(10));
    world.close(1006);
    world.advance(1_000);
    assert_eq!(asked_for_fresh_tokens(&world), [false, true, false]);
    world.advance(secs(10));
    world.close(4401);
    world.advance(1_000);
    assert_eq!((world.phase(), asked_for_fresh_tokens(&world)), (Phase::Open, vec![false, true, false, true]));
}

#[test]
fn a_handshake_that_opens_does_not_yet_prove_the_fresh_token() {
    let mut world = World::open(|_| {});
    world.close(1008);
    world.advance(1_000);
    assert_eq!(world.phase(), Phase::Open);
    world.advance(100);
    world.close(1008);
    assert_eq!(world.phase(), Phase::Fatal);
}

#[test]
fn a_refused_handshake_is_no_verdict_on_the_token() {
    let mut world = World::new(|_| {});
    world.server.handshake = Handshake::Refuse;
    world.connect();
    world.advance(secs(60));
    assert_eq!((world.phase(), asked_for_fresh_tokens(&world)), (Phase::GivenUp, vec![false; 6]));
}

#[test]
fn the_application_can_try_again_after_a_fatal_refusal() {
    for revive in [World::reconnect, World::connect] {
        let mut world = World::new(|_| {});
        world.server.handshake = Handshake::Close(1008);
        world.connect();
        world.advance(secs(60));
        revive(&mut world);
        assert_eq!((world.phase(), world.last().token_refused), (Phase::Connecting, false));
        world.advance(secs(60));
        assert_eq!((world.phase(), world.sockets.len()), (Phase::Fatal, 4));
    }
}

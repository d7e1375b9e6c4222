//! How a connection ends, and what follows.

use everwire::proto::socketio::LinkOutput;
use everwire::proto::wire::socketio::Namespace;
use everwire::proto::{Phase, Reason, Timestamp};
use everwire_kit::{SoloLink, SoloOutput};

use super::world::World;

#[test]
fn a_client_that_the_server_has_put_out_does_not_come_back_by_itself() {
    let mut world = World::joined();
    world.arrive(["41"]);
    assert_eq!(world.phase(), Phase::Idle);
    world.advance(60_000);
    assert_eq!(world.attempts, 1);
    world.connect();
    assert_eq!((world.phase(), world.attempts), (Phase::Open, 2));
}

#[test]
fn a_client_comes_back_after_a_close_of_the_server() {
    let mut world = World::joined();
    world.arrive(["1"]);
    assert_eq!(world.last_close(), (1005, &Reason::Peer(String::new())));
    world.advance(10_000);
    assert_eq!((world.phase(), world.attempts), (Phase::Open, 2));
}

#[test]
fn a_client_that_leaves_while_the_server_decides_says_nothing() {
    let mut link = SoloLink::new(Namespace::MAIN);
    let at = Timestamp::from_millis;
    link.handle_text(r#"0{"sid":"d","pingInterval":1,"pingTimeout":1}"#, at(0));
    assert!(matches!(link.poll_output(), Some(SoloOutput::Link(LinkOutput::Connect))));
    link.leave();
    assert!(link.poll_output().is_none());
}

#[test]
fn a_client_says_goodbye_and_stays_away() {
    let mut world = World::joined();
    world.client.disconnect(world.at());
    world.turn();
    assert_eq!((world.phase(), world.server.received.as_slice()), (Phase::Idle, &["41".to_owned()][..]));
    assert_eq!(world.last_close().0, 1000);
    world.advance(60_000);
    assert_eq!(world.attempts, 1);
}

#[test]
fn nothing_follows_an_end() {
    let mut link = SoloLink::new(Namespace::MAIN);
    let at = Timestamp::from_millis;
    link.handle_text("1", at(0));
    assert!(matches!(link.poll_output(), Some(SoloOutput::Ended(_))));
    link.handle_text(r#"0{"sid":"d","pingInterval":1,"pingTimeout":1}"#, at(1));
    link.handle_binary(vec![1], at(2));
    link.probe(at(3));
    assert!(link.poll_output().is_none() && link.poll_timeout().is_none());
}

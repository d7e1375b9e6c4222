//! A new connection enters the joined sessions again.

use everwire::proto::{Message, Phase, Refusal, Sent};
use serde_json::json;

use crate::server::Handshake;
use crate::wire::message;
use crate::world::World;

fn join(session: &str) -> Box<Message<String>> {
    message("join_session", json!({ "session_id": session }))
}

fn leave(session: &str) -> Box<Message<String>> {
    message("leave_session", json!({ "session_id": session }))
}

fn lose_and_reopen(world: &mut World) {
    world.close(1006);
    world.advance(5_000);
    assert_eq!(world.phase(), Phase::Open);
}

#[test]
fn joined_sessions_are_entered_again_in_order_before_the_queue_is_flushed() {
    let mut world = World::open(|_| {});
    for session in ["maths", "physics", "chemistry"] {
        world.send(join(session)).unwrap();
    }
    world.close(1006);
    world.say("hello");
    world.send(join("biology")).unwrap();
    world.advance(1_000);
    assert_eq!(
        world.heard(),
        ["join_session maths", "join_session physics", "join_session chemistry", "note hello", "join_session biology"]
    );
    lose_and_reopen(&mut world);
    assert_eq!(
        world.heard(),
        ["join_session maths", "join_session physics", "join_session chemistry", "join_session biology"]
    );
}

#[test]
fn a_session_that_was_left_is_forgotten() {
    let mut world = World::open(|_| {});
    world.send(join("maths")).unwrap();
    world.send(join("physics")).unwrap();
    world.send(leave("maths")).unwrap();
    lose_and_reopen(&mut world);
    assert_eq!(world.heard(), ["join_session physics"]);
}

#[test]
fn a_session_that_is_left_while_away_is_left_on_the_next_connection_and_then_forgotten() {
    let mut world = World::open(|_| {});
    world.send(join("maths")).unwrap();
    world.close(1006);
    world.send(leave("maths")).unwrap();
    world.advance(1_000);
    assert_eq!(world.heard(), ["join_session maths", "leave_session maths"]);
    lose_and_reopen(&mut world);
    assert!(world.heard().is_empty());
}

#[test]
fn joining_again_keeps_one_entry_at_its_place() {
    let mut world = World::open(|_| {});
    world.send(join("maths")).unwrap();
    world.send(join("physics")).unwrap();
    world.send(join("maths")).unwrap();
    lose_and_reopen(&mut world);
    assert_eq!(world.heard(), ["join_session maths", "join_session physics"]);
}

#[test]
fn matches_are_entered_again_like_sessions_and_are_not_mistaken_for_them() {
    let mut world = World::open(|_| {});
    world.send(join("1")).unwrap();
    world.send(message("join_match", json!({ "match_id": "1" }))).unwrap();
    world.send(leave("1")).unwrap();
    lose_and_reopen(&mut world);
    assert_eq!(world.heard(), ["join_match 1"]);
}

#[test]
fn sessions_survive_a_disconnect_and_an_explicit_reconnect() {
    let mut world = World::open(|_| {});
    world.send(join("maths")).unwrap();
    world.disconnect();
    world.advance(0);
    world.connect();
    world.advance(0);
    assert_eq!(world.heard(), ["join_session maths"]);
    world.reconnect();
    world.advance(0);
    assert_eq!(world.heard(), ["join_session maths"]);
}

#[test]
fn a_join_that_never_reached_the_server_is_sent_once_it_can_be() {
    let mut world = World::new(|_| {});
    world.send(join("maths")).unwrap();
    world.server.handshake = Handshake::AcceptDeaf;
    world.connect();
    world.advance(0);
    world.server.handshake = Handshake::Accept;
    world.close(1006);
    world.advance(1_000);
    assert_eq!(world.heard(), ["join_session maths"]);
    lose_and_reopen(&mut world);
    assert_eq!(world.heard(), ["join_session maths"]);
    assert!(world.dropped().is_empty());
}

#[test]
fn sessions_are_entered_before_messages_even_if_leaving_them_was_not_delivered() {
    let mut world = World::open(|_| {});
    world.send(join("maths")).unwrap();
    world.server.handshake = Handshake::AcceptDeaf;
    world.close(1006);
    world.say("still in maths");
    world.send(leave("maths")).unwrap();
    world.advance(1_000);
    assert_eq!((world.phase(), world.client.snapshot().queued), (Phase::Closing, 2));
    world.server.handshake = Handshake::Accept;
    world.close(1006);
    world.advance(5_000);
    assert_eq!(world.heard(), ["join_session maths", "note still in maths", "leave_session maths"]);
    lose_and_reopen(&mut world);
    assert!(world.heard().is_empty());
}

#[test]
fn joining_and_leaving_do_not_expire() {
    let mut world = World::new(|config| config.queue.ttl_ms = 1_000);
    world.send(join("maths")).unwrap();
    world.send(leave("physics")).unwrap();
    world.say("hello");
    world.advance(1_000);
    assert_eq!(world.dropped().len(), 1);
    assert_eq!(world.due(), None);
    world.connect();
    world.advance(0);
    assert_eq!(world.heard(), ["join_session maths", "leave_session physics"]);
}

#[test]
fn one_session_too_many_is_refused_at_the_call_until_one_is_left() {
    let mut world = World::open(|_| {});
    for number in 0..1_000 {
        world.send(join(&number.to_string())).unwrap();
    }
    assert_eq!(world.send(join("new")).unwrap_err().refusal, Refusal::TooManySessions);
    assert_eq!(world.send(join("7")).unwrap(), Sent::Now);
    world.send(leave("7")).unwrap();
    assert_eq!(world.send(join("new")).unwrap(), Sent::Now);
    lose_and_reopen(&mut world);
    assert_eq!(world.heard().len(), 1_000);
}

#[test]
fn a_join_without_a_session_is_an_ordinary_message() {
    let mut world = World::open(|_| {});
    world.send(message("join_session", json!({}))).unwrap();
    lose_and_reopen(&mut world);
    assert!(world.heard().is_empty());
}

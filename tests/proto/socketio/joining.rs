//! How a client gets into its namespace, and what comes before it is in.

use everwire::proto::socketio::MAX_EARLY_PACKETS;
use everwire::proto::{Cause, DropReason, Message, Phase, Purpose, Reason, Refusal};
use serde_json::json;

use super::world::World;

#[test]
fn a_client_is_open_when_it_is_in_its_namespace() {
    let mut world = World::new();
    world.emit(r#"["early"]"#);
    world.connect();
    assert_eq!((world.phase(), world.opened), (Phase::Open, 1));
    assert_eq!(world.server.auths, [r#"{"token":"t1"}"#]);
    world.emit(r#"["late"]"#);
    assert_eq!(world.server.received, [r#"42["early"]"#, r#"42["late"]"#]);
    world.arrive([r#"42["foo",1]"#]);
    assert_eq!(world.events, [json!(["foo", 1])]);
}

#[test]
fn a_server_that_says_nothing_is_left_when_the_attempt_has_taken_too_long() {
    let mut world = World::new();
    world.server.is_gone = true;
    world.connect();
    world.advance(10_000);
    assert_eq!(world.last_close(), (1006, &Reason::Client(Cause::ConnectTimeout)));
    assert_eq!(world.opened, 0);
}

#[test]
fn a_refused_client_asks_once_more_with_fresh_credentials() {
    let mut world = World::new();
    world.server.refusal = Some(r#"44{"message":"Not authorized","data":{"code":7}}"#.to_owned());
    world.connect();
    assert_eq!(world.last_close(), (4401, &Reason::Peer("Not authorized".to_owned())));
    assert_eq!(world.refusals, [json!({ "message": "Not authorized", "data": { "code": 7 } })]);
    world.advance(60_000);
    assert_eq!((world.phase(), world.attempts), (Phase::Fatal, 2));
    assert_eq!(world.server.auths, [r#"{"token":"t1"}"#, r#"{"token":"t2"}"#]);
    world.server.refusal = None;
    world.client.token_changed(world.at());
    world.turn();
    assert_eq!((world.phase(), world.attempts), (Phase::Open, 3));
}

#[test]
fn a_refusal_may_be_a_string_and_may_say_nothing() {
    for (refusal, words) in [(r#"44"Unable to connect""#, "Unable to connect"), ("44{}", "")] {
        let mut world = World::new();
        world.server.refusal = Some(refusal.to_owned());
        world.connect();
        assert_eq!(world.last_close(), (4401, &Reason::Peer(words.to_owned())));
    }
}

#[test]
fn a_server_of_an_old_version_is_not_tried_again() {
    let mut world = World::new();
    world.server.refusal = Some("40".to_owned());
    world.connect();
    world.advance(60_000);
    assert_eq!((world.phase(), world.attempts), (Phase::Fatal, 1));
    assert_eq!(world.codes(), ["no_session_id"]);
}

#[test]
fn what_comes_while_the_server_decides_is_delivered_after_its_answer() {
    let mut world = World::new();
    world.server.refusal = Some(r#"42["early",1]"#.to_owned());
    world.connect();
    assert_eq!((world.phase(), world.events.len()), (Phase::Connecting, 0));
    world.arrive([r#"42["early",2]"#, r#"40{"sid":"s"}"#, r#"42["late"]"#]);
    assert_eq!(world.events, [json!(["early", 1]), json!(["early", 2]), json!(["late"])]);
    assert_eq!(world.phase(), Phase::Open);
}

#[test]
fn what_comes_while_the_server_decides_is_bounded() {
    let mut world = World::new();
    world.server.refusal = Some(r#"42["early"]"#.to_owned());
    world.connect();
    world.arrive(vec![r#"42["early"]"#; MAX_EARLY_PACKETS - 1]);
    assert!(world.closes.is_empty());
    world.arrive([r#"42["early"]"#]);
    assert_eq!(world.last_close(), (1006, &Reason::Client(Cause::ProtocolViolation)));
}

#[test]
fn what_is_larger_than_the_server_takes_is_not_sent() {
    let mut world = World::new();
    let large = format!("[\"{}\"]", "x".repeat(1_000_000));
    world.emit(&large);
    world.connect();
    assert_eq!(world.dropped, [DropReason::TooLarge]);
    let message = Message::new(large.clone(), large.len() as u32, Purpose::Ordinary);
    let refused = world.client.send(message, world.at()).expect_err("the server would end the connection");
    assert!(matches!(refused.refusal, Refusal::TooLarge { max: 1_000_000, .. }));
    assert_eq!((world.phase(), world.server.received.len()), (Phase::Open, 0));
}

//! Events that ask for an acknowledgement.

use everwire::proto::socketio::{Acks, MAX_ACKS};
use everwire::proto::{Phase, Timestamp};
use serde_json::json;

use super::world::World;

#[test]
fn an_acknowledgement_answers_its_event_once() {
    let mut world = World::joined();
    world.emit(r#"["plain"]"#);
    let [first, second] = [1, 2].map(|_| world.emit_with_ack(r#"["ask"]"#, 5_000));
    let frames = [r#"42["plain"]"#.to_owned(), format!("42{first}[\"ask\"]"), format!("42{second}[\"ask\"]")];
    assert_eq!(world.server.received, frames);
    let [to_first, to_second] = [format!("43{first}[\"a\"]"), format!("43{second}[]")];
    world.arrive([to_second.as_str(), &to_first, &to_first, "43999[]", "431[]"]);
    assert_eq!(world.acknowledged, [(second, json!([])), (first, json!(["a"]))]);
    assert_eq!(world.unasked, [first, 999, 1], "doubled, unknown, and of an event that asked for none");
    world.advance(10_000);
    assert!(world.timed_out.is_empty() && world.lost.is_empty());
}

#[test]
fn an_acknowledgement_after_its_time_is_nobodys() {
    let mut world = World::joined();
    let id = world.emit_with_ack(r#"["ask"]"#, 5_000);
    world.advance(5_000);
    world.arrive([format!("43{id}[]").as_str()]);
    assert_eq!((world.timed_out, world.unasked, world.acknowledged), (vec![id], vec![id], vec![]));
}

#[test]
fn a_connection_that_ends_takes_with_it_what_it_has_not_acknowledged() {
    let mut world = World::joined();
    let sent = world.emit_with_ack(r#"["sent"]"#, 60_000);
    world.arrive(["1"]);
    assert_eq!(world.lost, [sent]);
    let waiting = world.emit_with_ack(r#"["waiting"]"#, 60_000);
    world.arrive([format!("43{waiting}[]").as_str()]);
    world.advance(10_000);
    assert_eq!(world.server.received.len(), 2, "each event is sent once");
    world.arrive([format!("43{sent}[]").as_str(), &format!("43{waiting}[]")]);
    assert_eq!((world.unasked, world.acknowledged), (vec![sent], vec![(waiting, json!([]))]));
    assert!(world.timed_out.is_empty());
}

#[test]
fn an_event_that_nobody_waits_for_any_more_is_not_sent() {
    let mut world = World::new();
    let id = world.emit_with_ack(r#"["ask"]"#, 1_000);
    world.sleep(1_000);
    world.timers();
    world.connect();
    assert_eq!((world.timed_out.as_slice(), world.phase()), (&[id][..], Phase::Open));
    assert!(world.server.received.is_empty());
}

#[test]
fn events_that_wait_for_acknowledgements_are_bounded() {
    let mut acks = Acks::default();
    for id in 1..=MAX_ACKS as u64 {
        assert!(!acks.is_full());
        acks.ask(id, Timestamp::from_millis(id));
    }
    assert!(acks.is_full());
    assert!(!acks.handle_ack(1), "no server was sent it");
    assert!(acks.forget(1) && !acks.forget(1) && !acks.is_full());
    assert_eq!((acks.poll_timeout(), acks.handle_end()), (Timestamp::from_millis(2), vec![]));
}

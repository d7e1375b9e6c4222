//! Stored events: offsets, repetitions, gaps.

use everwire::proto::{Phase, ProtocolViolation};
use serde_json::json;

use crate::memory::{event, event_after, position, welcome};
use crate::wire::Envelope;
use crate::world::World;

fn endless_gap(stream: &str, from: u64) -> (String, u64, Option<u64>) {
    (stream.to_owned(), from, None)
}

fn gap(stream: &str, from: u64, to: u64) -> (String, u64, Option<u64>) {
    (stream.to_owned(), from, Some(to))
}

#[test]
fn the_positions_reached_are_named_in_the_next_hello() {
    let mut world = World::reliable(|_| {});
    world.push(event("user", 1));
    world.push(event("user", 2));
    world.push(event("s3", 40));
    world.come_back();
    assert_eq!(world.hellos(), ["hello user=2 s3=40"]);
    assert_eq!(world.told(), ["user 1", "user 2", "s3 40"]);
    assert_eq!(world.client.positions().collect::<Vec<_>>(), [(0, 2), (3, 40)]);
}

#[test]
fn positions_in_a_welcome_are_taken_over_and_named_in_the_next_hello() {
    let mut world = World::asking(|_| {});
    world.memory = Some(crate::memory::Memory { streams: [("user", 12), ("s1", 0)].into(), ..Default::default() });
    world.connect();
    world.advance(0);
    world.come_back();
    assert_eq!((world.hellos(), world.gaps().len()), (vec!["hello user=12 s1=0"], 0));
    world.push(event("user", 13));
    assert_eq!(world.told(), ["user 13"]);
}

#[test]
fn a_repeated_event_is_counted_and_not_delivered() {
    let mut world = World::reliable(|_| {});
    for offset in [1, 2, 2, 1, 3] {
        world.push(event("user", offset));
    }
    assert_eq!(world.told(), ["user 1", "user 2", "user 3"]);
    assert_eq!(world.violations(), [ProtocolViolation::Repetition, ProtocolViolation::Repetition]);
    assert_eq!(world.phase(), Phase::Open);
}

#[test]
fn offsets_may_be_skipped_if_the_event_says_what_it_follows() {
    let mut world = World::reliable(|_| {});
    world.push(event("user", 3));
    world.push(event_after("user", 3, 9));
    world.push(event_after("user", 8, 10));
    assert_eq!(world.told(), ["user 3", "user 9", "user 10"]);
    assert_eq!((world.gaps().len(), world.protocol_errors()), (0, 0));
}

#[test]
fn after_a_missing_event_the_client_resumes_and_gets_both() {
    let mut world = World::reliable(|_| {});
    world.push(event("user", 1));
    world.push(event("user", 3));
    assert_eq!((world.phase(), world.end().as_str(), world.told().len()), (Phase::Waiting, "EventLost", 1));
    world.memory().streams = [("user", 1)].into();
    world.try_again();
    assert_eq!(world.hellos(), ["hello user=1"]);
    world.push(event("user", 2));
    world.push(event("user", 3));
    assert_eq!(world.told(), ["user 1", "user 2", "user 3"]);
    assert_eq!((world.protocol_errors(), world.gaps().len()), (0, 0));
}

#[test]
fn the_first_event_of_an_unknown_stream_is_taken_wherever_it_stands() {
    let mut world = World::reliable(|_| {});
    world.push(event("s1", 500));
    world.push(event("s1", 501));
    assert_eq!((world.told().len(), world.gaps().len(), world.protocol_errors()), (2, 0, 0));
}

#[test]
fn each_stream_has_a_position_of_its_own() {
    let mut world = World::reliable(|_| {});
    for (stream, offset) in [("s1", 7), ("s2", 7), ("s1", 8), ("s2", 8)] {
        world.push(event(stream, offset));
    }
    assert_eq!((world.told().len(), world.protocol_errors()), (4, 0));
}

#[test]
fn a_welcome_beyond_the_position_is_a_gap_and_the_events_after_it_follow() {
    let mut world = World::reliable(|_| {});
    world.push(event("user", 4));
    world.memory().streams = [("user", 9)].into();
    world.come_back();
    assert_eq!(world.gaps(), [gap("user", 5, 9)]);
    world.push(event("user", 10));
    assert_eq!((world.told(), world.protocol_errors()), (vec!["user 4".to_owned(), "user 10".to_owned()], 0));
}

#[test]
fn a_position_that_the_server_tells_later_means_the_same() {
    let mut world = World::reliable(|_| {});
    world.push(position("s1", 0));
    world.push(event("s1", 1));
    world.push(position("s1", 1));
    world.push(position("s1", 6));
    world.push(event("s1", 7));
    assert_eq!(world.gaps(), [gap("s1", 2, 6)]);
    assert_eq!((world.told(), world.protocol_errors()), (vec!["s1 1".to_owned(), "s1 7".to_owned()], 0));
}

#[test]
fn a_position_below_the_clients_own_is_a_gap_without_an_end_and_the_client_goes_on_from_there() {
    let mut world = World::reliable(|_| {});
    world.push(event("user", 4));
    world.push(position("user", 2));
    assert_eq!((world.protocol_errors(), world.gaps()), (0, vec![endless_gap("user", 5)]));
    world.push(event("user", 3));
    assert_eq!(world.told(), ["user 4", "user 3"]);
}

#[test]
fn a_welcome_below_the_position_is_a_gap_too_and_no_later_event_is_taken_for_a_repetition() {
    let mut world = World::reliable(|_| {});
    world.push(event("user", 400));
    world.memory().streams = [("user", 0)].into();
    world.come_back();
    assert_eq!(world.gaps(), [endless_gap("user", 401)]);
    for offset in 1..=150 {
        world.push(event("user", offset));
    }
    assert_eq!((world.told().len(), world.protocol_errors(), world.phase()), (151, 0, Phase::Open));
}

#[test]
fn a_stream_that_a_welcome_leaves_out_is_forgotten_and_told_as_a_gap() {
    let mut world = World::reliable(|_| {});
    world.push(event("user", 4));
    world.push(event("s1", 7));
    world.memory().uncarried = vec!["s1"];
    world.come_back();
    assert_eq!((world.gaps(), world.protocol_errors()), (vec![endless_gap("s1", 8)], 0));
    world.come_back();
    assert_eq!((world.hellos(), world.gaps().len()), (vec!["hello user=4"], 1));
    world.push(event("s1", 2));
    assert_eq!(world.told(), ["user 4", "s1 7", "s1 2"]);
}

#[test]
fn streams_that_come_and_go_never_use_up_what_a_client_can_follow() {
    let mut world = World::reliable(|_| {});
    for round in 0..3 {
        let names: Vec<&'static str> = (0..200).map(|stream| &*format!("s{}", stream + 1).leak()).collect();
        for name in &names {
            world.push(event(name, round * 10 + 1));
        }
        world.memory().uncarried = names;
        world.come_back();
        assert_eq!(world.client.positions().count(), 0);
    }
}

#[test]
fn a_first_open_handler_that_disconnects_loses_no_event() {
    let mut world = World::asking(|_| {});
    world.memory = Some(crate::memory::Memory { streams: [("user", 12)].into(), ..Default::default() });
    world.connect();
    world.advance(0);
    let position = |what: &str| world.trace.iter().rposition(|line| line.contains(what));
    assert!(position("Opened").is_some());
    world.disconnect();
    assert_eq!(world.client.positions().collect::<Vec<_>>(), [(0, 12)]);
}

#[test]
fn gaps_are_told_before_the_connection_is_used_on() {
    let mut world = World::reliable(|_| {});
    world.push(event("user", 4));
    world.memory().streams = [("user", 9)].into();
    world.come_back();
    world.push(event("user", 10));
    let position = |what: &str| world.trace.iter().rposition(|line| line.contains(what));
    assert!(position("Gap {") < position("user 10"));
}

#[test]
fn a_257th_stream_is_delivered_at_most_once() {
    let mut world = World::reliable(|_| {});
    for stream in 0..256 {
        world.push(event(&format!("s{stream}").replace("s0", "user"), 1));
    }
    assert_eq!(world.protocol_errors(), 0);
    for offset in 1..=150 {
        world.push(event("s256", offset));
        world.push(event("s300", offset));
    }
    world.push(event("s256", 150));
    world.push(position("s256", 8));
    assert_eq!((world.told().len(), world.phase()), (256 + 301, Phase::Open));
    assert_eq!((world.protocol_errors(), world.gaps().len()), (0, 0));
    assert_eq!(world.client.positions().count(), 256);
}

#[test]
fn positions_of_a_replaced_socket_are_ignored() {
    let mut world = World::reliable(|_| {});
    world.push(event("user", 4));
    let old = world.live().unwrap().id;
    world.come_back();
    world.assert_ignored(everwire::proto::Input::Position { socket: old, stream: 0, offset: 99 });
    let payload = Envelope(event("user", 5));
    world.assert_ignored(everwire::proto::Input::Frame { socket: old, payload });
    assert!(world.gaps().is_empty());
}

#[test]
fn a_stored_reply_or_receipt_moves_the_position_of_its_stream() {
    let mut world = World::reliable(|_| {});
    world.say("a");
    let mut receipt = crate::memory::receipt(1);
    (receipt["stream"], receipt["offset"]) = (json!("s1"), json!(1));
    world.push(receipt.clone());
    world.push(receipt);
    assert_eq!((world.told(), world.violations()), (vec!["receipt".to_owned()], vec![ProtocolViolation::Repetition]));
    world.come_back();
    assert_eq!(world.hellos(), ["hello s1=1"]);
}

#[test]
fn positions_in_a_welcome_that_is_not_believed_are_not_either() {
    let mut world = World::reliable(|_| {});
    world.push(event("user", 4));
    world.memory = None;
    world.server.answers_pings = false;
    world.come_back();
    world.push(welcome(7, 50, 128, json!({ "user": 9 })));
    assert_eq!((world.phase(), world.gaps().len()), (Phase::Waiting, 0));
    assert_eq!(world.client.positions().collect::<Vec<_>>(), [(0, 4)]);
}

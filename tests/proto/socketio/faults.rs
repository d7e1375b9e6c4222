//! What a server says that means nothing, or not at that moment.

use std::fs;
use std::path::Path;

use everwire::proto::socketio::UnexpectedPacket;
use everwire::proto::{Cause, Phase, Reason};

use super::world::World;

#[test]
fn a_server_of_another_protocol_is_named_and_tried_again_later() {
    for (frame, code) in [
        ("<!doctype html>", "not_engine_io"),
        (r#"{"type":"welcome"}"#, "not_engine_io"),
        ("0{}", "bad_handshake"),
        (r#"42["foo"]"#, "no_handshake"),
    ] {
        let mut world = World::new();
        world.server.is_gone = true;
        world.connect();
        world.arrive([frame]);
        assert_eq!(world.codes(), [code]);
        assert_eq!(world.last_close(), (1006, &Reason::Client(Cause::ProtocolViolation)), "{frame}");
        world.server.is_gone = false;
        world.advance(10_000);
        assert_eq!((world.phase(), world.attempts), (Phase::Open, 2), "{frame}");
    }
}

#[test]
fn what_means_nothing_is_reported_and_the_connection_stays() {
    let mut world = World::joined();
    let handshake = r#"0{"sid":"d","pingInterval":1,"pingTimeout":1}"#;
    world.arrive(["7", "5", "47", r#"42/admin,["foo"]"#, r#"40{"sid":"t"}"#, "44{}", handshake, "3", "6"]);
    let unexpected = ["foreign_namespace", "second_answer", "second_answer", "second_handshake"];
    assert_eq!(world.codes(), [&["not_engine_io", "wrong_direction", "unknown_packet"][..], &unexpected].concat());
    assert_eq!((world.phase(), world.closes.len(), world.events.len()), (Phase::Open, 0, 0));
}

#[test]
fn a_frame_that_leaves_no_doubt_ends_the_connection() {
    let mut world = World::joined();
    world.arrive(["42{}", r#"42["foo"]"#]);
    assert_eq!((world.codes(), world.events.len()), (vec!["bad_payload"], 0));
    assert_eq!(world.last_close(), (1006, &Reason::Client(Cause::ProtocolViolation)));
    world.advance(10_000);
    assert_eq!((world.phase(), world.attempts), (Phase::Open, 2));
}

#[test]
fn a_hundred_faults_are_borne_and_ten_are_told() {
    let mut world = World::joined();
    world.arrive(["7"; 100]);
    assert_eq!((world.phase(), world.reports.len()), (Phase::Open, 10));
    world.arrive(["7"]);
    assert_eq!(world.last_close(), (1006, &Reason::Client(Cause::ProtocolViolation)));
}

#[test]
fn the_document_lists_every_packet_that_can_come_at_the_wrong_moment() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/SOCKETIO.md");
    let document = fs::read_to_string(path).expect("the document is there");
    for packet in UnexpectedPacket::ALL {
        assert!(document.contains(&format!("\n| `{}` |", packet.code())), "no row for {}", packet.code());
    }
}

//! The frames of Socket.IO servers, right and wrong, and those of clients (docs/SOCKETIO.md).

use std::fs;
use std::path::Path;

use everwire::proto::wire::socketio::{
    Arguments, EnginePacket, FrameReader, Handshake, MAX_ATTACHMENT_BYTES, MAX_NAMESPACE_LENGTH,
    MAX_RECEIVED_ATTACHMENTS, Namespace, Packet, PacketFlaw, PacketKind, ack, connect, disconnect, event, pong,
};
use serde_json::{Value, json};

type Reader = FrameReader<Value>;

/// What the first text frame of a connection means.
fn read(text: &str) -> Result<Option<EnginePacket<Value>>, PacketFlaw> {
    Reader::default().read_text(&text.to_owned())
}

fn flaw(text: &str) -> Option<PacketFlaw> {
    read(text).err()
}

/// The packet in a text frame that needs no other.
fn packet(text: &str) -> Packet<Value> {
    match read(text) {
        Ok(Some(EnginePacket::Message(packet))) => packet,
        other => panic!("{text}: {other:?}"),
    }
}

/// Id, array and attachments of an event.
fn event_of(packet: Packet<Value>) -> (Option<u64>, Value, Vec<Vec<u8>>) {
    match packet.kind {
        PacketKind::Event { id, arguments: Arguments { array, attachments } } => (id, array, attachments),
        other => panic!("{other:?}"),
    }
}

fn admin() -> Namespace<String> {
    Namespace::new("/admin".to_owned()).expect("the name is right")
}

const HANDSHAKE: &str =
    r#"0{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;

#[test]
fn a_handshake_says_how_often_the_server_pings_and_how_much_it_takes() {
    let Ok(Some(EnginePacket::Open(handshake))) = read(HANDSHAKE) else { panic!("no handshake") };
    let sid = "lv_VI97HAXpY6yYWAAAC".to_owned();
    let expected = Handshake { sid, ping_interval_ms: 25_000, ping_timeout_ms: 20_000, max_payload_bytes: 1_000_000 };
    assert_eq!(handshake, expected);
}

#[test]
fn a_server_need_not_limit_frames() {
    let frame = r#"0{"sid":"a","pingInterval":1,"pingTimeout":2}"#;
    let Ok(Some(EnginePacket::Open(handshake))) = read(frame) else { panic!("no handshake") };
    assert_eq!(handshake.max_payload_bytes, u64::MAX);
}

#[test]
fn a_handshake_without_what_a_client_needs_is_none() {
    for frame in [
        "0",
        "0{}",
        "0[]",
        "0null",
        "0{\"sid\":\"a\"",
        r#"0{"pingInterval":1,"pingTimeout":2}"#,
        r#"0{"sid":1,"pingInterval":1,"pingTimeout":2}"#,
        r#"0{"sid":"a","pingInterval":0,"pingTimeout":2}"#,
        r#"0{"sid":"a","pingInterval":-1,"pingTimeout":2}"#,
        r#"0{"sid":"a","pingInterval":1.5,"pingTimeout":2}"#,
        r#"0{"sid":"a","pingInterval":1,"pingTimeout":"2"}"#,
        r#"0{"sid":"a","pingInterval":1,"pingTimeout":2,"maxPayload":0}"#,
        r#"0{"sid":"a","pingInterval":1,"pingTimeout":2,"maxPayload":null}"#,
    ] {
        assert_eq!(flaw(frame), Some(PacketFlaw::BadHandshake), "{frame}");
    }
}

#[test]
fn every_packet_of_engine_io_has_its_meaning() {
    assert!(matches!(read("1"), Ok(Some(EnginePacket::Close))));
    for ping in ["2", "2probe"] {
        assert!(matches!(read(ping), Ok(Some(EnginePacket::Ping))), "{ping}");
    }
    assert!(matches!(read("3probe"), Ok(Some(EnginePacket::Pong))));
    assert!(matches!(read("6"), Ok(Some(EnginePacket::Noop))));
    assert_eq!(flaw("5"), Some(PacketFlaw::WrongDirection));
}

#[test]
fn what_no_engine_io_server_says_is_named() {
    for frame in ["", "<!doctype html>", "7", "{\"type\":\"welcome\"}", "\u{e9}", "-1", " 4"] {
        assert_eq!(flaw(frame), Some(PacketFlaw::NotEngineIo), "{frame}");
    }
}

#[test]
fn a_namespace_is_joined_with_a_session() {
    let Packet { namespace, kind } = packet(r#"40{"sid":"wZX3oN0bSVIhsaknAAAI"}"#);
    assert_eq!(namespace, Namespace::MAIN);
    assert!(matches!(&kind, PacketKind::Connect { sid, pid: None } if sid == "wZX3oN0bSVIhsaknAAAI"), "{kind:?}");
    let Packet { namespace, kind } = packet(r#"40/admin,{"sid":"a","pid":"b"}"#);
    assert_eq!(namespace, admin());
    assert!(matches!(&kind, PacketKind::Connect { pid: Some(pid), .. } if pid == "b"), "{kind:?}");
}

#[test]
fn a_namespace_that_is_joined_without_a_session_is_that_of_an_old_server() {
    for frame in ["40", "40/admin", "40/admin,", "40{}", r#"40{"sid":5}"#] {
        assert_eq!(flaw(frame), Some(PacketFlaw::NoSessionId), "{frame}");
    }
}

#[test]
fn a_refusal_has_a_reason() {
    let Packet { namespace, kind } = packet(r#"44/admin,{"message":"Not authorized","data":{"code":7}}"#);
    assert_eq!(namespace, admin());
    let PacketKind::ConnectError { reason } = kind else { panic!("{kind:?}") };
    assert_eq!(reason, json!({ "message": "Not authorized", "data": { "code": 7 } }));
    assert!(matches!(packet(r#"44"no""#).kind, PacketKind::ConnectError { .. }));
    assert_eq!(flaw("44"), Some(PacketFlaw::PayloadMissing));
    assert_eq!(flaw("44[]"), Some(PacketFlaw::BadPayload));
}

#[test]
fn a_server_ends_a_session_without_a_word() {
    assert!(matches!(packet("41").kind, PacketKind::Disconnect));
    for frame in ["41/admin,", "41/admin"] {
        let Packet { namespace, kind } = packet(frame);
        assert!(namespace == admin() && matches!(kind, PacketKind::Disconnect), "{frame}: {kind:?}");
    }
    assert_eq!(flaw("41{}"), Some(PacketFlaw::BadPayload));
}

#[test]
fn an_event_has_any_number_of_arguments_and_may_ask_for_an_acknowledgement() {
    for (frame, is_admin, id, array) in [
        (r#"42["foo"]"#, false, None, json!(["foo"])),
        (r#"42/admin,["bar",1,null,{"a":[]}]"#, true, None, json!(["bar", 1, null, { "a": [] }])),
        (r#"4212["foo"]"#, false, Some(12), json!(["foo"])),
        (r#"42/admin,13["foo"]"#, true, Some(13), json!(["foo"])),
        (r#"42/,0["foo"]"#, false, Some(0), json!(["foo"])),
        (r#"429007199254740991[5]"#, false, Some(9_007_199_254_740_991), json!([5])),
    ] {
        let packet = packet(frame);
        assert_eq!(packet.namespace == admin(), is_admin, "{frame}");
        assert_eq!(event_of(packet), (id, array, vec![]), "{frame}");
    }
}

#[test]
fn an_acknowledgement_says_of_what() {
    let Packet { namespace, kind } = packet(r#"43/admin,13["bar"]"#);
    assert_eq!(namespace, admin());
    let PacketKind::Ack { id: 13, arguments } = kind else { panic!("{kind:?}") };
    assert_eq!(arguments.array, json!(["bar"]));
    assert!(matches!(packet("430[]").kind, PacketKind::Ack { id: 0, .. }));
    assert_eq!(flaw("43[]"), Some(PacketFlaw::IdMissing));
}

#[test]
fn an_id_is_a_number_that_javascript_can_hold() {
    assert_eq!(flaw(r#"42-1["foo"]"#), Some(PacketFlaw::NegativeId));
    assert_eq!(flaw("43-1[]"), Some(PacketFlaw::NegativeId));
    for id in ["9007199254740992", "18446744073709551616", &"9".repeat(100_000)] {
        assert_eq!(flaw(&format!("43{id}[]")), Some(PacketFlaw::IdTooLarge));
    }
}

#[test]
fn an_unknown_packet_is_named() {
    for frame in ["4", "47[]", "4x", "4-1", "4[\"foo\"]", "4\u{e9}"] {
        assert_eq!(flaw(frame), Some(PacketFlaw::UnknownPacket), "{frame}");
    }
}

#[test]
fn a_truncated_or_ill_formed_payload_is_named() {
    for frame in ["42", "42/admin,", "42/admin", "4212", "435"] {
        assert_eq!(flaw(frame), Some(PacketFlaw::PayloadMissing), "{frame}");
    }
    for frame in ["42[\"foo\"", "42[\"foo\"]x", "42foo", "421.5[\"foo\"]", "40{", "42\u{e9}"] {
        assert_eq!(flaw(frame), Some(PacketFlaw::PayloadNotJson), "{frame}");
    }
    for frame in ["42[]", "42{}", "42\"foo\"", "42[null]", "42[{}]", "42[[\"foo\"]]", "433{}", "433null", "40[]"] {
        assert_eq!(flaw(frame), Some(PacketFlaw::BadPayload), "{frame}");
    }
}

#[test]
fn deep_json_is_refused_or_read_but_never_a_crash() {
    let deep = format!("42[\"foo\",{}{}]", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(flaw(&deep), Some(PacketFlaw::PayloadNotJson));
}

#[test]
fn a_server_cannot_fake_an_event_of_the_client() {
    for name in ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"] {
        assert_eq!(flaw(&format!("42[\"{name}\"]")), Some(PacketFlaw::ReservedEvent), "{name}");
    }
}

#[test]
fn the_name_of_a_namespace_is_bounded() {
    let name = |length: usize| format!("/{}", "n".repeat(length - 1));
    let longest = name(MAX_NAMESPACE_LENGTH);
    assert_eq!(packet(&format!("42{longest},[\"foo\"]")).namespace.name(), Some(&longest));
    for length in [MAX_NAMESPACE_LENGTH + 1, 1_000_000] {
        assert_eq!(flaw(&format!("42{},[\"foo\"]", name(length))), Some(PacketFlaw::BadNamespace));
    }
    for name in ["admin", "", "/a,b"] {
        assert_eq!(Namespace::new(name.to_owned()), Err(PacketFlaw::BadNamespace), "{name}");
    }
    assert_eq!(Namespace::new("/".to_owned()), Ok(Namespace::MAIN));
    assert!(Namespace::new("/caf\u{e9}".to_owned()).is_ok());
}

#[test]
fn attachments_follow_their_packet_in_order() {
    let mut reader = Reader::default();
    let header = r#"452-/admin,7["baz",{"_placeholder":true,"num":1},{"a":{"_placeholder":true,"num":0}}]"#;
    assert!(matches!(reader.read_text(&header.to_owned()), Ok(None)));
    assert!(matches!(reader.read_binary(vec![1, 2]), Ok(None)));
    // The heartbeat is another layer's.
    assert!(matches!(reader.read_text(&"2".to_owned()), Ok(Some(EnginePacket::Ping))));
    let Ok(Some(EnginePacket::Message(packet))) = reader.read_binary(vec![]) else { panic!("incomplete") };
    assert_eq!(packet.namespace, admin());
    let (id, array, attachments) = event_of(packet);
    assert_eq!((id, array[0].as_str(), attachments), (Some(7), Some("baz"), vec![vec![1, 2], vec![]]));
    assert_eq!(reader.read_binary(vec![3]).err(), Some(PacketFlaw::UnexpectedBinary));
}

#[test]
fn an_acknowledgement_may_have_attachments() {
    let mut reader = Reader::default();
    let header = r#"461-15["bar",{"_placeholder":true,"num":0}]"#;
    assert!(matches!(reader.read_text(&header.to_owned()), Ok(None)));
    let Ok(Some(EnginePacket::Message(packet))) = reader.read_binary(vec![1]) else { panic!("incomplete") };
    let PacketKind::Ack { id: 15, arguments } = packet.kind else { panic!("{packet:?}") };
    assert_eq!(arguments.attachments, [[1]]);
}

#[test]
fn a_packet_in_place_of_an_attachment_loses_both() {
    let mut reader = Reader::default();
    assert!(matches!(reader.read_text(&r#"451-["a"]"#.to_owned()), Ok(None)));
    assert_eq!(reader.read_text(&r#"42["b"]"#.to_owned()).err(), Some(PacketFlaw::AttachmentMissing));
    assert_eq!(reader.read_binary(vec![1]).err(), Some(PacketFlaw::UnexpectedBinary));
    assert!(matches!(reader.read_text(&r#"42["c"]"#.to_owned()), Ok(Some(EnginePacket::Message(_)))));
}

#[test]
fn the_number_of_attachments_is_a_number_within_bounds() {
    for frame in ["45", "45-[\"a\"]", "450-[\"a\"]", "451[\"a\"]", "45x-[\"a\"]", "45-1-[\"a\"]", "451"] {
        assert_eq!(flaw(frame), Some(PacketFlaw::BadAttachmentCount), "{frame}");
    }
    assert!(matches!(read(&format!("45{MAX_RECEIVED_ATTACHMENTS}-[\"a\"]")), Ok(None)));
    for count in [u64::from(MAX_RECEIVED_ATTACHMENTS) + 1, u64::MAX] {
        assert_eq!(flaw(&format!("45{count}-[\"a\"]")), Some(PacketFlaw::TooManyAttachments));
    }
}

#[test]
fn a_placeholder_stands_for_an_attachment_that_exists() {
    for number in ["1", "-1", "0.5", "\"0\"", "null", "{}"] {
        let frame = format!(r#"451-["a",[{{"b":{{"_placeholder":true,"num":{number}}}}}]]"#);
        assert_eq!(flaw(&frame), Some(PacketFlaw::BadPlaceholder), "{frame}");
    }
    assert_eq!(flaw(r#"451-["a",{"_placeholder":true}]"#), Some(PacketFlaw::BadPlaceholder));
    // Only `true` makes one, as the reference parser has it, and only in binary packets.
    assert!(matches!(read(r#"451-["a",{"_placeholder":1,"num":9}]"#), Ok(None)));
    assert!(matches!(read(r#"42["a",{"_placeholder":true,"num":9}]"#), Ok(Some(_))));
}

#[test]
fn attachments_are_bounded_together() {
    let mut reader = Reader::default();
    assert!(matches!(reader.read_text(&r#"452-["a"]"#.to_owned()), Ok(None)));
    assert!(matches!(reader.read_binary(vec![0; MAX_ATTACHMENT_BYTES as usize]), Ok(None)));
    assert_eq!(reader.read_binary(vec![0]).err(), Some(PacketFlaw::AttachmentsTooLarge));
    assert_eq!(reader.read_binary(vec![0]).err(), Some(PacketFlaw::UnexpectedBinary));
}

#[test]
fn a_client_writes_what_the_protocol_has_as_examples() {
    let main = Namespace::MAIN;
    let text = |text: &str| text.to_owned();
    assert_eq!(pong::<String>(), "3");
    assert_eq!(connect(&main, None::<&String>), "40");
    assert_eq!(connect(&admin(), None), "40/admin,");
    assert_eq!(connect(&main, Some(&text(r#"{"token":"123"}"#))), r#"40{"token":"123"}"#);
    assert_eq!(connect(&admin(), Some(&text(r#"{"token":"123"}"#))), r#"40/admin,{"token":"123"}"#);
    assert_eq!(disconnect::<String>(&main), "41");
    assert_eq!(disconnect(&admin()), "41/admin,");
    assert_eq!(event(&main, None, &text(r#"["foo"]"#), 0), r#"42["foo"]"#);
    assert_eq!(event(&main, Some(12), &text(r#"["foo"]"#), 0), r#"4212["foo"]"#);
    assert_eq!(event(&admin(), Some(130), &text(r#"["foo"]"#), 0), r#"42/admin,130["foo"]"#);
    assert_eq!(ack(&main, 0, &text("[]"), 0), "430[]");
    assert_eq!(ack(&admin(), 13, &text(r#"["bar"]"#), 0), r#"43/admin,13["bar"]"#);
    let array = r#"["baz",{"_placeholder":true,"num":0}]"#;
    assert_eq!(event(&main, None, &text(array), 1), format!("451-{array}"));
    assert_eq!(event(&admin(), Some(14), &text(array), 10), format!("4510-/admin,14{array}"));
    assert_eq!(ack(&main, 15, &text(array), 1), format!("461-15{array}"));
}

#[test]
fn the_document_lists_every_flaw_with_what_becomes_of_the_connection() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/SOCKETIO.md");
    let document = fs::read_to_string(path).expect("the document is there");
    for flaw in PacketFlaw::ALL {
        let start = format!("| `{}` |", flaw.code());
        let row = document.lines().find(|line| line.starts_with(&start));
        let row = row.unwrap_or_else(|| panic!("no row for {}", flaw.code()));
        let verdict = if flaw.ends_connection() { "| left |" } else { "| stays |" };
        assert!(row.ends_with(verdict), "{row}");
    }
}

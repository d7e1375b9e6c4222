//! A connection's frames as the shipped reader puts them together and the shipped driver obeys them, and packets as the shipped writer writes them.

use everwire::proto::wire::socketio::{
    Arguments, EnginePacket, FrameReader, Handshake, MAX_NAMESPACE_LENGTH, MAX_RECEIVED_ATTACHMENTS, Namespace, Packet,
    PacketFlaw, PacketKind, RESERVED_EVENTS, ack, connect, disconnect, event,
};
use serde_json::{Value, json};

use crate::socketio_page;

/// Reads one frame per line, binary where the line begins with `b`, and writes what it means, and plays the lines to a client; panics when something does not hold.
pub fn check(frames: &str) {
    // With the feature `raw_value`, which another target needs, this member has a meaning of its own to `serde_json`.
    if frames.contains("$serde_json") {
        return;
    }
    let mut reader = FrameReader::default();
    for frame in frames.split('\n') {
        match read(&mut reader, frame) {
            Ok(Some(packet)) => check_packet(&packet),
            Ok(None) => {}
            Err(flaw) => assert!(PacketFlaw::ALL.contains(&flaw)),
        }
    }
    socketio_page::play(frames);
    let name = Namespace::new(frames.to_owned());
    if let Ok(namespace) = name {
        check_written_anew(&Packet { namespace, kind: PacketKind::Disconnect });
    }
}

fn read(reader: &mut FrameReader<Value>, frame: &str) -> Result<Option<EnginePacket<Value>>, PacketFlaw> {
    match frame.strip_prefix('b') {
        Some(bytes) => reader.read_binary(bytes.as_bytes().to_vec()),
        None => reader.read_text(&frame.to_owned()),
    }
}

fn check_packet(packet: &EnginePacket<Value>) {
    match packet {
        EnginePacket::Open(Handshake { ping_interval_ms, ping_timeout_ms, max_payload_bytes, .. }) => {
            assert!([ping_interval_ms, ping_timeout_ms].into_iter().all(|number| (1..=LARGEST).contains(number)));
            assert!((1..=LARGEST).contains(max_payload_bytes) || *max_payload_bytes == u64::MAX);
        }
        EnginePacket::Close | EnginePacket::Ping | EnginePacket::Pong | EnginePacket::Noop => {}
        EnginePacket::Message(packet) => {
            check_ranges(packet);
            check_written_anew(packet);
        }
    }
}

fn check_ranges(Packet { namespace, kind }: &Packet<Value>) {
    let is_named = |name: &String| name.len() > 1 && name.len() <= MAX_NAMESPACE_LENGTH && name.starts_with('/');
    assert!(namespace.name().is_none_or(|name| is_named(name) && !name.contains(',')));
    match kind {
        PacketKind::Event { id, arguments } => {
            assert!(id.is_none_or(|id| id <= LARGEST));
            let name = &arguments.array[0];
            assert!(name.is_number() || name.as_str().is_some_and(|name| !RESERVED_EVENTS.contains(&name)));
            assert!(arguments.attachments.len() <= MAX_RECEIVED_ATTACHMENTS as usize);
        }
        PacketKind::Ack { id, arguments } => {
            assert!(*id <= LARGEST && arguments.array.is_array());
            assert!(arguments.attachments.len() <= MAX_RECEIVED_ATTACHMENTS as usize);
        }
        PacketKind::ConnectError { reason } => assert!(reason.is_object() || reason.is_string()),
        PacketKind::Connect { .. } | PacketKind::Disconnect => {}
    }
}

/// What was read is read again from the frames that the shipped writer makes of it.
fn check_written_anew(packet: &Packet<Value>) {
    let Packet { namespace, kind } = packet;
    let none = Vec::new();
    let (frame, attachments) = match kind {
        PacketKind::Connect { sid, pid } => {
            let session = pid.as_ref().map_or(json!({ "sid": sid }), |pid| json!({ "sid": sid, "pid": pid }));
            (connect(namespace, Some(&session.to_string())), &none)
        }
        PacketKind::ConnectError { reason } => {
            let mut frame = connect(namespace, Some(&reason.to_string()));
            frame.replace_range(1..2, "4");
            (frame, &none)
        }
        PacketKind::Disconnect => (disconnect(namespace), &none),
        PacketKind::Event { id, arguments: Arguments { array, attachments } } => {
            (event(namespace, *id, &array.to_string(), attachments.len() as u32), attachments)
        }
        PacketKind::Ack { id, arguments: Arguments { array, attachments } } => {
            (ack(namespace, *id, &array.to_string(), attachments.len() as u32), attachments)
        }
    };
    let mut reader = FrameReader::<Value>::default();
    let mut again = reader.read_text(&frame);
    for attachment in attachments {
        assert!(matches!(again, Ok(None)), "{frame}");
        again = reader.read_binary(attachment.clone());
    }
    let Ok(Some(EnginePacket::Message(again))) = again else { panic!("{frame}: {again:?}") };
    assert_eq!(format!("{again:?}"), format!("{packet:?}"), "{frame}");
}

/// docs/SOCKETIO.md: the largest number.
const LARGEST: u64 = (1 << 53) - 1;

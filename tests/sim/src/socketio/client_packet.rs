//! What a client says, as strictly as a server can read it.

use serde_json::Value;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PacketKind {
    Pong,
    Connect,
    Disconnect,
    Event,
    Ack,
}

#[derive(Clone, Debug)]
pub struct ClientPacket {
    pub kind: PacketKind,
    pub attachments: u32,
    pub namespace: String,
    pub id: Option<u64>,
    pub payload: Option<Value>,
}

/// Reads a text frame; says why a server would not.
pub fn read(text: &str) -> Result<ClientPacket, &'static str> {
    if text == "3" {
        let namespace = String::new();
        return Ok(ClientPacket { kind: PacketKind::Pong, attachments: 0, namespace, id: None, payload: None });
    }
    let rest = text.strip_prefix('4').ok_or("no packet that clients send")?;
    let mut rest = rest.char_indices();
    let kind = rest.next().map(|(_, kind)| kind);
    let mut rest = rest.as_str();
    let (kind, is_binary) = match kind {
        Some('0') => (PacketKind::Connect, false),
        Some('1') => (PacketKind::Disconnect, false),
        Some('2') => (PacketKind::Event, false),
        Some('3') => (PacketKind::Ack, false),
        Some('5') => (PacketKind::Event, true),
        Some('6') => (PacketKind::Ack, true),
        _ => return Err("no packet of Socket.IO"),
    };
    let mut attachments = 0;
    if is_binary {
        let (count, behind) = rest.split_once('-').ok_or("no count of attachments")?;
        attachments = count.parse().map_err(|_| "no count of attachments")?;
        rest = behind;
    }
    let mut namespace = "/".to_owned();
    if rest.starts_with('/') {
        let (name, behind) = rest.split_once(',').ok_or("no comma behind the namespace")?;
        namespace = name.to_owned();
        rest = behind;
    }
    let digits = rest.len() - rest.trim_start_matches(|unit: char| unit.is_ascii_digit()).len();
    let id = match digits {
        0 => None,
        _ => Some(rest[..digits].parse().map_err(|_| "no id")?),
    };
    rest = &rest[digits..];
    let payload = match rest {
        "" => None,
        _ => Some(serde_json::from_str(rest).map_err(|_| "no JSON")?),
    };
    let is_right = match (&kind, &payload) {
        (PacketKind::Connect, None | Some(Value::Object(_))) => id.is_none(),
        (PacketKind::Disconnect, None) => id.is_none(),
        (PacketKind::Event, Some(Value::Array(elements))) => elements.first().is_some_and(Value::is_string),
        (PacketKind::Ack, Some(Value::Array(_))) => id.is_some(),
        _ => false,
    };
    if is_right { Ok(ClientPacket { kind, attachments, namespace, id, payload }) } else { Err("the wrong payload") }
}

#[cfg(test)]
mod tests {
    use super::{PacketKind, read};

    #[test]
    fn what_the_shipped_writer_writes_is_read_and_nothing_else() {
        let packet = read(r#"452-/admin,17["e",1]"#).unwrap();
        assert_eq!((packet.kind, packet.attachments, packet.id), (PacketKind::Event, 2, Some(17)));
        assert_eq!(packet.namespace, "/admin");
        assert!(read("3").is_ok() && read("40").is_ok() && read("41/admin,").is_ok());
        for wrong in ["", "2", "44", "42", "42{}", "42[1]", "40[]", "43[]", "45[\"e\"]", "41/admin"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}

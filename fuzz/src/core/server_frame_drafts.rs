//! What a server says, as JSON: mostly well-formed, and in any field something else now and then.

use arbitrary::Arbitrary;
use everwire::proto::SocketId;
use everwire_kit::{CLIENT_ID, Json};
use serde_json::{Map, json};

use super::fuzzed_run::{Run, beside};
use super::script::Number;

/// One frame of a server.
#[derive(Arbitrary, Clone, Debug)]
pub(super) struct FrameDraft {
    word: Word,
    place: Option<Place>,
    /// Whose doing the event is: mostly nobody's.
    client_id: u8,
    /// What `data` is if it is no object; mostly it is one.
    data: Defect,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Word {
    Event,
    Pong,
    Welcome {
        epoch: Epoch,
        last: Count,
        window: Count,
        max_bytes: Option<Count>,
        remember_ms: Option<Count>,
        listed: Listed,
    },
    WelcomeOfAnotherVersion(Count),
    HelloRefused,
    Ack(Count),
    /// The latest acknowledgement once more.
    AckAgain,
    Refused(Count),
    Reply(Count),
    Receipt(Count, u8),
    Position(u16, Count),
}

/// Where an event says that it stands.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Place {
    stream: u16,
    offset: Count,
    prev: Option<Count>,
}

/// A number, or what a broken server writes in its place.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Count {
    number: Number,
    defect: Defect,
}

/// Whether something is wrong with a field, and what.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) struct Defect(u8);

/// The positions in a welcome.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Listed {
    None,
    /// Those of the client, each so much further or less far; every so many of them are left out.
    Own {
        further: i8,
        left_out: u8,
    },
    /// So many streams, all at the same position.
    Many {
        streams: u16,
        offset: u8,
    },
    /// No object of counts.
    Broken(Defect),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Epoch {
    Same,
    Next,
    Any(Count),
}

impl Defect {
    /// What stands in the field instead of what is right; `Some(None)` leaves the field out.
    fn instead(self) -> Option<Option<Json>> {
        let Self(kind) = self;
        let kinds = [
            json!(1.5),
            json!(-1),
            json!(1_u64 << 53),
            json!(1e300),
            json!("1"),
            json!(null),
            json!(true),
            json!([1]),
            json!({ "seq": 1 }),
            json!(2.0),
            json!(""),
        ];
        let index = usize::from(kind.checked_sub(RIGHT)?);
        Some(kinds.get(index).cloned())
    }
}

impl Run {
    /// The text of a frame for this socket.
    pub fn frame(&self, socket: SocketId, draft: &FrameDraft) -> String {
        let FrameDraft { word, place, client_id, data: defect } = draft;
        let (name, data) = self.said(socket, *word);
        let mut frame = Map::new();
        frame.insert("type".into(), name.into());
        put(&mut frame, "data", defect.instead().unwrap_or(Some(data.into())));
        if let Some(Place { stream, offset, prev }) = place {
            frame.insert("stream".into(), stream_name(*stream));
            put(&mut frame, "offset", self.count(*offset));
            put(&mut frame, "prev", prev.and_then(|prev| self.count(prev)));
        }
        match client_id {
            0..0xe0 => {}
            0xe0..0xf0 => _ = frame.insert("client_id".into(), CLIENT_ID.into()),
            _ => _ = frame.insert("client_id".into(), "another-client-id".into()),
        }
        Json::from(frame).to_string()
    }

    fn said(&self, socket: SocketId, word: Word) -> (&'static str, Map<String, Json>) {
        let mut data = Map::new();
        let name = match word {
            Word::Event => "notification",
            Word::Pong => "pong",
            Word::Welcome { epoch, last, window, max_bytes, remember_ms, listed } => {
                data.insert("version".into(), 1.into());
                put(&mut data, "epoch", self.epoch(epoch));
                put(&mut data, "last", self.count(last));
                put(&mut data, "window", self.count(window));
                put(&mut data, "max_bytes", max_bytes.and_then(|count| self.count(count)));
                put(&mut data, "remember_ms", remember_ms.and_then(|count| self.count(count)));
                data.insert("streams".into(), self.listed(listed));
                "welcome"
            }
            Word::WelcomeOfAnotherVersion(version) => {
                put(&mut data, "version", self.count(version));
                data.extend([("epoch".into(), 1.into()), ("last".into(), 0.into())]);
                "welcome"
            }
            Word::HelloRefused => {
                data.insert("about".into(), "hello".into());
                "error"
            }
            Word::Ack(seq) => self.numbered("ack", &mut data, seq),
            Word::AckAgain => {
                let socket = self.harness.sockets.iter().find(|known| known.id == socket);
                data.insert("seq".into(), socket.map_or(0, |socket| socket.acked).into());
                "ack"
            }
            Word::Refused(seq) => self.numbered("error", &mut data, seq),
            Word::Reply(seq) => self.numbered("reply", &mut data, seq),
            Word::Receipt(seq, status) => {
                let status = ["delivered", "read", "lost"].get(usize::from(status / 100)).copied();
                data.insert("status".into(), status.into());
                self.numbered("receipt", &mut data, seq)
            }
            Word::Position(stream, offset) => {
                data.insert("stream".into(), stream_name(stream));
                put(&mut data, "offset", self.count(offset));
                "stream"
            }
        };
        (name, data)
    }

    fn numbered(&self, name: &'static str, data: &mut Map<String, Json>, seq: Count) -> &'static str {
        put(data, "seq", self.count(seq));
        name
    }

    fn count(&self, count: Count) -> Option<Json> {
        count.defect.instead().unwrap_or_else(|| Some(self.number(count.number).into()))
    }

    fn epoch(&self, epoch: Epoch) -> Option<Json> {
        match epoch {
            Epoch::Same => Some(self.harness.epoch.into()),
            Epoch::Next => Some(self.harness.epoch.saturating_add(1).into()),
            Epoch::Any(count) => self.count(count),
        }
    }

    pub fn listed(&self, listed: Listed) -> Json {
        let streams: Map<String, Json> = match listed {
            Listed::None => Map::new(),
            Listed::Own { further, left_out } => {
                let is_listed = |index: usize| left_out == 0 || !index.is_multiple_of(usize::from(left_out));
                let moved = |at: u64| at.saturating_add_signed(beside(further));
                let own = self.harness.client().positions().enumerate().filter(|(index, _)| is_listed(*index));
                own.map(|(_, (name, at))| (name.clone(), moved(at).into())).collect()
            }
            Listed::Many { streams, offset } => {
                // Many cost much time, and lead to nothing that few do not, but at the bound.
                let most = if streams < 0xf000 { 8 } else { 300 };
                (0..streams % most).map(|stream| (format!("s{stream}"), offset.into())).collect()
            }
            Listed::Broken(Defect(kind)) => {
                let broken = Defect(RIGHT.saturating_add(kind % 16)).instead().flatten();
                return if kind < 0x80 { json!({ "user": broken }) } else { broken.unwrap_or(json!([])) };
            }
        };
        streams.into()
    }
}

fn put(map: &mut Map<String, Json>, field: &str, value: Option<Json>) {
    map.extend(value.map(|value| (field.to_owned(), value)));
}

/// Mostly one of a few, sometimes more than there can be, and sometimes none that can be followed.
fn stream_name(stream: u16) -> Json {
    match stream {
        0..0x3000 => "user".into(),
        0x3000..0x6000 => "s1".into(),
        0x6000..0x8000 => format!("client:{CLIENT_ID}").into(),
        0x8000..0xc000 => "client:another-client-id".into(),
        0xc000..0xf000 => format!("s{}", stream % 300).into(),
        0xf000..0xf800 => "x".repeat(usize::from(stream % 2) + 128).into(),
        0xf800..0xfc00 => "".into(),
        _ => Defect(RIGHT.saturating_add((stream % 10) as u8)).instead().flatten().into(),
    }
}

/// Up to here nothing is wrong with a field.
const RIGHT: u8 = 0xf3;

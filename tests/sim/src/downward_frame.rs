//! What a server says: what it means by a frame, and the envelope that travels.

use serde_json::{Value, json};

use crate::server_envelope::{self, Welcome};

/// The name of a stream of stored events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stream {
    /// What concerns one user.
    User(u32),
    /// Replies and receipts of one client id.
    Sender(u32),
    /// What is said in one room.
    Room(u32),
}

impl Stream {
    pub fn name(self) -> String {
        match self {
            Self::User(user) => ["user:", &user.to_string()].concat(),
            Self::Sender(sender) => ["client:", &client_id(sender)].concat(),
            Self::Room(room) => ["room:", &room.to_string()].concat(),
        }
    }

    /// The stream of this name, if the simulation has one.
    pub fn parse(name: &str) -> Option<Self> {
        let (kind, rest) = name.split_once(':')?;
        match kind {
            "user" => Some(Self::User(rest.parse().ok()?)),
            "client" => Some(Self::Sender(sender_of(rest)?)),
            "room" => Some(Self::Room(rest.parse().ok()?)),
            _ => None,
        }
    }
}

/// The client id of a page.
pub fn client_id(sender: u32) -> String {
    let number = sender.to_string();
    [CLIENT_ID, &"0".repeat(12 - number.len()), &number].concat()
}

/// The page that has this client id.
pub fn sender_of(client_id: &str) -> Option<u32> {
    client_id.strip_prefix(CLIENT_ID)?.parse().ok()
}

/// Names of streams that a client must not keep a position for.
pub fn bad_names() -> impl Iterator<Item = String> {
    [String::new(), "x".repeat(129), "ä".repeat(65), Stream::Sender(NOBODY).name()].into_iter()
}

/// A client id that no page has.
pub const NOBODY: u32 = 999_999;
const CLIENT_ID: &str = "page-";

/// A place in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    pub stream: Stream,
    pub offset: u64,
    /// How many events the stream has had up to here, also before it was forgotten: what only the one who judges knows.
    pub index: usize,
}

/// What a server tells of itself; `u64::MAX` where it says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub max_bytes: u64,
    pub remember_ms: u64,
}

/// A frame from the server.
#[derive(Clone, Debug)]
pub struct Down {
    pub kind: Kind,
    /// Where the event is stored, and the offset before it.
    pub place: Option<(Position, u64)>,
    pub claim: Claim,
}

/// What a client has to make of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It is true.
    True,
    /// It is not, which the client can tell: it counts a violation and changes nothing else.
    False,
    /// It says nothing that concerns this client: it changes nothing and is no violation.
    Irrelevant,
}

#[derive(Clone, Debug)]
pub enum Kind {
    Welcome {
        epoch: u64,
        last: u64,
        window: u32,
        streams: Vec<Position>,
        limits: Limits,
        /// Whether it names streams that no client may follow, and a field that no client knows.
        is_odd: bool,
    },
    Pong,
    Ack {
        seq: u64,
    },
    /// From which position on this connection carries a stream.
    Begin(Position),
    Reply {
        seq: u64,
    },
    Receipt {
        seq: u64,
        read: bool,
    },
    Refused {
        seq: u64,
    },
    /// An error that is about no numbered message.
    Error,
    /// The answer of a server that does not know the reliable mode.
    HelloUnknown,
    /// An event, and the page and the message that have caused it if the server says so.
    Event {
        cause: Option<(u32, Option<u64>)>,
    },
    /// An event of the conversation.
    Chat(&'static str, Value),
    /// What no server of the protocol says, and what it can be mistaken for.
    Raw(Value),
    /// A text that is no envelope.
    Text(&'static str),
}

impl Kind {
    pub const EVENT: Self = Self::Event { cause: None };
}

impl Down {
    pub const fn plain(kind: Kind) -> Self {
        Self { kind, place: None, claim: Claim::True }
    }

    pub const fn stored(kind: Kind, position: Position, prev: u64) -> Self {
        Self { kind, place: Some((position, prev)), claim: Claim::True }
    }

    pub const fn untrue(kind: Kind) -> Self {
        Self { kind, place: None, claim: Claim::False }
    }

    pub const fn irrelevant(kind: Kind) -> Self {
        Self { kind, place: None, claim: Claim::Irrelevant }
    }

    /// Whether it tells the devices of a user what this page has done itself.
    pub const fn is_own(&self, page: usize) -> bool {
        matches!(self.kind, Kind::Event { cause: Some((sender, _)) } if sender as usize == page) && self.place.is_some()
    }

    /// Whether it answers a message.
    pub const fn is_answer(&self) -> bool {
        matches!(self.kind, Kind::Refused { .. } | Kind::Reply { .. } | Kind::Receipt { .. })
    }

    /// The envelope that travels, or the text that is none.
    pub fn envelope(&self) -> Result<Value, &'static str> {
        let bare = match &self.kind {
            Kind::Welcome { epoch, last, window, streams, limits, is_odd } => {
                let mut streams: Vec<_> = streams.iter().map(|at| (at.stream.name(), at.offset)).collect();
                if *is_odd {
                    streams.extend(bad_names().map(|name| (name, 5)));
                }
                let Limits { max_bytes, remember_ms } = *limits;
                let welcome = Welcome { epoch: *epoch, last: *last, window: *window, max_bytes, remember_ms, streams };
                let mut welcome = server_envelope::welcome(welcome);
                if *is_odd {
                    server_envelope::insert(&mut welcome["data"], "features", json!({"window": ["wide"]}));
                }
                welcome
            }
            Kind::Pong => server_envelope::pong(),
            Kind::Ack { seq } => server_envelope::ack(*seq),
            Kind::Begin(position) => server_envelope::position(&position.stream.name(), position.offset),
            Kind::Reply { seq } => server_envelope::reply(*seq, json!({"of": seq})),
            Kind::Receipt { seq, read } => server_envelope::receipt(*seq, if *read { "read" } else { "delivered" }),
            Kind::Refused { seq } => server_envelope::error("not_joined", "message_sent", Some(*seq)),
            Kind::Error => server_envelope::error("rate_limited", "message_sent", None),
            Kind::HelloUnknown => server_envelope::error("unknown_type", "hello", None),
            Kind::Event { .. } => server_envelope::envelope("notification", json!({})),
            Kind::Chat(event, data) => server_envelope::envelope(event, data.clone()),
            Kind::Raw(value) => value.clone(),
            Kind::Text(text) => return Err(text),
        };
        let Some((position, prev)) = self.place else { return Ok(bare) };
        let stored = server_envelope::stored(bare, &position.stream.name(), position.offset, prev);
        Ok(match self.kind {
            Kind::Event { cause: Some((sender, seq)) } => server_envelope::caused_by(stored, &client_id(sender), seq),
            _ => stored,
        })
    }

    /// Its size on the connection, roughly.
    pub fn bytes(&self) -> u32 {
        let data = match &self.kind {
            Kind::Welcome { streams, .. } => 90 + 25 * streams.len() as u32,
            Kind::Event { .. } => 120,
            Kind::Chat(..) => 180,
            Kind::Reply { .. } => 70,
            _ => 40,
        };
        data + if self.place.is_some() { 45 } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::{Stream, client_id, sender_of};

    #[test]
    fn names_lead_back_to_their_streams() {
        for stream in [Stream::User(2), Stream::Sender(13), Stream::Room(0)] {
            assert_eq!(Stream::parse(&stream.name()), Some(stream));
        }
        for name in ["", "user", "user:x", "client:7", "room:-1"] {
            assert_eq!(Stream::parse(name), None, "{name}");
        }
        assert_eq!(sender_of(&client_id(7)), Some(7));
        assert!((16..=64).contains(&client_id(7).len()));
    }
}

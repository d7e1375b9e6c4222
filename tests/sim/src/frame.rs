//! What travels between client and server (docs/PROTOCOL.md), as values with a size instead of JSON text.

use everwire::proto::{FrameKind, Inbound, Sequence, StreamOffset};

/// Stands for every text that the state machine moves without looking into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Text {
    /// The frame of a message, by its number in the ledger.
    Message(u32),
    /// The name of a room.
    Room(u32),
    /// A client id.
    Sender(u32),
    /// What messages that replace each other have in common.
    Key(u32),
    /// The reason of a close.
    Words,
}

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

/// A frame from a client.
#[derive(Clone, Debug)]
pub enum Up {
    Hello {
        sender: u32,
        streams: Vec<(Stream, u64)>,
    },
    Ping,
    Message {
        uid: u32,
        numbers: Option<Sequence>,
    },
    /// Enters a room again on a new connection.
    Rejoin {
        room: u32,
    },
}

/// A frame from the server.
#[derive(Clone, Debug)]
pub struct Down {
    pub kind: Kind,
    /// Where the event is stored, and the offset before it.
    pub place: Option<(Position, u64)>,
    /// Whether it must not be believed.
    pub is_lie: bool,
}

#[derive(Clone, Debug)]
pub enum Kind {
    Welcome {
        epoch: u64,
        last: u64,
        window: u32,
        streams: Vec<Position>,
        limits: Limits,
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
    /// The answer of a server that does not know the reliable mode.
    HelloUnknown,
    Event,
    Malformed,
}

impl Down {
    pub const fn plain(kind: Kind) -> Self {
        Self { kind, place: None, is_lie: false }
    }

    pub const fn stored(kind: Kind, position: Position, prev: u64) -> Self {
        Self { kind, place: Some((position, prev)), is_lie: false }
    }

    pub const fn lie(kind: Kind) -> Self {
        Self { kind, place: None, is_lie: true }
    }

    /// Its size on the wire, roughly as JSON takes it.
    pub fn bytes(&self) -> u32 {
        let data = match &self.kind {
            Kind::Welcome { streams, .. } => 90 + 25 * streams.len() as u32,
            Kind::Event => 120,
            Kind::Reply { .. } => 70,
            _ => 40,
        };
        data + if self.place.is_some() { 45 } else { 0 }
    }
}

/// A frame as the driver hands it to the state machine.
#[derive(Clone, Debug)]
pub struct Arrived {
    pub news: FrameKind,
    pub place: Option<StreamOffset>,
    pub position: Option<Position>,
}

impl Inbound for Arrived {
    fn news(&self) -> FrameKind {
        self.news
    }

    fn place(&self) -> Option<StreamOffset> {
        self.place
    }
}

/// What the driver makes of a frame's kind. FrameKind about the messages of another page concern nobody here.
pub fn news(down: &Down, own: u32) -> FrameKind {
    if let Some((Position { stream: Stream::Sender(sender), .. }, _)) = down.place
        && sender != own
    {
        return FrameKind::Event;
    }
    match down.kind {
        Kind::Welcome { epoch, last, window, limits: Limits { max_bytes, remember_ms }, .. } => {
            FrameKind::Welcome { epoch, last, window, max_bytes, remember_ms }
        }
        Kind::Pong => FrameKind::Pong,
        Kind::Ack { seq } => FrameKind::Ack { seq },
        Kind::Reply { seq } => FrameKind::Reply { seq },
        Kind::Receipt { seq, .. } => FrameKind::Receipt { seq },
        Kind::Refused { seq } => FrameKind::Refused { seq },
        Kind::HelloUnknown => FrameKind::HelloRefused,
        Kind::Event | Kind::Begin(_) => FrameKind::Event,
        Kind::Malformed => FrameKind::Malformed,
    }
}

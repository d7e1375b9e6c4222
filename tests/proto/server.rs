//! What the other end does, and what it has seen.

use everwire::proto::{Purpose, Sequence, SocketId};

/// How the server behaves from now on.
#[derive(Clone, Debug)]
pub struct Server {
    pub handshake: Handshake,
    pub answers_pings: bool,
    pub completes_closing: bool,
    pub latency_ms: u64,
}

/// What becomes of an attempt to connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handshake {
    Accept,
    /// The browser reports 1006.
    Refuse,
    /// The handshake succeeds and the server closes with this code at once.
    Close(u16),
    /// Nothing happens, ever.
    Silent,
    /// The application's token function fails.
    NoToken,
    /// The handshake succeeds on a socket that takes no frames any more.
    AcceptDeaf,
}

impl Default for Server {
    fn default() -> Self {
        Self { handshake: Handshake::Accept, answers_pings: true, completes_closing: true, latency_ms: 0 }
    }
}

/// One attempt and the socket that it made.
#[derive(Debug)]
pub struct Socket {
    pub id: SocketId,
    pub asked_at: u64,
    pub token_refused: bool,
    pub stage: Stage,
    /// How many frames it still takes.
    pub room: usize,
    pub heard: Vec<Heard>,
    pub pings: Vec<u64>,
    /// Every hello in words: `hello user=13`, `hello as earlier`.
    pub hellos: Vec<String>,
    /// The sequence number that the next message has to name as the one before it.
    pub prev: Option<u64>,
    /// The client id that said hello last.
    pub sender: String,
    /// Whether what it takes gets lost on the way.
    pub is_cut: bool,
}

/// How far a socket has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Attempt,
    Open,
    Closing,
    Closed,
    Abandoned { at: u64 },
}

/// A frame that a socket took.
#[derive(Debug)]
pub struct Heard {
    pub label: String,
    pub purpose: Purpose,
    pub sequence: Option<Sequence>,
}

impl Socket {
    pub fn new(id: SocketId, asked_at: u64, token_refused: bool) -> Self {
        Self {
            id,
            asked_at,
            token_refused,
            stage: Stage::Attempt,
            room: usize::MAX,
            heard: Vec::new(),
            pings: Vec::new(),
            hellos: Vec::new(),
            prev: None,
            sender: String::new(),
            is_cut: false,
        }
    }

    pub fn is_live(&self) -> bool {
        matches!(self.stage, Stage::Attempt | Stage::Open | Stage::Closing)
    }

    pub fn labels(&self) -> Vec<&str> {
        self.heard.iter().map(|heard| heard.label.as_str()).collect()
    }
}

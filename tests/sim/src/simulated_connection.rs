//! One connection, with what both ends make of it.

use std::collections::BTreeSet;

use everwire::proto::SocketId;
use fastrand::Rng;

use crate::client_frame::Up;
use crate::downward_frame::{Down, Stream};
use crate::pipe::Pipe;

#[derive(Debug)]
pub struct Connection {
    pub device: usize,
    pub page: usize,
    pub socket: SocketId,
    pub stage: Stage,
    /// The browser takes no frames any more, and the page does not know it yet.
    pub stopped_accepting: bool,
    pub up: Pipe<Upward>,
    pub down: Pipe<Downward>,
    pub rng: Rng,
    pub server: Option<ServerEnd>,
    /// Whether the page has seen it end, while its frames still arrive.
    pub lingers: bool,
    /// The message over which the server has ended it.
    pub ended_over: Option<u32>,
    /// Whether it was ever less than whole and prompt, so that its end is nobody's fault.
    pub is_hurt: bool,
    /// Whether the server that it was opened to was a plain one.
    pub is_plain: bool,
}

/// How far the browser's socket has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Attempt,
    Open,
    Closing,
    Closed,
    Abandoned,
}

/// What travels to the server.
#[derive(Debug)]
pub enum Upward {
    Handshake,
    Frame(Up),
    Close,
}

/// What travels to the client.
#[derive(Debug)]
pub enum Downward {
    Handshake,
    Frame(Down),
    Close(u16),
}

/// What the server keeps about a connection.
#[derive(Debug, Default)]
pub struct ServerEnd {
    pub sender: Option<u32>,
    /// Every client id that has said hello on it.
    pub senders: Vec<u32>,
    /// The streams that it carries, each with what was sent last.
    pub carried: Vec<(Stream, u64)>,
    /// Numbered messages that wait until they are taken: their number in the messages, `seq` and `prev`.
    pub held: Vec<(u32, u64, u64)>,
    /// Whether another connection has taken its place.
    pub is_superseded: bool,
    /// The rooms that were joined on it and not left.
    pub rooms: BTreeSet<u32>,
    /// How many messages were taken and not acknowledged.
    pub unacknowledged: u32,
    /// How many may be, as its welcome has said.
    pub window: u32,
    pub ack_is_due: bool,
    pub acked: u64,
    /// The highest number that has come on it, or that its welcome has named.
    pub seen: u64,
    /// How many frames were sent on it.
    pub sent: u32,
    /// How many frames have come on it.
    pub received: u32,
}

impl Connection {
    pub const fn is_live(&self) -> bool {
        matches!(self.stage, Stage::Attempt | Stage::Open | Stage::Closing)
    }

    /// Whether the client believes what arrives. Where it has begun to close, because the server was silent for too long, it comes too late.
    pub const fn is_heard(&self) -> bool {
        matches!(self.stage, Stage::Attempt | Stage::Open)
    }

    /// Whether both ends are there and hear each other.
    pub const fn is_whole(&self) -> bool {
        self.server.is_some() && !self.up.is_hole() && !self.down.is_hole()
    }
}

impl ServerEnd {
    pub fn position(&mut self, stream: Stream) -> Option<&mut u64> {
        self.carried.iter_mut().find(|(carried, _)| *carried == stream).map(|(_, at)| at)
    }
}

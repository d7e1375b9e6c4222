//! One client's place in its namespace, while one socket lasts.

use alloc::collections::VecDeque;

use super::carrier::UnexpectedPacket;
use crate::proto::close::UNAUTHORIZED;
use crate::proto::wire::socketio::{Arguments, Member, Namespace, PacketKind, PacketText, PacketValue, disconnect};
use crate::proto::{Cause, Close, Reason};

/// One client on one [`Carrier`](super::Carrier).
///
/// Made for every [`Output::Open`](crate::proto::Output::Open) of the state machine, and thrown away with the socket.
#[derive(Debug)]
pub struct Link<V: PacketValue> {
    namespace: Namespace<V::Text>,
    stage: Stage<V>,
    outputs: VecDeque<LinkOutput<V>>,
}

#[derive(Debug)]
enum Stage<V: PacketValue> {
    /// The carrier is not open.
    AwaitingCarrier,
    /// The client has asked to be let into its namespace.
    Joining {
        max_payload_bytes: u64,
        /// What came before the answer: servers may send events while they decide.
        early: VecDeque<LinkOutput<V>>,
    },
    /// The client is in its namespace.
    Joined,
    /// Nothing that comes matters any more.
    Ended,
}

/// What to do for a link, in this order.
///
/// Exhaustive: what a driver does not know would never happen, so a new one must break its build.
#[derive(Clone, Debug)]
pub enum LinkOutput<V: PacketValue> {
    /// Send a CONNECT for the namespace, with what the application authenticates itself by.
    Connect,
    /// Send this frame.
    Send(V::Text),
    /// The client is in its namespace: tell the state machine how large frames may be, and that the socket has opened.
    Joined {
        /// The id of the client there.
        sid: V::Text,
        /// What [`Recovery`](super::Recovery) knows the session by, if the server can recover it.
        pid: Option<V::Text>,
        /// The size of the largest frame that the server takes, in bytes.
        max_payload_bytes: u64,
    },
    /// The server has put the client out of its namespace, for which it must not come back by itself: tell the state machine to
    /// disconnect.
    PutOut,
    /// The client's part of the connection is over: abandon the socket, and tell the state machine that it closed so. Nothing follows.
    Ended {
        /// How it closed.
        close: Close<V::Text>,
        /// What a server says that has not let the client in: an object with a `message`, or a string.
        refusal: Option<V>,
    },
    /// An event for the application.
    Event {
        /// By which the server wants it acknowledged, on this socket.
        id: Option<u64>,
        /// Its name, and what it says.
        arguments: Arguments<V>,
    },
    /// The acknowledgement of an event, if one of this id waits for it.
    Ack {
        /// The id of the event.
        id: u64,
        /// What it says.
        arguments: Arguments<V>,
    },
}

impl<V: PacketValue> Link<V> {
    /// The link of a client whose socket is being opened, or is open.
    pub const fn new(namespace: Namespace<V::Text>) -> Self {
        Self { namespace, stage: Stage::AwaitingCarrier, outputs: VecDeque::new() }
    }

    /// The carrier is open.
    pub fn handle_open(&mut self, max_payload_bytes: u64) {
        if matches!(self.stage, Stage::AwaitingCarrier) {
            self.stage = Stage::Joining { max_payload_bytes, early: VecDeque::new() };
            self.outputs.push_back(LinkOutput::Connect);
        }
    }

    /// A packet for this namespace has come. It is an error if the link has no use for it: [`Carrier::handle_unexpected`](super::Carrier::handle_unexpected).
    pub fn handle_packet(&mut self, packet: PacketKind<V>) -> Result<(), UnexpectedPacket> {
        match (&mut self.stage, packet) {
            (Stage::AwaitingCarrier, _) => return Err(UnexpectedPacket::ForeignNamespace),
            (Stage::Ended, _) => {}
            (Stage::Joining { max_payload_bytes, early }, PacketKind::Connect { sid, pid }) => {
                self.outputs.push_back(LinkOutput::Joined { sid, pid, max_payload_bytes: *max_payload_bytes });
                self.outputs.append(early);
                self.stage = Stage::Joined;
            }
            (Stage::Joining { .. }, PacketKind::ConnectError { reason }) => self.refuse(reason),
            (Stage::Joined, PacketKind::Connect { .. } | PacketKind::ConnectError { .. }) => {
                return Err(UnexpectedPacket::SecondAnswer);
            }
            (Stage::Joining { .. } | Stage::Joined, PacketKind::Disconnect) => {
                self.outputs.push_back(LinkOutput::PutOut);
                self.stage = Stage::Ended;
            }
            (Stage::Joining { .. } | Stage::Joined, PacketKind::Event { id, arguments }) => {
                self.deliver(LinkOutput::Event { id, arguments });
            }
            (Stage::Joining { .. } | Stage::Joined, PacketKind::Ack { id, arguments }) => {
                self.deliver(LinkOutput::Ack { id, arguments });
            }
        }
        Ok(())
    }

    /// The state machine closes the socket: says goodbye in front of it, if the client is in its namespace. While the server decides, a goodbye would be wrong (npm `socket.io`
    /// ends the connection over it, for all its clients): it is said when the server has let the client in.
    pub fn leave(&mut self) {
        // What has come and was not handed on is not wanted any more.
        self.outputs.clear();
        if matches!(self.stage, Stage::Joined) {
            self.outputs.push_back(LinkOutput::Send(disconnect(&self.namespace)));
        }
        self.stage = Stage::Ended;
    }

    /// What to do next; `None` when there is nothing.
    pub fn poll_output(&mut self) -> Option<LinkOutput<V>> {
        self.outputs.pop_front()
    }

    fn deliver(&mut self, output: LinkOutput<V>) {
        match &mut self.stage {
            Stage::Joining { early, .. } if early.len() >= MAX_EARLY_PACKETS => {
                self.end(Close::abnormal(Cause::ProtocolViolation), None);
            }
            Stage::Joining { early, .. } => early.push_back(output),
            Stage::AwaitingCarrier | Stage::Joined | Stage::Ended => self.outputs.push_back(output),
        }
    }

    fn refuse(&mut self, refusal: V) {
        let words = refusal.as_text().or_else(|| refusal.member_text(Member::Message));
        let reason = Reason::Peer(words.unwrap_or_else(|| V::Text::from_ascii("")));
        self.end(Close { code: UNAUTHORIZED, reason, was_clean: true }, Some(refusal));
    }

    fn end(&mut self, close: Close<V::Text>, refusal: Option<V>) {
        self.stage = Stage::Ended;
        self.outputs.push_back(LinkOutput::Ended { close, refusal });
    }
}

/// How many packets may come while the server decides whether to let the client in.
pub const MAX_EARLY_PACKETS: usize = 1_000;

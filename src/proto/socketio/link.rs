//! One socket of a Socket.IO server, between its frames and the state machine.

use alloc::collections::VecDeque;

use super::server_pings::ServerPings;
use crate::proto::close::{NO_STATUS, PROTOCOL_ERROR, UNAUTHORIZED};
use crate::proto::coded::coded;
use crate::proto::wire::socketio::{
    Arguments, EnginePacket, FrameReader, Handshake, Member, Namespace, Packet, PacketFlaw, PacketKind, PacketText,
    PacketValue, disconnect, pong,
};
use crate::proto::{Cause, Close, Reason, Timestamp};

/// One socket, from the moment when it is made until it ends.
///
/// Made for every [`Output::Open`](crate::proto::Output::Open) of the state machine, and thrown away with the socket.
#[derive(Debug)]
pub struct Link<V: PacketValue> {
    namespace: Namespace<V::Text>,
    reader: FrameReader<V>,
    stage: Stage<V>,
    /// How many packets meant nothing.
    faults: u32,
    outputs: VecDeque<LinkOutput<V>>,
}

#[derive(Debug)]
enum Stage<V: PacketValue> {
    /// The server has said nothing.
    AwaitingHandshake,
    /// The client has asked to be let into its namespace.
    Joining {
        pings: ServerPings,
        max_payload_bytes: u64,
        /// What came before the answer: servers may send events while they decide.
        early: VecDeque<LinkOutput<V>>,
    },
    /// The client is in its namespace.
    Joined { pings: ServerPings },
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
    /// The connection is over: abandon the socket, and tell the state machine that it closed so. Nothing follows.
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
    /// The server has sent what means nothing here.
    Report(Report),
}

/// What meant nothing. Exhaustive: it is the frame itself, or its moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// The frame is wrong.
    Flaw(PacketFlaw),
    /// The frame is right, and no client has asked for it.
    Unexpected(UnexpectedPacket),
}

coded! {
    /// A packet that has no place where it comes (docs/SOCKETIO.md).
    #[non_exhaustive]
    pub enum UnexpectedPacket {
        /// A handshake after the first.
        SecondHandshake = "second_handshake",
        /// A packet of Socket.IO before the handshake.
        NoHandshake = "no_handshake",
        /// A packet for a namespace that the client never asked for.
        ForeignNamespace = "foreign_namespace",
        /// A CONNECT or a CONNECT_ERROR for a client that is in its namespace.
        SecondAnswer = "second_answer",
    }
}

impl<V: PacketValue> Link<V> {
    /// The link of a socket that is being opened.
    pub fn new(namespace: Namespace<V::Text>) -> Self {
        Self {
            namespace,
            reader: FrameReader::default(),
            stage: Stage::AwaitingHandshake,
            faults: 0,
            outputs: VecDeque::new(),
        }
    }

    /// A text frame has arrived.
    pub fn handle_text(&mut self, frame: &V::Text, now: Timestamp) {
        if !matches!(self.stage, Stage::Ended) {
            let read = self.reader.read_text(frame);
            self.handle(read, now);
        }
    }

    /// A binary frame has arrived.
    pub fn handle_binary(&mut self, frame: V::Binary, now: Timestamp) {
        if !matches!(self.stage, Stage::Ended) {
            let read = self.reader.read_binary(frame);
            self.handle(read, now);
        }
    }

    /// The state machine closes the socket: says goodbye in front of it, if the client is in its namespace or has asked to be.
    pub fn leave(&mut self) {
        if matches!(self.stage, Stage::Joining { .. } | Stage::Joined { .. }) {
            self.stage = Stage::Ended;
            self.outputs.push_back(LinkOutput::Send(disconnect(&self.namespace)));
        }
    }

    /// The page is visible or runs again, or the network has changed.
    pub fn probe(&mut self, now: Timestamp) {
        if let Some(pings) = self.pings() {
            pings.probe(now);
        }
        self.handle_timeout(now);
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        if self.pings().is_some_and(|pings| pings.handle_timeout(now)) {
            self.end(Close::abnormal(Cause::PongTimeout), None);
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout); the state machine watches over what comes before the handshake.
    pub const fn poll_timeout(&self) -> Option<Timestamp> {
        match &self.stage {
            Stage::Joining { pings, .. } | Stage::Joined { pings } => Some(pings.poll_timeout()),
            Stage::AwaitingHandshake | Stage::Ended => None,
        }
    }

    /// What to do next; `None` when there is nothing.
    pub fn poll_output(&mut self) -> Option<LinkOutput<V>> {
        self.outputs.pop_front()
    }

    const fn pings(&mut self) -> Option<&mut ServerPings> {
        match &mut self.stage {
            Stage::Joining { pings, .. } | Stage::Joined { pings } => Some(pings),
            Stage::AwaitingHandshake | Stage::Ended => None,
        }
    }

    fn handle(&mut self, read: Result<Option<EnginePacket<V>>, PacketFlaw>, now: Timestamp) {
        match read {
            Ok(Some(EnginePacket::Open(handshake))) => self.open(&handshake, now),
            Ok(Some(EnginePacket::Ping)) => {
                self.outputs.push_back(LinkOutput::Send(pong()));
                if let Some(pings) = self.pings() {
                    pings.handle_ping(now);
                }
            }
            Ok(Some(EnginePacket::Close)) => {
                let reason = Reason::Peer(V::Text::from_ascii(""));
                self.end(Close { code: NO_STATUS, reason, was_clean: true }, None);
            }
            Ok(Some(EnginePacket::Message(packet))) => self.message(packet),
            Ok(Some(EnginePacket::Pong | EnginePacket::Noop) | None) => {}
            Err(PacketFlaw::NoSessionId) => {
                self.outputs.push_back(LinkOutput::Report(Report::Flaw(PacketFlaw::NoSessionId)));
                // Another attempt would end the same way.
                let reason = Reason::Client(Cause::ProtocolViolation);
                self.end(Close { code: PROTOCOL_ERROR, reason, was_clean: false }, None);
            }
            Err(flaw) => {
                self.report(Report::Flaw(flaw));
                if flaw.ends_connection() {
                    self.break_off();
                }
            }
        }
    }

    fn open(&mut self, handshake: &Handshake<V::Text>, now: Timestamp) {
        if !matches!(self.stage, Stage::AwaitingHandshake) {
            return self.report(Report::Unexpected(UnexpectedPacket::SecondHandshake));
        }
        let max_payload_bytes = handshake.max_payload_bytes;
        self.stage =
            Stage::Joining { pings: ServerPings::new(handshake, now), max_payload_bytes, early: VecDeque::new() };
        self.outputs.push_back(LinkOutput::Connect);
    }

    fn message(&mut self, Packet { namespace, kind }: Packet<V>) {
        if namespace != self.namespace {
            return self.report(Report::Unexpected(UnexpectedPacket::ForeignNamespace));
        }
        match (&mut self.stage, kind) {
            (Stage::Ended, _) => {}
            (Stage::AwaitingHandshake, _) => self.report(Report::Unexpected(UnexpectedPacket::NoHandshake)),
            (Stage::Joining { pings, max_payload_bytes, early }, PacketKind::Connect { sid, pid }) => {
                self.outputs.push_back(LinkOutput::Joined { sid, pid, max_payload_bytes: *max_payload_bytes });
                self.outputs.append(early);
                self.stage = Stage::Joined { pings: pings.clone() };
            }
            (Stage::Joining { .. }, PacketKind::ConnectError { reason }) => self.refuse(reason),
            (Stage::Joined { .. }, PacketKind::Connect { .. } | PacketKind::ConnectError { .. }) => {
                self.report(Report::Unexpected(UnexpectedPacket::SecondAnswer));
            }
            (Stage::Joining { .. } | Stage::Joined { .. }, PacketKind::Disconnect) => {
                self.outputs.push_back(LinkOutput::PutOut);
                self.stage = Stage::Ended;
            }
            (Stage::Joining { .. } | Stage::Joined { .. }, PacketKind::Event { id, arguments }) => {
                self.deliver(LinkOutput::Event { id, arguments });
            }
            (Stage::Joining { .. } | Stage::Joined { .. }, PacketKind::Ack { id, arguments }) => {
                self.deliver(LinkOutput::Ack { id, arguments });
            }
        }
    }

    fn deliver(&mut self, output: LinkOutput<V>) {
        match &mut self.stage {
            Stage::Joining { early, .. } if early.len() >= MAX_EARLY_PACKETS => self.break_off(),
            Stage::Joining { early, .. } => early.push_back(output),
            Stage::AwaitingHandshake | Stage::Joined { .. } | Stage::Ended => self.outputs.push_back(output),
        }
    }

    fn refuse(&mut self, refusal: V) {
        let words = refusal.as_text().or_else(|| refusal.member_text(Member::Message));
        let reason = Reason::Peer(words.unwrap_or_else(|| V::Text::from_ascii("")));
        self.end(Close { code: UNAUTHORIZED, reason, was_clean: true }, Some(refusal));
    }

    /// Reports the first 10 of a connection, and ends it after 100. One that is not in its namespace ends at the first.
    fn report(&mut self, report: Report) {
        self.faults += 1;
        if self.faults <= TOLD_FAULTS {
            self.outputs.push_back(LinkOutput::Report(report));
        }
        if self.faults > BORNE_FAULTS || !matches!(self.stage, Stage::Joined { .. }) {
            self.break_off();
        }
    }

    fn break_off(&mut self) {
        self.end(Close::abnormal(Cause::ProtocolViolation), None);
    }

    fn end(&mut self, close: Close<V::Text>, refusal: Option<V>) {
        if !matches!(self.stage, Stage::Ended) {
            self.stage = Stage::Ended;
            self.outputs.push_back(LinkOutput::Ended { close, refusal });
        }
    }
}

/// How many packets may come while the server decides whether to let the client in.
pub const MAX_EARLY_PACKETS: usize = 1_000;
/// How many faults of one connection are reported.
const TOLD_FAULTS: u32 = 10;
/// How many faults of one connection are borne.
const BORNE_FAULTS: u32 = 100;

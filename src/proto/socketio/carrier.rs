//! One socket of a Socket.IO server, which carries the packets of any number of namespaces.

use alloc::collections::VecDeque;

use super::server_pings::ServerPings;
use crate::proto::close::{NO_STATUS, PROTOCOL_ERROR};
use crate::proto::coded::coded;
use crate::proto::wire::socketio::{
    EnginePacket, FrameReader, Handshake, Packet, PacketFlaw, PacketKind, PacketText, PacketValue, Reading, pong,
};
use crate::proto::{Cause, Close, Reason, Timestamp};

/// One socket, from the moment when it is made until it ends.
#[derive(Debug)]
pub struct Carrier<V: PacketValue> {
    reader: FrameReader<V>,
    stage: Stage,
    /// Whether the server has let a client into a namespace: then it is one of this protocol.
    is_known: bool,
    /// How many packets meant nothing.
    faults: u32,
    outputs: VecDeque<CarrierOutput<V>>,
}

#[derive(Debug)]
enum Stage {
    /// The server has said nothing.
    AwaitingHandshake,
    Open(ServerPings),
    /// Nothing that comes matters any more.
    Ended,
}

/// What to do for a carrier, in this order.
///
/// Exhaustive: what a driver does not know would never happen, so a new one must break its build.
#[derive(Clone, Debug)]
pub enum CarrierOutput<V: PacketValue> {
    /// The handshake has come: every [`Link`](super::Link) may join its namespace, with frames up to this size in bytes.
    Open {
        /// The size of the largest frame that the server takes.
        max_payload_bytes: u64,
    },
    /// Send this frame.
    Send(V::Text),
    /// For the link of its namespace; if there is none, or it has no use for it: [`Carrier::handle_unexpected`].
    Packet(Packet<V>),
    /// The connection is over: abandon the socket, and tell every client on it that it closed so. Nothing follows.
    Ended(Close<V::Text>),
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
        /// A packet for a namespace that the client has left, which may have crossed its DISCONNECT: no fault of the server.
        LeftNamespace = "left_namespace",
    }
}

impl<V: PacketValue> Default for Carrier<V> {
    /// The carrier of a socket that is being opened.
    fn default() -> Self {
        Self {
            reader: FrameReader::default(),
            stage: Stage::AwaitingHandshake,
            is_known: false,
            faults: 0,
            outputs: VecDeque::new(),
        }
    }
}

impl<V: PacketValue> Carrier<V> {
    /// Reads a text frame that has arrived. What it says goes to [`handle`](Self::handle) or [`handle_packet`](Self::handle_packet).
    pub fn read_text(&mut self, frame: &V::Text) -> Reading<V> {
        self.reader.read_text(frame)
    }

    /// Reads a binary frame that has arrived, in the same way.
    pub fn read_binary(&mut self, frame: V::Binary) -> Reading<V> {
        self.reader.read_binary(frame)
    }

    /// Does what a frame says that has arrived at `now`.
    pub fn handle(&mut self, reading: Reading<V>, now: Timestamp) {
        if matches!(self.stage, Stage::Ended) {
            return;
        }
        match reading {
            Ok(Some(EnginePacket::Open(handshake))) => self.open(&handshake, now),
            Ok(Some(EnginePacket::Ping)) => {
                if let Stage::Open(pings) = &mut self.stage {
                    self.outputs.push_back(CarrierOutput::Send(pong()));
                    pings.handle_ping(now);
                }
            }
            Ok(Some(EnginePacket::Close)) => {
                let reason = Reason::Peer(V::Text::from_ascii(""));
                self.end(Close { code: NO_STATUS, reason, was_clean: true });
            }
            Ok(Some(EnginePacket::Message(packet))) => self.handle_packet(packet),
            Ok(Some(EnginePacket::Pong | EnginePacket::Noop) | None) => {}
            Err(PacketFlaw::NoSessionId) => {
                self.outputs.push_back(CarrierOutput::Report(Report::Flaw(PacketFlaw::NoSessionId)));
                // Another attempt would end the same way.
                let reason = Reason::Client(Cause::ProtocolViolation);
                self.end(Close { code: PROTOCOL_ERROR, reason, was_clean: false });
            }
            Err(flaw) => {
                self.report(Report::Flaw(flaw));
                if flaw.ends_connection() {
                    self.break_off();
                }
            }
        }
    }

    /// A packet of Socket.IO has arrived, when does not matter.
    pub fn handle_packet(&mut self, packet: Packet<V>) {
        match self.stage {
            Stage::AwaitingHandshake => self.handle_unexpected(UnexpectedPacket::NoHandshake),
            Stage::Open(_) => {
                self.is_known |= matches!(packet.kind, PacketKind::Connect { .. });
                self.outputs.push_back(CarrierOutput::Packet(packet));
            }
            Stage::Ended => {}
        }
    }

    /// A packet of the server had no place.
    pub fn handle_unexpected(&mut self, packet: UnexpectedPacket) {
        if packet != UnexpectedPacket::LeftNamespace {
            self.report(Report::Unexpected(packet));
        }
    }

    /// The page is visible or runs again, or the network has changed.
    pub fn probe(&mut self, now: Timestamp) {
        if let Stage::Open(pings) = &mut self.stage {
            pings.probe(now);
        }
        self.handle_timeout(now);
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        if let Stage::Open(pings) = &mut self.stage
            && pings.handle_timeout(now)
        {
            self.end(Close::abnormal(Cause::PongTimeout));
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout); the state machines watch over what comes before the handshake.
    pub const fn poll_timeout(&self) -> Option<Timestamp> {
        match &self.stage {
            Stage::Open(pings) => Some(pings.poll_timeout()),
            Stage::AwaitingHandshake | Stage::Ended => None,
        }
    }

    /// What to do next; `None` when there is nothing.
    pub fn poll_output(&mut self) -> Option<CarrierOutput<V>> {
        self.outputs.pop_front()
    }

    fn open(&mut self, handshake: &Handshake<V::Text>, now: Timestamp) {
        if !matches!(self.stage, Stage::AwaitingHandshake) {
            return self.handle_unexpected(UnexpectedPacket::SecondHandshake);
        }
        self.stage = Stage::Open(ServerPings::new(handshake, now));
        self.outputs.push_back(CarrierOutput::Open { max_payload_bytes: handshake.max_payload_bytes });
    }

    /// Reports the first 10 of a connection, and ends it after 100. One whose server is not known ends at the first.
    fn report(&mut self, report: Report) {
        self.faults += 1;
        if self.faults <= TOLD_FAULTS {
            self.outputs.push_back(CarrierOutput::Report(report));
        }
        if self.faults > BORNE_FAULTS || !self.is_known {
            self.break_off();
        }
    }

    fn break_off(&mut self) {
        self.end(Close::abnormal(Cause::ProtocolViolation));
    }

    fn end(&mut self, close: Close<V::Text>) {
        if !matches!(self.stage, Stage::Ended) {
            self.stage = Stage::Ended;
            self.outputs.push_back(CarrierOutput::Ended(close));
        }
    }
}

/// How many faults of one connection are reported.
const TOLD_FAULTS: u32 = 10;
/// How many faults of one connection are borne.
const BORNE_FAULTS: u32 = 100;

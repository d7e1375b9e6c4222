//! A socket of a Socket.IO server that carries one client.

use everwire::proto::socketio::{Carrier, CarrierOutput, Link, LinkOutput, Report, UnexpectedPacket};
use everwire::proto::wire::socketio::Namespace;
use everwire::proto::{Close, Timestamp};
use serde_json::Value;

/// A carrier with the one link on it.
#[derive(Debug)]
pub struct SoloLink {
    namespace: Namespace<String>,
    carrier: Carrier<Value>,
    link: Link<Value>,
    is_over: bool,
}

/// What either of the two wants done.
#[derive(Clone, Debug)]
pub enum SoloOutput {
    /// Of the link.
    Link(LinkOutput<Value>),
    /// Send this frame.
    Send(String),
    /// The connection is over.
    Ended(Close<String>),
    /// The server has sent what means nothing here.
    Report(Report),
}

impl SoloLink {
    /// A socket that is being opened.
    pub fn new(namespace: Namespace<String>) -> Self {
        let link = Link::new(namespace.clone());
        Self { namespace, carrier: Carrier::default(), link, is_over: false }
    }

    /// A text frame has arrived.
    pub fn handle_text(&mut self, frame: &str, now: Timestamp) {
        let reading = self.carrier.read_text(&frame.to_owned());
        self.carrier.handle(reading, now);
    }

    /// A binary frame has arrived.
    pub fn handle_binary(&mut self, frame: Vec<u8>, now: Timestamp) {
        let reading = self.carrier.read_binary(frame);
        self.carrier.handle(reading, now);
    }

    /// The page is looked at again.
    pub fn probe(&mut self, now: Timestamp) {
        self.carrier.probe(now);
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        self.carrier.handle_timeout(now);
    }

    /// When to do so.
    pub const fn poll_timeout(&self) -> Option<Timestamp> {
        if self.is_over { None } else { self.carrier.poll_timeout() }
    }

    /// The client leaves its namespace.
    pub fn leave(&mut self) {
        self.link.leave();
    }

    /// What to do next; nothing after an end.
    pub fn poll_output(&mut self) -> Option<SoloOutput> {
        loop {
            if self.is_over {
                return None;
            }
            if let Some(output) = self.link.poll_output() {
                self.is_over = matches!(output, LinkOutput::Ended { .. } | LinkOutput::PutOut);
                return Some(SoloOutput::Link(output));
            }
            match self.carrier.poll_output()? {
                CarrierOutput::Open { max_payload_bytes } => self.link.handle_open(max_payload_bytes),
                CarrierOutput::Send(frame) => return Some(SoloOutput::Send(frame)),
                CarrierOutput::Packet(packet) => {
                    let is_own = packet.namespace == self.namespace;
                    let handled = if is_own {
                        self.link.handle_packet(packet.kind)
                    } else {
                        Err(UnexpectedPacket::ForeignNamespace)
                    };
                    if let Err(unexpected) = handled {
                        self.carrier.handle_unexpected(unexpected);
                    }
                }
                CarrierOutput::Ended(close) => {
                    self.is_over = true;
                    return Some(SoloOutput::Ended(close));
                }
                CarrierOutput::Report(report) => return Some(SoloOutput::Report(report)),
            }
        }
    }
}

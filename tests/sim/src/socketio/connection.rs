//! One WebSocket of a page, as the place that the shipped driver of a carrier runs in.

use std::collections::BTreeSet;

use everwire::driver::socketio::connection::{CarrierDriver, ConnectionHost};
use everwire::driver::socketio::{self};
use everwire::proto::socketio::{Report, UnexpectedPacket};
use everwire::proto::wire::socketio::Packet;
use everwire::proto::{Cause, Close, Input, Reason, Timestamp};
use fastrand::Rng;
use serde_json::Value;

use super::client_host::ClientHost;
use super::frames::{Downward, Frame, Upward};
use super::plan::{NAMESPACES, PageSetup};
use super::server::ServerEnd;
use super::world::{Scheduled, World};
use crate::pipe::Pipe;
use crate::run_tally::Count;
use crate::trace;
use crate::verdict::Rule;

#[derive(Debug)]
pub struct Connection {
    pub page: usize,
    pub driver: CarrierDriver<Value>,
    pub members: Vec<usize>,
    /// The namespaces that clients have left, while others stayed.
    pub left: BTreeSet<&'static str>,
    /// Whether nobody may come to it any more.
    pub is_over: bool,
    pub max_payload_bytes: Option<u64>,
    pub stage: Stage,
    /// The browser takes no frames any more, and the page does not know it yet.
    pub stopped_accepting: bool,
    /// Which alarm is the current one.
    pub alarm: u32,
    pub up: Pipe<Upward>,
    pub down: Pipe<Downward>,
    pub rng: Rng,
    pub server: Option<ServerEnd>,
    /// Whether it was ever less than whole and prompt, so that its end is nobody's fault.
    pub is_hurt: bool,
    /// How many signs of life have come: the handshake and pings.
    pub pings: u32,
    /// The clients whose CONNECT was sent and not refused.
    pub asked: BTreeSet<usize>,
    /// Whether a CONNECT has come, so that the server is taken for one of the protocol.
    pub is_known: bool,
    /// How many frames have come that count as flaws.
    pub flaws: u32,
    pub reports: u32,
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

impl Connection {
    pub fn new(page: usize, setup: &PageSetup, seed: u64) -> Self {
        let (latency, jitter) = (setup.latency_ms, setup.jitter_ms);
        Self {
            page,
            driver: CarrierDriver::default(),
            members: Vec::new(),
            left: BTreeSet::new(),
            is_over: false,
            max_payload_bytes: None,
            stage: Stage::Attempt,
            stopped_accepting: false,
            alarm: 0,
            up: Pipe::new(latency, jitter, setup.bandwidth),
            down: Pipe::new(latency, jitter, None),
            rng: Rng::with_seed(seed),
            server: None,
            is_hurt: setup.bandwidth.is_some(),
            pings: 0,
            asked: BTreeSet::new(),
            is_known: false,
            flaws: 0,
            reports: 0,
        }
    }

    /// Whether nothing that happens to it matters to its page.
    pub const fn is_over_for_good(&self) -> bool {
        matches!(self.stage, Stage::Closed | Stage::Abandoned)
    }

    /// Whether both ends are there and hear each other.
    pub const fn is_whole(&self) -> bool {
        self.server.is_some() && !self.up.is_hole() && !self.down.is_hole()
    }
}

pub struct CarrierHost<'a> {
    pub world: &'a mut World,
    pub connection: usize,
}

impl CarrierHost<'_> {
    fn this(&mut self) -> &mut Connection {
        &mut self.world.connections[self.connection]
    }
}

impl ConnectionHost for CarrierHost<'_> {
    type Value = Value;

    fn with_driver<R>(&mut self, look: impl FnOnce(&mut CarrierDriver<Value>) -> R) -> R {
        look(&mut self.this().driver)
    }

    fn now(&mut self) -> Timestamp {
        Timestamp::from_millis(self.world.now)
    }

    fn send(&mut self, text: &String) {
        _ = self.world.send_frame(self.connection, Frame::Text(text.clone()));
    }

    fn set_alarm(&mut self, delay_ms: Option<u64>) {
        let (connection, this) = (self.connection, self.this());
        this.alarm += 1;
        let stamp = this.alarm;
        if let Some(delay_ms) = delay_ms {
            self.world.schedule(delay_ms, Scheduled::CarrierAlarm { connection, stamp });
        }
    }

    fn opened(&mut self, max_payload_bytes: u64) {
        self.this().max_payload_bytes = Some(max_payload_bytes);
        self.world.sign_of_life(self.connection);
        for client in self.this().members.clone() {
            socketio::handle_open(&mut ClientHost { world: self.world, client }, max_payload_bytes);
        }
    }

    fn packet(&mut self, Packet { namespace, kind }: Packet<Value>) -> Result<(), UnexpectedPacket> {
        let name = namespace.name().map_or("/", String::as_str);
        let members = &self.world.connections[self.connection].members;
        let is_of = |client: &&usize| NAMESPACES[self.world.clients[**client].namespace] == name;
        match members.iter().find(is_of).copied() {
            Some(client) => socketio::handle_packet(&mut ClientHost { world: self.world, client }, kind),
            None if self.this().left.contains(name) => Err(UnexpectedPacket::LeftNamespace),
            None => Err(UnexpectedPacket::ForeignNamespace),
        }
    }

    fn ended(&mut self, close: Close<String>) {
        let connection = self.connection;
        trace!(self.world, "connection {connection}: ended, {close:?}");
        let is_overdue = close.reason == Reason::Client(Cause::PongTimeout);
        self.world.tally.add_many(Count::PongTimeouts, usize::from(is_overdue));
        if is_overdue && !self.this().is_hurt && self.this().is_whole() && !self.world.is_byzantine() {
            self.world.break_rule(Rule::Impatient, format!("connection {connection} is left, and is healthy"));
        }
        let members = core::mem::take(&mut self.this().members);
        self.world.abandon_connection(connection);
        for client in members {
            self.world.clients[client].connection = None;
            if let Some(socket) = self.world.clients[client].driver.client().socket() {
                let input = Input::SocketClosed { socket, close: close.clone() };
                socketio::handle_input(&mut ClientHost { world: self.world, client }, input);
            }
        }
    }

    fn reported(&mut self, report: Report) {
        let connection = self.connection;
        trace!(self.world, "connection {connection}: {report:?}");
        self.world.tally.add(Count::PacketReports);
        self.this().reports += 1;
        if !self.world.is_byzantine() {
            let detail = format!("connection {connection} reports {report:?}");
            self.world.break_rule(Rule::HonestServerAccused, detail);
        } else if self.this().reports > 10 {
            self.world.break_rule(Rule::ReportedTooOften, format!("connection {connection}"));
        }
    }
}

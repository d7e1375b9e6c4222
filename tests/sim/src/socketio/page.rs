//! Pages, which share a connection between their clients as the npm package does (`pkg/src/host/socketio`).

use everwire::driver::socketio::{self, connection};
use everwire::proto::{Close, Input, Reason};

use super::client_host::ClientHost;
use super::connection::{CarrierHost, Connection, Stage};
use super::network::is_reachable;
use super::plan::NAMESPACES;
use super::world::{Scheduled, World};
use crate::run_tally::Count;
use crate::trace;
use crate::verdict::Rule;

#[derive(Debug)]
pub struct Page {
    pub clients: Vec<usize>,
    /// The connection that the manager has made last.
    pub latest: Option<usize>,
    pub offline_until: u64,
    pub unreachable_until: u64,
    /// Whether attempts are never answered meanwhile, instead of refused.
    pub is_silent: bool,
    pub suspended_until: u64,
}

impl Page {
    pub const fn new(clients: Vec<usize>) -> Self {
        Self { clients, latest: None, offline_until: 0, unreachable_until: 0, is_silent: false, suspended_until: 0 }
    }
}

impl World {
    pub fn host(&mut self, client: usize) -> ClientHost<'_> {
        self.clients[client].turns = 0;
        ClientHost { world: self, client }
    }

    pub fn carrier(&mut self, connection: usize) -> CarrierHost<'_> {
        CarrierHost { world: self, connection }
    }

    pub fn input(&mut self, client: usize, input: Input<serde_json::Value>) {
        socketio::handle_input(&mut self.host(client), input);
    }

    pub fn is_suspended(&self, page: usize) -> bool {
        self.pages[page].suspended_until > self.now
    }

    pub fn alarm(&mut self, client: usize, which: usize, stamp: u32) {
        let page = self.clients[client].page;
        if self.clients[client].alarms[which].stamp != stamp {
            return;
        }
        if self.is_suspended(page) {
            let until = self.pages[page].suspended_until;
            return self.queue.schedule(until, Scheduled::Alarm { client, which, stamp });
        }
        self.clients[client].alarms[which].at = None;
        socketio::handle_timeout(&mut self.host(client));
    }

    pub fn carrier_alarm(&mut self, connection: usize, stamp: u32) {
        let this = &self.connections[connection];
        if this.alarm != stamp || this.is_over_for_good() {
            return;
        }
        if self.is_suspended(this.page) {
            let until = self.pages[this.page].suspended_until;
            return self.queue.schedule(until, Scheduled::CarrierAlarm { connection, stamp });
        }
        connection::handle_timeout(&mut self.carrier(connection));
    }

    /// The application has said what it authenticates itself by, unless nobody waits for it any more.
    pub fn authenticated(&mut self, client: usize, attempt: u32) {
        let page = self.clients[client].page;
        if self.clients[client].attempt != Some(attempt) {
            return;
        }
        if self.is_suspended(page) {
            let until = self.pages[page].suspended_until;
            return self.queue.schedule(until, Scheduled::Authenticated { client, attempt });
        }
        self.clients[client].attempt = None;
        let connection = self.carry(client);
        self.clients[client].connection = Some(connection);
        self.join(connection, client);
    }

    /// A connection that the client may come to, or a new one.
    fn carry(&mut self, client: usize) -> usize {
        let page = self.clients[client].page;
        if let Some(latest) = self.pages[page].latest
            && !self.connections[latest].is_over
            && !self.connections[latest].left.contains(NAMESPACES[self.clients[client].namespace])
        {
            self.tally.add(Count::SharedConnections);
            return latest;
        }
        let number = self.connections.len();
        self.connections.push(Connection::new(page, &self.setup.pages[page], self.rng.u64(..)));
        self.pages[page].latest = Some(number);
        trace!(self, "page {page}: connection {number}");
        let device = &self.pages[page];
        if !is_reachable(device, self.now) {
            if device.offline_until > self.now || !device.is_silent {
                let delay = self.setup.pages[page].latency_ms;
                self.schedule(delay, Scheduled::PageLoses { connection: number, code: 1006 });
            } else {
                self.connections[number].is_hurt = true;
                self.tally.add(Count::Silences);
            }
        } else {
            self.write_up(number, super::frames::Upward::Handshake);
        }
        number
    }

    fn join(&mut self, connection: usize, client: usize) {
        let this = &mut self.connections[connection];
        this.members.retain(|member| *member != client);
        this.members.push(client);
        if let Some(max_payload_bytes) = this.max_payload_bytes {
            socketio::handle_open(&mut ClientHost { world: self, client }, max_payload_bytes);
        }
    }

    /// The client closes its part of a connection.
    pub fn close(&mut self, client: usize) {
        let Some(connection) = self.clients[client].connection else {
            return self.schedule(0, Scheduled::Left { client, connection: usize::MAX });
        };
        if self.connections[connection].members.len() > 1 {
            self.remove(connection, client);
            self.clients[client].connection = None;
            self.tally.add(Count::LeftOthers);
            return self.schedule(0, Scheduled::Left { client, connection });
        }
        self.connections[connection].is_over = true;
        self.close_socket(connection, Stage::Closing);
    }

    /// Nothing else tells a client of its end whose connection others keep.
    pub fn left(&mut self, client: usize, connection: usize) {
        let this = &self.clients[client];
        if connection != usize::MAX && this.connection.is_none() && this.attempt.is_none() {
            let close = Close { code: 1000, reason: Reason::Peer(String::new()), was_clean: true };
            self.socket_closed(client, close);
        }
    }

    /// The client does not listen to its part any more.
    pub fn abandon(&mut self, client: usize) {
        self.clients[client].attempt = None;
        let Some(connection) = self.clients[client].connection.take() else { return };
        self.remove(connection, client);
        if self.connections[connection].members.is_empty() {
            self.abandon_connection(connection);
        }
    }

    fn remove(&mut self, connection: usize, client: usize) {
        let (name, this) = (NAMESPACES[self.clients[client].namespace], &mut self.connections[connection]);
        if this.members.contains(&client) {
            this.members.retain(|member| *member != client);
            this.left.insert(name);
        }
    }

    /// Nobody listens to a connection any more.
    pub fn abandon_connection(&mut self, connection: usize) {
        self.connections[connection].is_over = true;
        self.close_socket(connection, Stage::Abandoned);
    }

    fn close_socket(&mut self, connection: usize, stage: Stage) {
        let this = &mut self.connections[connection];
        if matches!(this.stage, Stage::Closed | Stage::Abandoned) {
            return;
        }
        let has_said_so = this.stage == Stage::Closing;
        this.stage = stage;
        if !has_said_so {
            self.write_up(connection, super::frames::Upward::Close);
        }
    }

    /// The browser says that the WebSocket is closed.
    pub fn socket_is_closed(&mut self, connection: usize, code: u16) {
        let this = &mut self.connections[connection];
        if matches!(this.stage, Stage::Closed | Stage::Abandoned) {
            return;
        }
        (this.stage, this.is_over) = (Stage::Closed, true);
        for client in core::mem::take(&mut this.members) {
            let close = Close { code, reason: Reason::Peer(String::new()), was_clean: code != 1006 };
            self.socket_closed(client, close);
        }
    }

    pub fn socket_closed(&mut self, client: usize, close: Close<String>) {
        self.clients[client].connection = None;
        if let Some(socket) = self.clients[client].driver.client().socket() {
            self.input(client, Input::SocketClosed { socket, close });
        }
    }

    /// What the browser tells every client of the page.
    pub fn page_event(&mut self, page: usize, make: fn() -> Input<serde_json::Value>) {
        for client in self.pages[page].clients.clone() {
            if !self.clients[client].is_active {
                continue;
            }
            self.input(client, make());
            if let Some(connection) = self.clients[client].connection {
                self.tally.add(Count::Probes);
                connection::probe(&mut self.carrier(connection));
            }
        }
    }

    pub fn show(&mut self, page: usize) {
        if !self.is_suspended(page) {
            self.page_event(page, || Input::PageVisible);
        }
    }

    pub fn network_returns(&mut self, page: usize) {
        if self.pages[page].offline_until <= self.now {
            if self.is_suspended(page) {
                let until = self.pages[page].suspended_until;
                return self.queue.schedule(until, Scheduled::Online { page });
            }
            self.page_event(page, || Input::NetworkOnline);
        }
    }

    /// A connection must have been left whose server has been silent for too long.
    pub fn watch(&mut self, connection: usize, stamp: u32) {
        let this = &self.connections[connection];
        if this.pings != stamp || this.stage != Stage::Open || this.is_over {
            return;
        }
        let woken_at = self.pages[this.page].suspended_until;
        let server = &self.setup.server;
        let patience = server.timeout_ms.min(2_000.max(server.timeout_ms / 5)) + 100;
        if woken_at + patience > self.now {
            return self.queue.schedule(woken_at + patience, Scheduled::Watch { connection, stamp });
        }
        self.break_rule(Rule::DeadLinkUnnoticed, format!("connection {connection} brings no pings, and is kept"));
    }
}

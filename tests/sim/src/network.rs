//! Connections from attempt to end, as both ends and the network between them make them.

use everwire::proto::SocketId;
use fastrand::Rng;

use crate::downward_frame::Down;
use crate::pipe::Pipe;
use crate::run_tally::Count;
use crate::simulated_connection::{Connection, Downward, Stage, Upward};
use crate::simulated_page::BrowserEvent;
use crate::simulation::{Scheduled, Simulation};
use crate::trace;
use crate::verdict::Rule;

impl Simulation {
    /// The client asks for a token and a connection.
    pub fn open(&mut self, page: usize, socket: SocketId) {
        let number = self.pages[page].device;
        let (setup, device) = (&self.setup.devices[number], &mut self.devices[number]);
        if device.no_tokens > 0 {
            device.no_tokens -= 1;
            // Every other time it is because nobody is logged in; the user comes back soon.
            let is_absent = device.no_tokens % 2 == 1;
            let event = if is_absent { BrowserEvent::LoggedOut(socket) } else { BrowserEvent::Failed(socket) };
            self.tally.add(if is_absent { Count::LoggedOut } else { Count::NoTokens });
            self.queue.schedule(self.now + 5, Scheduled::BrowserEvent { page, event });
            if is_absent {
                let event = BrowserEvent::LoggedIn;
                self.queue.schedule(self.now + 1_000, Scheduled::BrowserEvent { page, event });
            }
            return;
        }
        let seed = self.seed ^ ((page as u64) << 32 | u64::from(socket.number())).wrapping_mul(0xd134_2543_de82_ef95);
        let (latency, jitter) = (setup.latency_ms, setup.jitter_ms);
        let connection = self.connections.len();
        self.connections.push(Connection {
            device: number,
            page,
            socket,
            stage: Stage::Attempt,
            stopped_accepting: false,
            up: Pipe::new(latency, jitter, setup.bandwidth),
            down: Pipe::new(latency, jitter, None),
            rng: Rng::with_seed(seed),
            server: None,
            lingers: false,
            ended_over: None,
            is_hurt: setup.bandwidth.is_some(),
            is_plain: false,
        });
        let device = &self.devices[number];
        if device.offline_until > self.now || device.refusing_until > self.now {
            self.queue.schedule(
                self.now + latency,
                Scheduled::ClientLosesConnection { connection, code: 1006, closing_ms: 0 },
            );
        } else if device.silent_until > self.now {
            self.tally.add(Count::Silences);
            if device.is_late {
                let until = device.silent_until + 12_000;
                self.connections[connection].up.stall(until);
                self.write_up(connection, Upward::Handshake, 400);
            }
        } else {
            self.write_up(connection, Upward::Handshake, 400);
        }
    }

    pub fn write_up(&mut self, connection: usize, what: Upward, bytes: u32) {
        let this = &mut self.connections[connection];
        if let Some(at) = this.up.write(what, bytes, &mut this.rng, self.now) {
            self.queue.schedule(at, Scheduled::Up(connection));
        }
    }

    pub fn write_down(&mut self, connection: usize, what: Downward, bytes: u32) {
        let this = &mut self.connections[connection];
        if let Some(at) = this.down.write(what, bytes, &mut this.rng, self.now) {
            self.queue.schedule(at, Scheduled::Down(connection));
        }
    }

    pub fn send_frame(&mut self, connection: usize, down: Down) {
        self.send_unaltered(connection, down);
        self.deviate_now_and_then(connection);
    }

    pub fn send_unaltered(&mut self, connection: usize, down: Down) {
        let bytes = down.bytes();
        self.write_down(connection, Downward::Frame(down), bytes);
    }

    /// The page closes a socket, politely or not.
    pub fn close_socket(&mut self, page: usize, socket: SocketId, stage: Stage) {
        let Some(connection) = self.connection_of(page, socket) else {
            // The token is still being asked for.
            return;
        };
        if !self.connections[connection].is_live() {
            return self.break_rule(Rule::DriverContract, format!("page {page} closes connection {connection} again"));
        }
        self.connections[connection].stage = stage;
        self.write_up(connection, Upward::Close, 8);
    }

    /// Something has arrived at the browser.
    pub fn browser_reads(&mut self, connection: usize) {
        while let Some(what) = self.connections[connection].down.read(self.now) {
            let page = self.connections[connection].page;
            match what {
                Downward::Handshake => self.dispatch(page, BrowserEvent::Opened(connection)),
                Downward::Frame(down) => self.dispatch(page, BrowserEvent::Frame(connection, down)),
                Downward::Close(code) => self.browser_loses(connection, code, 0),
            }
        }
    }

    pub fn browser_loses(&mut self, connection: usize, code: u16, closing_ms: u64) {
        self.connections[connection].stopped_accepting = true;
        let page = self.connections[connection].page;
        let event = BrowserEvent::Closed(connection, code);
        if closing_ms == 0 {
            self.dispatch(page, event);
        } else {
            self.queue.schedule(self.now + closing_ms, Scheduled::BrowserEvent { page, event });
        }
    }

    /// The connection that a device's client uses, if it has one.
    pub fn live_connection(&self, device: usize) -> Option<usize> {
        let page = self.devices[device].page;
        self.connections.iter().rposition(|connection| connection.page == page && connection.is_live())
    }

    pub fn cut(&mut self, connection: usize, up: u16, down: u16) {
        trace!(self, "connection {connection} is cut");
        self.connections[connection].is_hurt = true;
        self.tally.add(Count::Cuts);
        let lost = self.connections[connection].up.cut(up) + self.connections[connection].down.cut(down);
        self.tally.add_many(Count::CutFrames, lost);
    }

    pub fn stall(&mut self, connection: usize, up: bool, down: bool, until: u64) {
        self.connections[connection].is_hurt = true;
        if up {
            for at in self.connections[connection].up.stall(until) {
                self.queue.schedule(at, Scheduled::Up(connection));
            }
        }
        if down {
            for at in self.connections[connection].down.stall(until) {
                self.queue.schedule(at, Scheduled::Down(connection));
            }
        }
    }

    /// The client sees the end of a connection, and what it wrote arrives later.
    pub fn linger(&mut self, connection: usize, ms: u64) {
        self.tally.add(Count::Lingering);
        self.connections[connection].lingers = true;
        self.stall(connection, true, false, self.now + ms);
        self.connections[connection].down.cut(0);
    }

    /// A black hole comes to its end, and the connection with it.
    pub fn end_hole(&mut self, connection: usize, is_told: bool) {
        self.cut(connection, u16::MAX, u16::MAX);
        if is_told {
            self.browser_loses(connection, 1006, 0);
            self.server_loses(connection);
        } else {
            self.tally.add(Count::HalfOpen);
            self.queue.schedule(self.now + 60_000, Scheduled::ServerLosesConnection(connection));
        }
    }

    pub fn network_returns(&mut self, device: usize) {
        if !self.devices[device].says_offline(self.now) {
            let page = self.devices[device].page;
            self.dispatch(page, BrowserEvent::Online);
        }
    }
}

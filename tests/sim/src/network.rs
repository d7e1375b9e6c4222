//! Connections from attempt to end, as both ends and the network between them make them.

use everwire::proto::SocketId;
use fastrand::Rng;

use crate::frame::Down;
use crate::page::Fact;
use crate::pipe::Pipe;
use crate::tally::Count;
use crate::trace;
use crate::verdict::Rule;
use crate::wire::{Downward, Stage, Upward, Wire};
use crate::world::{Happening, World};

impl World {
    /// The client asks for a token and a connection.
    pub fn open(&mut self, page: usize, socket: SocketId) {
        let number = self.pages[page].device;
        let (setup, device) = (&self.setup.devices[number], &mut self.devices[number]);
        if device.no_tokens > 0 {
            device.no_tokens -= 1;
            self.tally.add(Count::NoTokens);
            self.agenda.note(self.now + 5, Happening::Fact { page, fact: Fact::Failed(socket) });
            return;
        }
        let seed = self.seed ^ ((page as u64) << 32 | u64::from(socket.number())).wrapping_mul(0xd134_2543_de82_ef95);
        let (latency, jitter) = (setup.latency_ms, setup.jitter_ms);
        let wire = self.wires.len();
        self.wires.push(Wire {
            device: number,
            page,
            socket,
            stage: Stage::Attempt,
            is_deaf: false,
            up: Pipe::new(latency, jitter, setup.bandwidth),
            down: Pipe::new(latency, jitter, None),
            rng: Rng::with_seed(seed),
            server: None,
            lingers: false,
            ended_over: None,
            is_hurt: setup.bandwidth.is_some(),
        });
        let device = &self.devices[number];
        if device.offline_until > self.now || device.refusing_until > self.now {
            self.agenda.note(self.now + latency, Happening::ClientHears { wire, code: 1006, deaf_ms: 0 });
        } else if device.silent_until > self.now {
            self.tally.add(Count::Silences);
            if device.is_late {
                let until = device.silent_until + 12_000;
                self.wires[wire].up.stall(until);
                self.write_up(wire, Upward::Handshake, 400);
            }
        } else {
            self.write_up(wire, Upward::Handshake, 400);
        }
    }

    pub fn write_up(&mut self, wire: usize, what: Upward, bytes: u32) {
        let this = &mut self.wires[wire];
        if let Some(at) = this.up.write(what, bytes, &mut this.rng, self.now) {
            self.agenda.note(at, Happening::Up(wire));
        }
    }

    pub fn write_down(&mut self, wire: usize, what: Downward, bytes: u32) {
        let this = &mut self.wires[wire];
        if let Some(at) = this.down.write(what, bytes, &mut this.rng, self.now) {
            self.agenda.note(at, Happening::Down(wire));
        }
    }

    pub fn say(&mut self, wire: usize, down: Down) {
        self.say_truly(wire, down);
        self.lie_now_and_then(wire);
    }

    pub fn say_truly(&mut self, wire: usize, down: Down) {
        let bytes = down.bytes();
        self.write_down(wire, Downward::Frame(down), bytes);
    }

    /// The page closes a socket, politely or not.
    pub fn close_socket(&mut self, page: usize, socket: SocketId, stage: Stage) {
        let Some(wire) = self.wire_of(page, socket) else {
            // The token is still being asked for.
            return;
        };
        if !self.wires[wire].is_live() {
            return self.break_rule(Rule::DriverContract, format!("page {page} closes wire {wire} again"));
        }
        self.wires[wire].stage = stage;
        self.write_up(wire, Upward::Close, 8);
    }

    /// Something has arrived at the browser.
    pub fn browser_reads(&mut self, wire: usize) {
        while let Some(what) = self.wires[wire].down.read(self.now) {
            let page = self.wires[wire].page;
            match what {
                Downward::Handshake => self.tell(page, Fact::Opened(wire)),
                Downward::Frame(down) => self.tell(page, Fact::Frame(wire, down)),
                Downward::Close(code) => self.browser_hears_end(wire, code, 0),
            }
        }
    }

    pub fn browser_hears_end(&mut self, wire: usize, code: u16, deaf_ms: u64) {
        self.wires[wire].is_deaf = true;
        let page = self.wires[wire].page;
        let fact = Fact::Closed(wire, code);
        if deaf_ms == 0 {
            self.tell(page, fact);
        } else {
            self.agenda.note(self.now + deaf_ms, Happening::Fact { page, fact });
        }
    }

    /// The connection that a device's client uses, if it has one.
    pub fn live_wire(&self, device: usize) -> Option<usize> {
        let page = self.devices[device].page;
        self.wires.iter().rposition(|wire| wire.page == page && wire.is_live())
    }

    pub fn cut(&mut self, wire: usize, up: u16, down: u16) {
        trace!(self, "wire {wire} is cut");
        self.wires[wire].is_hurt = true;
        self.tally.add(Count::Cuts);
        let lost = self.wires[wire].up.cut(up) + self.wires[wire].down.cut(down);
        self.tally.add_many(Count::CutFrames, lost);
    }

    pub fn stall(&mut self, wire: usize, up: bool, down: bool, until: u64) {
        self.wires[wire].is_hurt = true;
        if up {
            for at in self.wires[wire].up.stall(until) {
                self.agenda.note(at, Happening::Up(wire));
            }
        }
        if down {
            for at in self.wires[wire].down.stall(until) {
                self.agenda.note(at, Happening::Down(wire));
            }
        }
    }

    /// The client sees the end of a connection, and what it wrote arrives later.
    pub fn linger(&mut self, wire: usize, ms: u64) {
        self.tally.add(Count::Lingering);
        self.wires[wire].lingers = true;
        self.stall(wire, true, false, self.now + ms);
        self.wires[wire].down.cut(0);
    }

    /// A black hole comes to its end, and the connection with it.
    pub fn end_hole(&mut self, wire: usize, is_told: bool) {
        self.cut(wire, u16::MAX, u16::MAX);
        if is_told {
            self.browser_hears_end(wire, 1006, 0);
            self.server_hears_end(wire);
        } else {
            self.tally.add(Count::HalfOpen);
            self.agenda.note(self.now + 60_000, Happening::ServerHears(wire));
        }
    }

    pub fn network_returns(&mut self, device: usize) {
        if self.devices[device].offline_until <= self.now {
            let page = self.devices[device].page;
            self.tell(page, Fact::Online);
        }
    }
}

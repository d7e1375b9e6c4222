//! What travels between a page and the server, and what the network does to it.

use super::connection::Stage;
use super::frames::{Downward, Frame, Upward};
use super::page::Page;
use super::world::{Scheduled, World};
use crate::run_tally::Count;
use crate::trace;
use crate::verdict::Rule;
use everwire::driver::socketio::connection;

pub const fn is_reachable(page: &Page, now: u64) -> bool {
    page.offline_until <= now && page.unreachable_until <= now
}

impl World {
    /// A frame goes to a WebSocket; how much waits behind it, or nothing if it takes none.
    pub fn send_frame(&mut self, connection: usize, frame: Frame) -> Option<u64> {
        trace!(self, "connection {connection}: sends {frame:?}");
        let this = &self.connections[connection];
        if this.stage != Stage::Open || this.stopped_accepting {
            return None;
        }
        match this.max_payload_bytes {
            None => self.break_rule(Rule::ClientBrokeProtocol, format!("{frame:?} before the handshake")),
            Some(most) if frame.is_event() && u64::from(frame.bytes()) > most => {
                self.break_rule(Rule::Oversized, format!("connection {connection} sends {} bytes", frame.bytes()));
            }
            Some(_) => {}
        }
        self.write_up(connection, Upward::Frame(frame));
        Some(self.connections[connection].up.buffered(self.now))
    }

    pub fn write_up(&mut self, connection: usize, what: Upward) {
        let bytes = match &what {
            Upward::Handshake => 400,
            Upward::Frame(frame) => frame.bytes(),
            Upward::Close => 8,
        };
        let this = &mut self.connections[connection];
        if let Some(at) = this.up.write(what, bytes, &mut this.rng, self.now) {
            self.queue.schedule(at, Scheduled::Up(connection));
        }
    }

    pub fn write_down(&mut self, connection: usize, what: Downward) {
        let bytes = match &what {
            Downward::Handshake => 200,
            Downward::Frame(frame) | Downward::Lie(frame, _) => frame.bytes(),
            Downward::Close(_) => 8,
        };
        let this = &mut self.connections[connection];
        if let Some(at) = this.down.write(what, bytes, &mut this.rng, self.now) {
            self.queue.schedule(at, Scheduled::Down(connection));
        }
    }

    /// Something has arrived at the page.
    pub fn page_reads(&mut self, connection: usize) {
        let page = self.connections[connection].page;
        if self.is_suspended(page) {
            // Alarms come first when it runs again.
            let at = self.pages[page].suspended_until + 1;
            return self.queue.schedule(at, Scheduled::Down(connection));
        }
        while let Some(what) = self.connections[connection].down.read(self.now) {
            match what {
                Downward::Handshake => {
                    let this = &mut self.connections[connection];
                    if this.stage == Stage::Attempt {
                        this.stage = Stage::Open;
                        self.tally.add(Count::PacketConnections);
                    }
                }
                Downward::Frame(frame) => self.frame_arrives(connection, frame),
                Downward::Lie(frame, is_flaw) => {
                    let this = &mut self.connections[connection];
                    if this.stage == Stage::Open {
                        this.flaws += u32::from(is_flaw);
                    }
                    self.frame_arrives(connection, frame);
                    self.check_flaws(connection);
                }
                Downward::Close(code) => self.socket_is_closed(connection, code),
            }
        }
    }

    fn frame_arrives(&mut self, connection: usize, frame: Frame) {
        let this = &mut self.connections[connection];
        if this.stage != Stage::Open {
            // Browsers deliver what arrives while they close, and npm's connection listens until it is closed.
            if this.stage != Stage::Closing {
                return;
            }
        }
        trace!(self, "connection {connection}: {frame:?} arrives");
        match frame {
            Frame::Text(text) => {
                if text.starts_with('2') {
                    self.sign_of_life(connection);
                }
                self.connections[connection].is_known |= text.starts_with("40");
                connection::handle_text(&mut self.carrier(connection), &text);
            }
            Frame::Binary(bytes) => connection::handle_binary(&mut self.carrier(connection), bytes),
        }
    }

    /// A handshake or a ping has come: the next is due.
    pub fn sign_of_life(&mut self, connection: usize) {
        let this = &mut self.connections[connection];
        if this.max_payload_bytes.is_none() {
            return;
        }
        this.pings += 1;
        let stamp = this.pings;
        let server = &self.setup.server;
        let delay = server.interval_ms + server.timeout_ms + 10;
        self.schedule(delay, Scheduled::Watch { connection, stamp });
    }

    pub fn page_loses(&mut self, connection: usize, code: u16) {
        let page = self.connections[connection].page;
        if self.is_suspended(page) {
            let at = self.pages[page].suspended_until + 2;
            return self.queue.schedule(at, Scheduled::PageLoses { connection, code });
        }
        self.socket_is_closed(connection, code);
    }

    /// The connection that a page uses, if it has one.
    pub fn live_connection(&self, page: usize) -> Option<usize> {
        self.connections.iter().rposition(|connection| connection.page == page && !connection.is_over_for_good())
    }

    pub fn cut(&mut self, connection: usize, up: u16, down: u16) {
        trace!(self, "connection {connection} is cut");
        let this = &mut self.connections[connection];
        this.is_hurt = true;
        let lost = this.up.cut(up) + this.down.cut(down);
        self.tally.add(Count::Cuts);
        self.tally.add_many(Count::CutFrames, lost);
    }

    pub fn stall(&mut self, connection: usize, up: bool, down: bool, until: u64) {
        self.connections[connection].is_hurt = true;
        self.tally.add(Count::Stalls);
        let this = &mut self.connections[connection];
        let ups = if up { this.up.stall(until) } else { Vec::new() };
        let downs = if down { this.down.stall(until) } else { Vec::new() };
        ups.into_iter().for_each(|at| self.queue.schedule(at, Scheduled::Up(connection)));
        downs.into_iter().for_each(|at| self.queue.schedule(at, Scheduled::Down(connection)));
    }

    /// A black hole comes to its end, and the connection with it.
    pub fn end_hole(&mut self, connection: usize, is_told: bool) {
        self.cut(connection, u16::MAX, u16::MAX);
        if is_told {
            self.page_loses(connection, 1006);
            self.server_loses(connection, true);
        } else {
            self.tally.add(Count::HalfOpen);
            self.schedule(60_000, Scheduled::ServerLoses(connection));
        }
    }
}

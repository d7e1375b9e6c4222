//! What is still on its way to the client, and how it arrives.

use everwire::driver;
use everwire::proto::{Cause, Close, Input, Reason, SocketId, wire};

use crate::test_socket::Stage;
use crate::{Json, TestHarness};

/// Something that is on its way to the client.
#[derive(Debug)]
pub enum Arrival {
    /// The handshake of a socket is complete.
    Opened(SocketId),
    /// The token of a socket cannot be had.
    Failed(SocketId),
    /// There is no token for a socket.
    TokenAbsent(SocketId),
    /// A socket is closed with this code.
    Closed(SocketId, u16),
    /// The server says something.
    Text(SocketId, String),
}

impl TestHarness {
    /// Something will arrive when the latency is over.
    pub fn schedule(&mut self, arrival: Arrival) {
        self.scheduled += 1;
        self.under_way.insert((self.now + self.server.latency_ms, self.scheduled), arrival);
    }

    pub(crate) fn deliver(&mut self) {
        let Some((_, arrival)) = self.under_way.pop_first() else { return };
        match arrival {
            Arrival::Opened(id) => {
                let input = Input::SocketOpened { socket: id };
                if self.socket(id).stage == Stage::Attempt { self.input(input) } else { self.assert_ignored(input) }
            }
            Arrival::Failed(id) => self.arrive(id, Input::OpenFailed { socket: id, cause: Cause::NoToken }),
            Arrival::TokenAbsent(id) => self.arrive(id, Input::TokenAbsent { socket: id }),
            Arrival::Closed(id, code) => self.closed(id, code),
            Arrival::Text(id, text) => self.text_arrives(id, &text),
        }
    }

    /// The server or the network ends the connection.
    pub fn close(&mut self, code: u16) {
        let socket = self.live().expect("a socket is live").id;
        self.closed(socket, code);
    }

    /// A socket is closed with this code.
    pub fn closed(&mut self, socket: SocketId, code: u16) {
        let close = Close { code, reason: Reason::Peer(String::new()), was_clean: code != 1006 };
        self.arrive(socket, Input::SocketClosed { socket, close });
    }

    /// The server says something on the live socket.
    pub fn push(&mut self, envelope: Json) {
        self.push_text(&envelope.to_string());
    }

    /// The server says something, JSON or not, on the live socket.
    pub fn push_text(&mut self, text: &str) {
        let socket = self.live().expect("a socket is live").id;
        self.text_arrives(socket, text);
    }

    /// The server says something on a socket. What is no envelope does not reach the state machine.
    pub fn text_arrives(&mut self, socket: SocketId, text: &str) {
        match wire::parse(text) {
            Some(frame) => self.arrive(socket, Input::Frame { socket, frame }),
            None => self.unreadable += 1,
        }
    }

    /// Something happens to a socket. If the client has nothing to do with it any more, it changes nothing.
    pub fn arrive(&mut self, socket: SocketId, input: Input<Json>) {
        if self.socket(socket).is_live() { self.input(input) } else { self.assert_ignored(input) }
    }

    /// Asserts that an input of a socket that is gone changes nothing.
    pub fn assert_ignored(&mut self, input: Input<Json>) {
        self.input(Input::Timeout);
        let look = |harness: &Self| {
            let whole = harness.is_recording.then(|| format!("{:?}", harness.client()));
            (whole, harness.deadline(), harness.alarm)
        };
        let (before, now) = (look(self), self.time());
        let what = self.is_recording.then(|| format!("{input:?}"));
        self.turn(|browser| driver::handle_input(browser, input, now));
        if !self.breaks_contract {
            assert_eq!(before, look(self), "changed by a stale {what:?}");
            assert_eq!(self.calls, 0, "a stale {what:?} leads to something");
        }
    }

    /// The server gets to know what the client hears, and the browser what it reports itself.
    pub(crate) fn note_input(&mut self, input: &Input<Json>) {
        match input {
            Input::NetworkOnline => self.is_offline = false,
            Input::NetworkOffline => self.is_offline = true,
            Input::SocketOpened { socket } => {
                let socket = self.socket(*socket);
                if socket.stage == Stage::Attempt {
                    socket.stage = Stage::Open;
                }
            }
            Input::SocketClosed { socket, close } => {
                self.socket(*socket).stage = Stage::Closed;
                self.strikes += u32::from(BLAMING.contains(&close.code));
            }
            Input::OpenFailed { socket, .. } | Input::TokenAbsent { socket } => {
                self.socket(*socket).stage = Stage::Closed
            }
            Input::Frame { socket, frame } => self.note_frame(*socket, frame),
            _ => {}
        }
    }
}

/// The close codes with which a server can mean a message (docs/PROTOCOL.md).
const BLAMING: [u16; 6] = [1003, 1007, 1009, 1011, 4400, 4409];

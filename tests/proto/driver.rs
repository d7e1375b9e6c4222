//! Drives the client as the contract in the crate's documentation says, and asserts after every input what always holds.

use everwire::proto::{
    Cause, Client, Close, Delivery, Event, Input, Message, Output, Phase, Reason, SocketId, Timestamp,
};
use serde_json::{Value, json};

use crate::server::{Handshake, Heard, Socket, Stage};
use crate::wire::{Envelope, label};
use crate::world::World;

/// FrameKind that is still on its way to the client.
#[derive(Debug)]
pub enum Fact {
    Opened(SocketId),
    Failed(SocketId),
    Closed(SocketId, u16),
    Frame(SocketId, Value),
}

/// The part of the snapshot whose changes are announced.
pub type Seen = (Phase, u32, Option<Timestamp>, usize, u64, Option<u64>, Option<Close>, Delivery, bool, u32);

impl World {
    pub fn schedule(&mut self, fact: Fact) {
        self.scheduled += 1;
        self.under_way.insert((self.now + self.server.latency_ms, self.scheduled), fact);
    }

    pub fn deliver(&mut self) {
        let Some((_, fact)) = self.under_way.pop_first() else { return };
        match fact {
            Fact::Opened(id) => {
                if self.socket(id).stage == Stage::Attempt {
                    self.socket(id).stage = Stage::Open;
                    self.input(Input::SocketOpened { socket: id });
                } else {
                    self.assert_ignored(Input::SocketOpened { socket: id });
                }
            }
            Fact::Failed(id) => {
                let input = Input::OpenFailed { socket: id, cause: Cause::NoToken };
                if self.socket(id).is_live() {
                    self.socket(id).stage = Stage::Closed;
                    self.input(input);
                } else {
                    self.assert_ignored(input);
                }
            }
            Fact::Closed(id, code) => self.closed(id, code),
            Fact::Frame(id, envelope) => {
                if self.socket(id).is_live() {
                    self.hear(id, envelope);
                } else {
                    self.assert_ignored(Input::Frame { socket: id, payload: Envelope(envelope) });
                }
            }
        }
    }

    pub fn closed(&mut self, socket: SocketId, code: u16) {
        let close = Close { code, reason: Reason::Peer(String::new()), was_clean: code != 1006 };
        if self.socket(socket).is_live() {
            self.socket(socket).stage = Stage::Closed;
            self.input(Input::SocketClosed { socket, close });
        } else {
            self.assert_ignored(Input::SocketClosed { socket, close });
        }
    }

    pub fn socket(&mut self, id: SocketId) -> &mut Socket {
        self.sockets.iter_mut().rfind(|socket| socket.id == id).expect("the client names sockets it asked for")
    }

    pub fn perform(&mut self) {
        let mut announced = None;
        loop {
            let mut refused_by = None;
            let mut refused = Vec::new();
            let mut measured = None;
            while let Some(output) = self.client.poll_output() {
                self.trace.push(format!("{} {output:?}", self.now));
                match output {
                    Output::Open { socket, token_refused } => self.try_to_open(socket, token_refused),
                    Output::Transmit { socket, message, sequence } => {
                        let target = self.socket(socket);
                        assert_eq!(target.stage, Stage::Open, "a frame for a socket that is not open");
                        if target.room > 0 {
                            target.room -= 1;
                            let Message { frame, purpose, .. } = *message;
                            target.heard.push(Heard { label: label(&frame), purpose, sequence });
                            measured = Some(socket);
                            self.process(socket, sequence);
                        } else {
                            refused_by = Some(socket);
                            refused.push(message);
                        }
                    }
                    Output::Ping { socket } => self.ping(socket),
                    Output::Release { .. } => {}
                    Output::Hello { socket, sender, resumes } => self.greet(socket, sender, resumes),
                    Output::CheckBuffer { socket } => {
                        let bytes = self.buffered;
                        self.client.handle_input(Input::Buffered { socket, bytes }, self.time());
                    }
                    Output::Close { socket } => {
                        self.socket(socket).stage = Stage::Closing;
                        if self.server.completes_closing {
                            self.schedule(Fact::Closed(socket, 1000));
                        }
                    }
                    Output::Abandon { socket } => {
                        let at = self.now;
                        let target = self.socket(socket);
                        assert!(target.is_live(), "abandoned twice");
                        target.stage = Stage::Abandoned { at };
                    }
                    Output::Event(event) => {
                        if let Event::Changed { phase } = event {
                            announced = Some(announced.unwrap_or(false) || phase);
                        }
                        self.events.push((self.now, event));
                    }
                }
            }
            let input = match (refused_by, measured) {
                (Some(socket), _) => Input::Undelivered { socket, messages: refused },
                (None, Some(socket)) => Input::Buffered { socket, bytes: self.buffered },
                (None, None) => break,
            };
            self.client.handle_input(input, self.time());
        }
        self.check(announced);
    }

    fn try_to_open(&mut self, id: SocketId, token_refused: bool) {
        self.sockets.push(Socket::new(id, self.now, token_refused));
        match self.server.handshake {
            Handshake::Accept => self.schedule(Fact::Opened(id)),
            Handshake::AcceptDeaf => {
                self.socket(id).room = 0;
                self.schedule(Fact::Opened(id));
            }
            Handshake::Refuse => self.schedule(Fact::Closed(id, 1006)),
            Handshake::Close(code) => {
                self.schedule(Fact::Opened(id));
                self.schedule(Fact::Closed(id, code));
            }
            Handshake::Silent => {}
            Handshake::NoToken => self.schedule(Fact::Failed(id)),
        }
    }

    fn ping(&mut self, id: SocketId) {
        let now = self.now;
        let socket = self.socket(id);
        assert_eq!(socket.stage, Stage::Open, "a ping for a socket that is not open");
        socket.pings.push(now);
        if socket.room > 0 && self.server.answers_pings {
            self.schedule(Fact::Frame(id, json!({ "type": "pong", "data": {} })));
        }
    }

    /// Asserts that a fact about a socket that is gone changes nothing.
    pub fn assert_ignored(&mut self, input: Input<String, Envelope>) {
        self.input(Input::Timeout);
        let before = format!("{:?}", self.client);
        let what = format!("{input:?}");
        self.client.handle_input(input, self.time());
        assert_eq!(before, format!("{:?}", self.client), "changed by a stale {what}");
    }

    /// What holds after every input.
    fn check(&mut self, announced: Option<bool>) {
        let live: Vec<_> = self.sockets.iter().filter(|socket| socket.is_live()).map(|socket| socket.id).collect();
        assert!(live.len() <= 1, "{live:?} are live at once");
        assert_eq!(self.client.socket(), live.first().copied(), "the client and the browser disagree");

        let before = core::mem::replace(&mut self.seen, seen(&self.client));
        if before != self.seen {
            assert!(announced.is_some(), "{before:?} became {:?} unannounced", self.seen);
            assert!(before.0 == self.seen.0 || announced == Some(true), "{:?} came unannounced", self.seen.0);
        }

        let (phase, _, retry_at, queued, queued_bytes, ..) = self.seen;
        let alarm = self.alarm();
        assert!(alarm.is_none_or(|(at, _)| at > self.now), "{alarm:?} is over at {}", self.now);
        let must_wake = match phase {
            Phase::Connecting | Phase::Waiting | Phase::Offline | Phase::Closing => true,
            Phase::Open => self.config.heartbeat.interval_ms != u64::MAX,
            Phase::Idle | Phase::GivenUp | Phase::Fatal => false,
            _ => panic!("nobody has said yet whether {phase:?} needs a deadline"),
        };
        assert!(!must_wake || alarm.is_some(), "{phase:?} without a deadline");
        assert_eq!(retry_at.is_some(), matches!(phase, Phase::Waiting | Phase::Offline));
        if !self.has_restored {
            assert!(queued <= self.config.queue.max_messages as usize, "{queued} messages wait");
            assert!(queued_bytes <= u64::from(self.config.queue.max_bytes), "{queued_bytes} bytes wait");
        }
        assert!(
            phase != Phase::Open || queued == 0 || self.buffered > 0 || self.config.reliable,
            "{queued} messages wait on an open connection"
        );
    }
}

/// What the client shows now.
pub fn seen(client: &Client<String, Envelope>) -> Seen {
    let snapshot = client.snapshot();
    let close = snapshot.close.cloned();
    let waiting = (snapshot.queued, snapshot.queued_bytes);
    let mode = (snapshot.delivery, snapshot.has_room, snapshot.protocol_errors);
    let rtt = snapshot.last_rtt_ms;
    (snapshot.phase, snapshot.attempt, snapshot.retry_at, waiting.0, waiting.1, rtt, close, mode.0, mode.1, mode.2)
}

//! The model server: docs/PROTOCOL.md, "A server in an afternoon".

use crate::client_frame::Up;
use crate::downward_frame::{Down, Kind, Position, Stream};
use crate::flaw::Flaw;
use crate::run_tally::Count;
use crate::sent_message::{MessageModel, What};
use crate::server_store::{Log, Stored};
use crate::simulated_connection::{Downward, ServerEnd, Upward};
use crate::simulation::{Scheduled, Simulation};
use crate::trace;
use crate::verdict::Rule;

impl Simulation {
    /// Something has arrived at the server.
    pub fn server_reads(&mut self, connection: usize) {
        while let Some(what) = self.connections[connection].up.read(self.now) {
            trace!(self, "server: connection {connection} brings {what:?}");
            match what {
                Upward::Handshake => self.shake_hands(connection),
                Upward::Frame(frame) => {
                    if self.connections[connection].server.is_some() {
                        self.receive_up(connection, frame);
                    }
                }
                Upward::Close => {
                    // What the server has lost is answered by its system, and not by a closing handshake.
                    let code = if self.connections[connection].server.is_some() { 1000 } else { 1006 };
                    self.server_loses(connection);
                    self.write_down(connection, Downward::Close(code), 8);
                }
            }
        }
    }

    fn shake_hands(&mut self, connection: usize) {
        if !self.server_is_up {
            return self.write_down(connection, Downward::Close(1006), 50);
        }
        self.write_down(connection, Downward::Handshake, 200);
        let device = &mut self.devices[self.connections[connection].device];
        if device.refused_tokens > 0 {
            device.refused_tokens -= 1;
            let code = device.refusal_code;
            self.tally.add(Count::TokensRefused);
            return self.write_down(connection, Downward::Close(code), 8);
        }
        self.connections[connection].server = Some(ServerEnd::default());
        if self.server_is_plain {
            self.connections[connection].is_plain = true;
            self.tally.add(Count::PlainWelcomes);
            if self.setup.server.is_silent {
                let page = self.connections[connection].page;
                self.pages[page].has_met_silence = true;
            }
        }
    }

    fn receive_up(&mut self, connection: usize, frame: Up) {
        self.check_order(connection, &frame);
        match frame {
            Up::Ping if self.setup.server.is_silent => {}
            Up::Ping => self.send_frame(connection, Down::plain(Kind::Pong)),
            Up::Hello { sender, streams } => self.answer_hello(connection, sender, streams),
            Up::Message { uid, is_request, .. } if self.messages[uid as usize].is_request != is_request => {
                self.break_rule(Rule::ClientBrokeProtocol, format!("message {uid} is a request, or is not"));
            }
            Up::Message { uid, sequence: Some(sequence), .. } => {
                if !self.holds(connection, uid, sequence) {
                    self.take(connection, uid, sequence.seq, sequence.prev);
                }
            }
            // A joined room is entered again without a number.
            Up::Message { joins: Some(room), is_rejoin: true, .. } => {
                if self.connections[connection].server.as_ref().is_some_and(|end| !end.is_superseded) {
                    self.enter(connection, room);
                }
            }
            Up::Message { uid, sequence: None, .. } => {
                // A page may go on for a moment to take a server for what it was.
                let may_be_mistaken = self.pages[self.connections[connection].page].has_met_silence;
                if !self.server_is_plain && self.messages[uid as usize].what != What::Volatile && !may_be_mistaken {
                    let detail = format!("message {uid} comes without a number");
                    self.break_rule(Rule::ClientBrokeProtocol, detail);
                }
                if !self.ends_over(connection, uid) {
                    self.process(connection, uid, None);
                }
            }
        }
    }

    /// A connection begins with a hello and a ping, and only its first hello names positions.
    fn check_order(&mut self, connection: usize, frame: &Up) {
        let Some(end) = &mut self.connections[connection].server else { return };
        end.received += 1;
        let is_right = match frame {
            Up::Hello { streams, .. } => streams.is_some() == (end.received == 1),
            Up::Ping => end.received > 1,
            Up::Message { .. } => end.received > 2,
        };
        if !is_right {
            let received = end.received;
            self.break_rule(Rule::ClientBrokeProtocol, format!("frame {received} of a connection is {frame:?}"));
        }
    }

    pub fn user(&self, connection: usize) -> u32 {
        self.setup.devices[self.connections[connection].device].user
    }

    /// A stream, which may have to begin first.
    pub fn log(&mut self, stream: Stream) -> &mut Log {
        let clock = self.now.saturating_add_signed(self.server_ahead_ms);
        let starts_over = self.setup.server.flaw == Some(Flaw::Offsets);
        self.memory.log(stream, (!starts_over).then_some(clock))
    }

    /// The connection carries a stream from here.
    pub fn carry(&mut self, connection: usize, position: Position) {
        if let Some(end) = &mut self.connections[connection].server {
            end.carried.push((position.stream, position.offset));
        }
    }

    /// What no client that keeps to the protocol brings about.
    pub fn refuse_client(&mut self, connection: usize, code: u16, why: &str) {
        self.break_rule(Rule::ClientBrokeProtocol, format!("connection {connection} closed with {code}: {why}"));
        self.close_connection(connection, code);
    }

    pub fn close_connection(&mut self, connection: usize, code: u16) {
        if self.connections[connection].server.is_some() {
            self.server_loses(connection);
            self.write_down(connection, Downward::Close(code), 8);
        }
    }

    /// The table of cases.
    pub fn take(&mut self, connection: usize, uid: u32, seq: u64, prev: u64) {
        if self.ends_over(connection, uid) {
            return;
        }
        let user = self.user(connection);
        let dedupes = self.setup.server.flaw != Some(Flaw::Dedupe);
        let Some(end) = &mut self.connections[connection].server else { return };
        let Some(sender) = end.sender else {
            return self.refuse_client(connection, 4400, "a number before the hello");
        };
        // Rooms are joined again without a number, which only works when nobody else acts for the client in a room.
        if end.is_superseded && !matches!(self.messages[uid as usize].what, What::Note { room: None }) {
            return self.close_connection(connection, 4410);
        }
        let window = end.window;
        end.unacknowledged += 1;
        end.seen = end.seen.max(seq);
        if end.unacknowledged > window {
            let detail = format!("{} messages unacknowledged, {window} allowed", end.unacknowledged);
            return self.break_rule(Rule::WindowExceeded, detail);
        }
        if end.unacknowledged == window {
            self.tally.add(Count::FullWindows);
        }
        if seq != self.messages[uid as usize].seq {
            return self.refuse_client(connection, 4400, &format!("message {uid} comes as {seq}"));
        }
        if prev >= seq {
            return self.refuse_client(connection, 4400, "prev is not below seq");
        }
        let last = self.memory.last(user, sender);
        if seq <= last && dedupes {
            self.tally.add(Count::Duplicates);
        } else if prev > last {
            return self.refuse_client(connection, 4409, &format!("{prev} is missing before {seq}, last is {last}"));
        } else if prev < last && dedupes {
            return self.refuse_client(connection, 4400, &format!("{seq} after {prev} does not fit {last}"));
        } else {
            self.memory.clients.entry((user, sender)).or_default().last = seq.max(last);
            if self.setup.server.acks_first {
                self.plan_acknowledgement(connection);
            }
            self.process(connection, uid, Some(seq));
        }
        self.plan_acknowledgement(connection);
    }

    fn plan_acknowledgement(&mut self, connection: usize) {
        let delay = self.setup.server.ack_delay_ms;
        let Some(end) = &mut self.connections[connection].server else { return };
        if delay == 0 {
            self.acknowledge(connection);
        } else if !end.ack_is_due {
            end.ack_is_due = true;
            self.queue.schedule(self.now + delay, Scheduled::Ack(connection));
        }
    }

    pub fn acknowledge(&mut self, connection: usize) {
        let user = self.user(connection);
        let Some(end) = &mut self.connections[connection].server else { return };
        end.ack_is_due = false;
        let (Some(sender), true) = (end.sender, end.unacknowledged > 0) else { return };
        end.unacknowledged = 0;
        // A superseded connection may have brought more than this one.
        let seq = self.memory.last(user, sender).min(end.seen);
        end.acked = seq;
        self.send_frame(connection, Down::plain(Kind::Ack { seq }));
    }

    fn process(&mut self, connection: usize, uid: u32, seq: Option<u64>) {
        let epoch = self.memory.epoch;
        let judged = self.messages[uid as usize].process(epoch);
        self.judge(uid, judged);
        self.tally.add(Count::Processed);
        let user = self.user(connection);
        let MessageModel { sender, what, bytes, .. } = self.messages[uid as usize];
        if let Some(seq) = seq {
            let latest = self.latest.insert(sender, (seq, epoch));
            if latest.is_some_and(|(before, life)| life == epoch && before >= seq) {
                self.break_rule(Rule::Reordered, format!("{seq} of page {sender} after {latest:?}"));
            }
        }
        let refuses = self.setup.server.refuses_every;
        match what {
            What::Volatile if self.messages[uid as usize].is_chat => self.relay(connection, uid),
            What::Volatile => {}
            What::Join(room) => self.enter(connection, room),
            What::Leave(room) => self.leave(connection, room),
            What::Note { room: Some(room) } if !self.members.contains(&(user, room)) => {
                self.receive_from_absent(connection, uid, seq, room);
            }
            What::Note { .. } if u64::from(bytes) > self.setup.server.limits.max_bytes => {
                self.refuse_message(connection, uid, seq);
            }
            What::Note { .. } if refuses > 0 && uid % refuses == refuses - 1 => {
                self.refuse_message(connection, uid, seq)
            }
            What::Note { room } => self.effects(connection, uid, seq, room),
        }
    }

    /// Refuses a message. Where answers are stored, that of a request is.
    pub fn refuse_message(&mut self, connection: usize, uid: u32, seq: Option<u64>) {
        self.tally.add(Count::ServerRefused);
        self.messages[uid as usize].was_refused = true;
        let sender = self.connections[connection].server.as_ref().and_then(|end| end.sender);
        let is_stored = self.setup.server.stores_replies && self.messages[uid as usize].is_request;
        match (seq, sender) {
            (Some(seq), Some(sender)) if is_stored => self.push(Stream::Sender(sender), Kind::Refused { seq }),
            (Some(seq), _) => self.send_frame(connection, Down::plain(Kind::Refused { seq })),
            (None, _) => self.send_frame(connection, Down::plain(Kind::Error)),
        }
    }

    pub fn effects(&mut self, connection: usize, uid: u32, seq: Option<u64>, room: Option<u32>) {
        let user = self.user(connection);
        match room {
            Some(_) if self.messages[uid as usize].is_chat => self.relay(connection, uid),
            Some(room) => self.push(Stream::Room(room), Kind::EVENT),
            None if uid.is_multiple_of(4) => {
                // It is for the other devices of the user; the client that did it recognises it.
                let cause = Some((self.messages[uid as usize].sender as u32, seq));
                self.push(Stream::User(user), Kind::Event { cause });
            }
            None => {}
        }
        let (Some(seq), Some(sender)) = (seq, self.connections[connection].server.as_ref().and_then(|end| end.sender))
        else {
            return;
        };
        let epoch = self.memory.epoch;
        let entry = &self.messages[uid as usize];
        if entry.is_request {
            let at = self.now + self.setup.server.reply_delay_ms;
            self.queue.schedule(at, Scheduled::Reply { sender, seq, epoch });
        } else if uid.is_multiple_of(5) {
            for (delay, read) in [(20, false), (700, true)] {
                self.queue.schedule(self.now + delay, Scheduled::Receipt { sender, seq, read, epoch });
            }
        }
    }

    pub fn reply(&mut self, sender: u32, seq: u64, epoch: u64) {
        if epoch != self.memory.epoch {
            return;
        }
        if !self.server_is_up {
            return self.queue.schedule(self.now + 1_000, Scheduled::Reply { sender, seq, epoch });
        }
        if self.setup.server.stores_replies {
            return self.push(Stream::Sender(sender), Kind::Reply { seq });
        }
        let speaks = |end: &ServerEnd| end.sender == Some(sender);
        if let Some(connection) =
            self.connections.iter().rposition(|connection| connection.server.as_ref().is_some_and(speaks))
        {
            self.send_frame(connection, Down::plain(Kind::Reply { seq }));
        }
    }

    pub fn receipt(&mut self, sender: u32, seq: u64, read: bool, epoch: u64) {
        if epoch == self.memory.epoch && self.server_is_up {
            self.push(Stream::Sender(sender), Kind::Receipt { seq, read });
        }
    }

    /// Stores an event and sends it to everybody who follows the stream.
    pub fn push(&mut self, stream: Stream, kind: Kind) {
        let skip = if self.setup.server.skips_offsets { self.rng.u64(0..3) } else { 0 };
        let history = self.setup.server.history;
        let Stored { position, prev, .. } = self.log(stream).store(kind.clone(), skip, history);
        for connection in 0..self.connections.len() {
            let user = self.user(connection);
            let is_plain = self.server_is_plain;
            let Some(end) = &mut self.connections[connection].server else { continue };
            let stored = Down::stored(kind.clone(), position, prev);
            if is_plain {
                let is_told = matches!((stream, &kind), (Stream::Room(room), Kind::Chat(..)) if self.members.contains(&(user, room)));
                if stream == Stream::User(user) || is_told {
                    self.send_frame(connection, Down::plain(kind.clone()));
                }
            } else if let Some(at) = end.position(stream) {
                *at = position.offset;
                self.send_frame(connection, stored);
            } else if end.sender.is_none() && stream == Stream::User(user) {
                self.send_frame(connection, stored);
            }
        }
    }

    /// Membership ends with the user's last connection.
    pub fn server_loses(&mut self, connection: usize) {
        let user = self.user(connection);
        self.connections[connection].is_hurt = true;
        if let Some(end) = self.connections[connection].server.take() {
            end.senders.into_iter().for_each(|sender| self.goes_away(user, sender));
        }
        if !(0..self.connections.len())
            .any(|other| self.connections[other].server.is_some() && self.user(other) == user)
        {
            self.members.retain(|(member, _)| *member != user);
        }
    }
}

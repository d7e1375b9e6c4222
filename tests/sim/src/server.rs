//! The model server: docs/PROTOCOL.md, "A server in an afternoon".

use crate::flaw::Flaw;
use crate::frame::{Down, Kind, Position, Stream, Up};
use crate::ledger::What;
use crate::memory::{Log, Stored};
use crate::tally::Count;
use crate::trace;
use crate::verdict::Rule;
use crate::wire::{Downward, ServerEnd, Stage, Upward};
use crate::world::{Happening, World};

impl World {
    /// Something has arrived at the server.
    pub fn server_reads(&mut self, wire: usize) {
        while let Some(what) = self.wires[wire].up.read(self.now) {
            trace!(self, "server: wire {wire} brings {what:?}");
            match what {
                Upward::Handshake => self.shake_hands(wire),
                Upward::Frame(frame) => {
                    if self.wires[wire].server.is_some() {
                        self.hear_up(wire, frame);
                    }
                }
                Upward::Close => {
                    self.server_hears_end(wire);
                    self.write_down(wire, Downward::Close(1000), 8);
                }
            }
        }
    }

    fn shake_hands(&mut self, wire: usize) {
        if !self.server_is_up {
            return self.write_down(wire, Downward::Close(1006), 50);
        }
        self.write_down(wire, Downward::Handshake, 200);
        let device = &mut self.devices[self.wires[wire].device];
        if device.refused_tokens > 0 {
            device.refused_tokens -= 1;
            let code = device.refusal_code;
            self.tally.add(Count::TokensRefused);
            return self.write_down(wire, Downward::Close(code), 8);
        }
        self.wires[wire].server = Some(ServerEnd::default());
        if self.server_is_plain {
            self.tally.add(Count::PlainWelcomes);
        }
    }

    fn hear_up(&mut self, wire: usize, frame: Up) {
        match frame {
            Up::Ping => self.say(wire, Down::plain(Kind::Pong)),
            Up::Hello { sender, streams } => self.greet(wire, sender, &streams),
            Up::Message { uid, numbers: None } => {
                if !self.server_is_plain && self.ledger[uid as usize].what != What::Volatile {
                    let detail = format!("message {uid} comes without a number");
                    self.break_rule(Rule::ClientBrokeProtocol, detail);
                }
                if !self.ends_over(wire, uid) {
                    self.process(wire, uid, None);
                }
            }
            Up::Message { uid, numbers: Some(numbers) } => {
                if !self.holds(wire, uid, numbers) {
                    self.take(wire, uid, numbers.seq, numbers.prev);
                }
            }
            Up::Rejoin { room } => {
                if self.wires[wire].server.as_ref().is_some_and(|end| !end.is_superseded) {
                    self.enter(wire, room);
                }
            }
        }
    }

    pub fn user(&self, wire: usize) -> u32 {
        self.setup.devices[self.wires[wire].device].user
    }

    fn greet(&mut self, wire: usize, sender: u32, named: &[(Stream, u64)]) {
        if self.server_is_plain {
            if wire.is_multiple_of(2) {
                self.say(wire, Down::plain(Kind::HelloUnknown));
            }
            return;
        }
        let user = self.user(wire);
        let others: Vec<_> = (0..self.wires.len())
            .filter(|other| *other != wire && self.user(*other) == user)
            .filter(|other| self.wires[*other].server.as_ref().is_some_and(|end| end.sender == Some(sender)))
            .collect();
        for other in others {
            self.tally.add(Count::Superseded);
            // Its process may be busy with what has arrived; another page's would take numbers that this one skips.
            let holds = self.now < self.held_until;
            if self.setup.server.supersedes_late && self.wires[other].page == self.wires[wire].page && !holds {
                let at = self.now + BUSY_MS;
                self.agenda.note(at, Happening::Supersede(other));
                if let Some(end) = &mut self.wires[other].server {
                    end.is_superseded = true;
                }
            } else {
                self.close_wire(other, 4410);
            }
        }
        if self.wires[wire].stage == Stage::Abandoned || self.wires[wire].lingers {
            self.tally.add(Count::LateHellos);
        }
        let row = self.memory.clients.entry((user, sender)).or_default();
        row.away_since = None;
        let last = row.last;
        let Some(end) = &mut self.wires[wire].server else { return };
        if end.sender == Some(sender) {
            return self.refuse_client(wire, 4400, "the same hello twice");
        }
        if end.unacknowledged > 0 {
            return self.refuse_client(wire, 4400, "another hello with messages under way");
        }
        let mut wanted: Vec<_> = named.iter().map(|(stream, at)| (*stream, Some(*at))).collect();
        if self.setup.server.leaves_out {
            let joined = &self.memory.joined;
            wanted.retain(|(stream, _)| !matches!(*stream, Stream::Room(room) if !joined.contains(&(user, room))));
        }
        let own = [Stream::Sender(sender), Stream::User(user)];
        for stream in end.carried.iter().map(|(carried, _)| *carried).chain(own) {
            if !wanted.iter().any(|(other, _)| *other == stream) {
                wanted.push((stream, None));
            }
        }
        if !named.is_empty() {
            self.tally.add(Count::Resumed);
        }
        let mut streams = Vec::new();
        let mut replay = Vec::new();
        for (stream, named) in wanted {
            let carried = self.wires[wire].server.as_mut().and_then(|end| end.position(stream).copied());
            let log = self.log(stream);
            if let Some(at) = carried {
                streams.push(log.at(at));
                continue;
            }
            let position = log.resume(named);
            streams.push(position);
            replay.extend(log.after(position.offset).cloned());
            let newest = log.resume(None);
            self.carry(wire, newest);
        }
        let Some(end) = &mut self.wires[wire].server else { return };
        end.sender = Some(sender);
        end.senders.push(sender);
        (end.acked, end.seen) = (last, last);
        let (epoch, window, limits) = (self.memory.epoch, self.setup.server.window, self.setup.server.limits);
        let welcome = Kind::Welcome { epoch, last, window, limits, streams };
        if self.tells_false_welcome(wire, sender, &welcome) {
            return;
        }
        self.say(wire, Down::plain(welcome));
        for Stored { position, prev, kind } in replay {
            self.say(wire, Down::stored(kind, position, prev));
        }
    }

    /// A stream, which may have to begin first.
    pub fn log(&mut self, stream: Stream) -> &mut Log {
        let clock = self.now.saturating_add_signed(self.server_ahead_ms);
        let starts_over = self.setup.server.flaw == Some(Flaw::Offsets);
        self.memory.log(stream, (!starts_over).then_some(clock))
    }

    /// The connection carries a stream from here.
    pub fn carry(&mut self, wire: usize, position: Position) {
        if let Some(end) = &mut self.wires[wire].server {
            end.carried.push((position.stream, position.offset));
        }
    }

    /// What no client that keeps to the protocol brings about.
    fn refuse_client(&mut self, wire: usize, code: u16, why: &str) {
        self.break_rule(Rule::ClientBrokeProtocol, format!("wire {wire} closed with {code}: {why}"));
        self.close_wire(wire, code);
    }

    pub fn close_wire(&mut self, wire: usize, code: u16) {
        if self.wires[wire].server.is_some() {
            self.server_hears_end(wire);
            self.write_down(wire, Downward::Close(code), 8);
        }
    }

    /// The table of cases.
    pub fn take(&mut self, wire: usize, uid: u32, seq: u64, prev: u64) {
        if self.ends_over(wire, uid) {
            return;
        }
        let user = self.user(wire);
        let window = self.setup.server.window;
        let dedupes = self.setup.server.flaw != Some(Flaw::Dedupe);
        let Some(end) = &mut self.wires[wire].server else { return };
        let Some(sender) = end.sender else {
            return self.refuse_client(wire, 4400, "a number before the hello");
        };
        // Rooms are joined again without a number, which only works when nobody else acts for the client in a room.
        if end.is_superseded && !matches!(self.ledger[uid as usize].what, What::Note { room: None }) {
            return self.close_wire(wire, 4410);
        }
        end.unacknowledged += 1;
        end.seen = end.seen.max(seq);
        if end.unacknowledged > window {
            let detail = format!("{} messages unacknowledged, {window} allowed", end.unacknowledged);
            return self.break_rule(Rule::WindowExceeded, detail);
        }
        if end.unacknowledged == window {
            self.tally.add(Count::FullWindows);
        }
        if prev >= seq {
            return self.refuse_client(wire, 4400, "prev is not below seq");
        }
        let last = self.memory.last(user, sender);
        if seq <= last && dedupes {
            self.tally.add(Count::Duplicates);
        } else if prev > last {
            return self.refuse_client(wire, 4409, &format!("{prev} is missing before {seq}, last is {last}"));
        } else if prev < last && dedupes {
            return self.refuse_client(wire, 4400, &format!("{seq} after {prev} does not fit {last}"));
        } else {
            self.memory.clients.entry((user, sender)).or_default().last = seq.max(last);
            if self.setup.server.acks_first {
                self.plan_acknowledgement(wire);
            }
            self.process(wire, uid, Some(seq));
        }
        self.plan_acknowledgement(wire);
    }

    fn plan_acknowledgement(&mut self, wire: usize) {
        let delay = self.setup.server.ack_delay_ms;
        let Some(end) = &mut self.wires[wire].server else { return };
        if delay == 0 {
            self.acknowledge(wire);
        } else if !end.ack_is_due {
            end.ack_is_due = true;
            self.agenda.note(self.now + delay, Happening::Ack(wire));
        }
    }

    pub fn acknowledge(&mut self, wire: usize) {
        let user = self.user(wire);
        let Some(end) = &mut self.wires[wire].server else { return };
        end.ack_is_due = false;
        let (Some(sender), true) = (end.sender, end.unacknowledged > 0) else { return };
        end.unacknowledged = 0;
        // A superseded connection may have brought more than this one.
        let seq = self.memory.last(user, sender).min(end.seen);
        end.acked = seq;
        self.say(wire, Down::plain(Kind::Ack { seq }));
    }

    fn process(&mut self, wire: usize, uid: u32, seq: Option<u64>) {
        let epoch = self.memory.epoch;
        let judged = self.ledger[uid as usize].process(epoch);
        self.judge(uid, judged);
        self.tally.add(Count::Processed);
        let user = self.user(wire);
        let entry = self.ledger[uid as usize].clone();
        if let Some(seq) = seq {
            let latest = self.latest.insert(entry.sender, (seq, epoch));
            if latest.is_some_and(|(before, life)| life == epoch && before >= seq) {
                self.break_rule(Rule::Reordered, format!("{seq} of page {} after {latest:?}", entry.sender));
            }
        }
        let refuses = self.setup.server.refuses_every;
        match entry.what {
            What::Volatile => {}
            What::Join(room) => self.enter(wire, room),
            What::Leave(room) => self.leave(user, room),
            What::Note { room: Some(room) } if !self.members.contains(&(user, room)) => {
                self.hear_absent(wire, uid, seq, room);
            }
            What::Note { .. } if u64::from(entry.bytes) > self.setup.server.limits.max_bytes => {
                self.refuse_message(wire, seq);
            }
            What::Note { .. } if refuses > 0 && uid % refuses == refuses - 1 => self.refuse_message(wire, seq),
            What::Note { room } => self.effects(wire, uid, seq, room),
        }
    }

    pub fn refuse_message(&mut self, wire: usize, seq: Option<u64>) {
        self.tally.add(Count::ServerRefused);
        if let Some(seq) = seq {
            self.say(wire, Down::plain(Kind::Refused { seq }));
        }
    }

    pub fn effects(&mut self, wire: usize, uid: u32, seq: Option<u64>, room: Option<u32>) {
        let user = self.user(wire);
        match room {
            Some(room) => self.push(Stream::Room(room), Kind::Event),
            None if uid.is_multiple_of(4) => self.push(Stream::User(user), Kind::Event),
            None => {}
        }
        let (Some(seq), Some(sender)) = (seq, self.wires[wire].server.as_ref().and_then(|end| end.sender)) else {
            return;
        };
        let epoch = self.memory.epoch;
        let entry = &self.ledger[uid as usize];
        if entry.is_request && !entry.was_restored {
            let at = self.now + self.setup.server.reply_delay_ms;
            self.agenda.note(at, Happening::Reply { sender, seq, epoch });
        } else if uid.is_multiple_of(5) {
            for (delay, read) in [(20, false), (700, true)] {
                self.agenda.note(self.now + delay, Happening::Receipt { sender, seq, read, epoch });
            }
        }
    }

    pub fn reply(&mut self, sender: u32, seq: u64, epoch: u64) {
        if epoch != self.memory.epoch {
            return;
        }
        if !self.server_is_up {
            return self.agenda.note(self.now + 1_000, Happening::Reply { sender, seq, epoch });
        }
        if self.setup.server.stores_replies {
            return self.push(Stream::Sender(sender), Kind::Reply { seq });
        }
        let speaks = |end: &ServerEnd| end.sender == Some(sender);
        if let Some(wire) = self.wires.iter().rposition(|wire| wire.server.as_ref().is_some_and(speaks)) {
            self.say(wire, Down::plain(Kind::Reply { seq }));
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
        for wire in 0..self.wires.len() {
            let user = self.user(wire);
            let is_plain = self.server_is_plain;
            let Some(end) = &mut self.wires[wire].server else { continue };
            let stored = Down::stored(kind.clone(), position, prev);
            if is_plain {
                if stream == Stream::User(user) {
                    self.say(wire, Down::plain(kind.clone()));
                }
            } else if let Some(at) = end.position(stream) {
                *at = position.offset;
                self.say(wire, stored);
            } else if end.sender.is_none() && stream == Stream::User(user) {
                self.say(wire, stored);
            }
        }
    }

    /// Membership ends with the user's last connection.
    pub fn server_hears_end(&mut self, wire: usize) {
        let user = self.user(wire);
        self.wires[wire].is_hurt = true;
        if let Some(end) = self.wires[wire].server.take() {
            end.senders.into_iter().for_each(|sender| self.goes_away(user, sender));
        }
        if !(0..self.wires.len()).any(|other| self.wires[other].server.is_some() && self.user(other) == user) {
            self.members.retain(|(member, _)| *member != user);
        }
    }
}

/// How long a connection that another has taken the place of may still be heard.
const BUSY_MS: u64 = 5_000;

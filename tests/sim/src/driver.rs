//! The driver of a page: what `src/browser` does in a browser.

use everwire::proto::{Client, Event, Input, Message, Output, Purpose, SocketId, Timestamp};

use crate::frame::{Arrived, Text, Up};
use crate::ledger::What;
use crate::tally::Count;
use crate::trace;
use crate::verdict::Rule;
use crate::wire::{Stage, Upward};
use crate::world::{Happening, World};

impl World {
    /// Steps 2 to 6 of the driving contract.
    pub fn command<R>(&mut self, page: usize, act: impl FnOnce(&mut Client<Text, Arrived>, Timestamp) -> R) -> R {
        let now = self.time(page);
        let answer = act(&mut self.pages[page].client, now);
        self.follow_up(page, now);
        answer
    }

    pub fn follow_up(&mut self, page: usize, now: Timestamp) {
        let mut events = Vec::new();
        let mut changed = None;
        let mut undelivered = Vec::new();
        let mut refused_by = None;
        // The latest message that was not sent and that nobody will acknowledge.
        let mut unsent = 0;
        for turn in 0.. {
            if turn > MOST_OUTPUTS {
                return self.break_rule(Rule::Spins, format!("page {page} has outputs without an end"));
            }
            let Some(output) = self.pages[page].client.poll_output() else {
                let Some(socket) = refused_by.take() else { break };
                let messages = core::mem::take(&mut undelivered);
                self.pages[page].client.handle_input(Input::Undelivered { socket, messages }, now);
                continue;
            };
            match output {
                Output::Event(event) => {
                    if let Event::Changed { phase } = event {
                        changed = Some(changed.unwrap_or(false) || phase);
                    }
                    if let Event::Dropped { message, .. } = &event {
                        self.let_go(page, message.frame);
                    }
                    if !matches!(event, Event::Transmitted { seq } if seq == unsent) {
                        events.push(event);
                    }
                }
                Output::Transmit { socket, message, sequence } => {
                    trace!(self, "page {page}: transmit {:?} {sequence:?} {:?}", message.frame, message.purpose);
                    if self.transmit(page, socket, &message, sequence) {
                        continue;
                    }
                    self.tally.add(Count::Undelivered);
                    refused_by.get_or_insert(socket);
                    unsent = if sequence.is_none() { message.seq } else { unsent };
                    undelivered.push(message);
                }
                effect => self.perform(page, effect, now),
            }
        }
        self.arm(page);
        self.check_page(page, changed);
        for event in events {
            self.notice(page, event);
        }
    }

    fn perform(&mut self, page: usize, effect: Output<Text, Arrived>, now: Timestamp) {
        trace!(self, "page {page}: {effect:?}");
        match effect {
            Output::Open { socket, .. } => self.open(page, socket),
            Output::Hello { socket, sender, resumes } => {
                let sender = match sender {
                    Some(Text::Sender(sender)) => {
                        self.tally.add(Count::SecondHellos);
                        sender
                    }
                    _ => page as u32,
                };
                if resumes {
                    self.compare_positions(page);
                }
                let this = &self.pages[page];
                let named = |(number, at): (u32, u64)| this.names.get(number as usize).map(|name| (*name, at));
                let streams: Vec<_> =
                    if resumes { this.client.positions().filter_map(named).collect() } else { Vec::new() };
                let bytes = 90 + 25 * streams.len() as u32;
                self.send_up(page, socket, Up::Hello { sender, streams }, bytes);
            }
            Output::Ping { socket } => {
                self.send_up(page, socket, Up::Ping, 30);
            }
            Output::CheckBuffer { socket } => {
                self.tally.add(Count::Blocked);
                let bytes = self.wire_of(page, socket).map_or(0, |wire| self.wires[wire].up.buffered(self.now));
                self.pages[page].client.handle_input(Input::Buffered { socket, bytes }, now);
            }
            Output::Release { frame, .. } => self.let_go(page, frame),
            Output::Close { socket } => self.close_socket(page, socket, Stage::Closing),
            Output::Abandon { socket } => self.close_socket(page, socket, Stage::Abandoned),
            Output::Transmit { .. } | Output::Event(_) => {}
        }
    }

    /// Hands a message to the browser; false if it does not take it.
    fn transmit(
        &mut self,
        page: usize,
        socket: SocketId,
        message: &Message<Text>,
        sequence: Option<everwire::proto::Sequence>,
    ) -> bool {
        let frame = match (&message.purpose, message.frame) {
            (Purpose::Rejoin(Text::Room(room)), _) => {
                self.tally.add(Count::Rejoins);
                Up::Rejoin { room: *room }
            }
            (_, Text::Message(uid)) => Up::Message { uid, sequence },
            (purpose, frame) => {
                self.break_rule(Rule::DriverContract, format!("{frame:?} for {purpose:?}"));
                return true;
            }
        };
        let uid = if let Up::Message { uid, .. } = frame { Some(uid) } else { None };
        if let Some(uid) = uid {
            if !self.pages[page].drafts.contains(&uid) {
                self.break_rule(Rule::DriverContract, format!("message {uid} goes out after its frame was let go"));
            }
            let entry = &mut self.ledger[uid as usize];
            if entry.numbered > 0 {
                self.tally.add(Count::Retransmitted);
            }
            if sequence.is_none() && entry.what != What::Volatile {
                self.tally.add(Count::PlainSent);
            }
            if sequence.is_some_and(|sequence| sequence.seq != entry.seq) {
                self.break_rule(Rule::DriverContract, format!("message {uid} goes out as {sequence:?}"));
            }
            let judged = self.ledger[uid as usize].hand_over(sequence.is_some());
            self.judge(uid, judged);
        }
        let taken = self.send_up(page, socket, frame, message.bytes.max(60));
        if let Some(uid) = uid
            && !taken
        {
            self.ledger[uid as usize].take_back(sequence.is_some());
        } else if let Some(uid) = uid {
            self.ledger[uid as usize].sent_on = self.wire_of(page, socket);
            self.check_size(page, uid, sequence.is_some());
            if sequence.is_none() {
                self.let_go(page, Text::Message(uid));
            }
        }
        taken
    }

    /// The state machine moves this frame no more.
    fn let_go(&mut self, page: usize, frame: Text) {
        if let Text::Message(uid) = frame
            && !self.pages[page].drafts.remove(&uid)
        {
            self.break_rule(Rule::DriverContract, format!("the frame of message {uid} is let go twice"));
        }
    }

    fn send_up(&mut self, page: usize, socket: SocketId, frame: Up, bytes: u32) -> bool {
        let Some(wire) = self.wire_of(page, socket) else {
            self.break_rule(Rule::DriverContract, format!("{frame:?} for a socket that never was"));
            return true;
        };
        if self.wires[wire].stage != Stage::Open {
            let stage = self.wires[wire].stage;
            self.break_rule(Rule::DriverContract, format!("{frame:?} for a socket that is {stage:?}"));
            return true;
        }
        if self.wires[wire].is_deaf {
            return false;
        }
        self.write_up(wire, Upward::Frame(frame), bytes);
        true
    }

    pub fn wire_of(&self, page: usize, socket: SocketId) -> Option<usize> {
        self.wires.iter().rposition(|wire| wire.page == page && wire.socket == socket)
    }

    fn arm(&mut self, page: usize) {
        let this = &mut self.pages[page];
        let deadline = this.client.poll_timeout().map(|(at, _)| at);
        if deadline == this.alarm {
            return;
        }
        this.alarm = deadline;
        this.alarm_stamp += 1;
        if let Some(deadline) = deadline {
            let at = deadline.as_millis().saturating_add_signed(-this.ahead_ms).max(self.now);
            let stamp = this.alarm_stamp;
            self.agenda.note(at, Happening::Alarm { page, stamp });
        }
    }

    /// The page's clock has changed its pace.
    pub fn rearm(&mut self, page: usize) {
        self.pages[page].alarm = None;
        self.arm(page);
    }
}

const MOST_OUTPUTS: u32 = 20_000;

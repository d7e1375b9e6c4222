//! A page as the place that the shipped driver runs in.

use everwire::driver::{self, Driver, Host};
use everwire::proto::wire::{self, ReceiptStatus};
use everwire::proto::{
    Client, Close, Delivery, DropReason, Event, Input, Message, ProtocolViolation, Purpose, RequestFailure, Sequence,
    SocketId, Timestamp,
};
use serde_json::Value;

use crate::client_frame::{self, Up};
use crate::downward_frame::sender_of;
use crate::run_tally::Count;
use crate::sent_message::What;
use crate::simulated_connection::{Stage, Upward};
use crate::simulation::{Scheduled, Simulation};
use crate::trace;
use crate::verdict::Rule;

pub struct PageHost<'a> {
    simulation: &'a mut Simulation,
    page: usize,
}

impl Simulation {
    pub fn host(&mut self, page: usize) -> PageHost<'_> {
        (self.pages[page].turns, self.pages[page].was_refused) = (0, false);
        PageHost { simulation: self, page }
    }

    pub fn command<R>(&mut self, page: usize, act: impl FnOnce(&mut Client<Value>, Timestamp) -> R) -> R {
        driver::command(&mut self.host(page), act)
    }

    pub fn input(&mut self, page: usize, input: Input<Value>) {
        let now = self.time(page);
        driver::handle_input(&mut self.host(page), input, now);
    }

    /// The number of a message in the model, by its number among the messages of its origin.
    pub fn uid_of(&self, page: usize, message: &Message<String>) -> Option<u32> {
        match &message.origin {
            None => self.uid(page, message.seq),
            Some(origin) => self.uid(sender_of(origin)? as usize, message.seq),
        }
    }

    pub fn connection_of(&self, page: usize, socket: SocketId) -> Option<usize> {
        self.connections.iter().rposition(|connection| connection.page == page && connection.socket == socket)
    }

    /// A text goes to a socket. The server reads it at once, and what it says arrives later or never.
    fn send_text(&mut self, page: usize, socket: SocketId, text: &str, is_rejoin: bool) -> Option<u64> {
        trace!(self, "page {page}: sends {text}");
        let Some(connection) = self.connection_of(page, socket) else {
            self.break_rule(Rule::DriverContract, format!("{text} for a socket that never was"));
            return None;
        };
        let stage = self.connections[connection].stage;
        if stage != Stage::Open {
            self.break_rule(Rule::DriverContract, format!("{text} for a socket that is {stage:?}"));
            return None;
        }
        if self.connections[connection].stopped_accepting {
            return None;
        }
        match client_frame::read(text, is_rejoin) {
            Ok(frame) => {
                self.check_hello(page, &frame);
                self.write_up(connection, Upward::Frame(frame), text.len() as u32);
            }
            Err(why) => self.break_rule(Rule::ClientBrokeProtocol, format!("page {page} says {text}: {why}")),
        }
        Some(self.connections[connection].up.buffered(self.now))
    }

    /// A hello names the positions to which events and gaps have led.
    fn check_hello(&mut self, page: usize, frame: &Up) {
        let Up::Hello { sender, streams } = frame else { return };
        self.tally.add_many(Count::SecondHellos, usize::from(*sender as usize != page));
        let Some(streams) = streams else { return };
        self.compare_positions(page);
        let this = &self.pages[page];
        let is_followed = |(stream, at): &&(_, u64)| this.follow(*stream).is_some_and(|follow| follow.at == *at);
        if streams.iter().filter(is_followed).count() != this.client().positions().count() {
            self.break_rule(Rule::PositionsDiffer, format!("page {page} names {streams:?}"));
        }
    }

    /// What must hold when a message goes out; its number in the model.
    fn check_transmission(
        &mut self,
        page: usize,
        message: &Message<String>,
        sequence: Option<Sequence>,
    ) -> Option<u32> {
        if let Purpose::Rejoin(_) = message.purpose {
            self.tally.add(Count::Rejoins);
            return None;
        }
        let Some(uid) = self.uid_of(page, message) else {
            self.break_rule(Rule::DriverContract, format!("page {page} sends {message:?}"));
            return None;
        };
        let model = &self.messages[uid as usize];
        let is_volatile = model.what == What::Volatile;
        self.tally.add_many(Count::Retransmitted, usize::from(model.numbered > 0));
        if message.frame != model.frame || sequence.is_some_and(|sequence| sequence.seq != model.seq) {
            self.break_rule(Rule::DriverContract, format!("message {uid} goes out as {sequence:?} {}", message.frame));
        }
        let is_reliable = self.pages[page].client().delivery() == Delivery::Reliable;
        if sequence.is_some() == is_volatile && is_reliable {
            self.break_rule(Rule::ClientBrokeProtocol, format!("message {uid} goes out as {sequence:?}"));
        }
        self.tally.add_many(Count::PlainSent, usize::from(sequence.is_none() && !is_volatile));
        let judged = self.messages[uid as usize].hand_over(sequence.is_some());
        self.judge(uid, judged);
        Some(uid)
    }

    /// Sets the alarm of a page for the time that its clock will show.
    pub fn arm(&mut self, page: usize) {
        let this = &mut self.pages[page];
        this.alarm_stamp += 1;
        if let Some(alarm) = this.alarm {
            // Browsers round, so that an alarm may come too early.
            let early = i64::from(this.alarm_stamp.is_multiple_of(5));
            let at = alarm.as_millis().saturating_add_signed(-this.ahead_ms - early).max(self.now);
            let stamp = this.alarm_stamp;
            self.queue.schedule(at, Scheduled::Alarm { page, stamp });
        }
    }
}

impl PageHost<'_> {
    fn note(&mut self, event: Event<Value>) {
        self.simulation.pages[self.page].noted.push(event);
    }
}

impl Host for PageHost<'_> {
    type Value = Value;

    fn with_driver<R>(&mut self, look: impl FnOnce(&mut Driver<Value>) -> R) -> R {
        let page = &mut self.simulation.pages[self.page];
        page.turns += 1;
        assert!(page.turns < MOST_TURNS, "{ENDLESS}");
        look(&mut page.driver)
    }

    fn now(&mut self) -> Timestamp {
        self.simulation.time(self.page)
    }

    fn wall_clock_ms(&mut self) -> u64 {
        self.simulation.wall_clock_ms()
    }

    fn is_offline(&mut self) -> bool {
        let page = &self.simulation.pages[self.page];
        self.simulation.devices[page.device].says_offline(self.simulation.now)
    }

    fn open(&mut self, attempt: SocketId, _: bool) {
        self.simulation.open(self.page, attempt);
    }

    fn send(&mut self, socket: SocketId, text: &String) -> Option<u64> {
        self.simulation.send_text(self.page, socket, text, false)
    }

    fn transmit(&mut self, socket: SocketId, message: &Message<String>, sequence: Option<Sequence>) -> Option<u64> {
        let (simulation, page) = (&mut *self.simulation, self.page);
        let uid = simulation.check_transmission(page, message, sequence);
        let is_rejoin = matches!(message.purpose, Purpose::Rejoin(_));
        let buffered = match sequence {
            Some(sequence) => {
                let text = wire::with_sequence(&message.frame, sequence);
                simulation.send_text(page, socket, &text, is_rejoin)
            }
            None => simulation.send_text(page, socket, &message.frame, is_rejoin),
        };
        simulation.tally.add_many(Count::Undelivered, usize::from(buffered.is_none()));
        simulation.pages[page].was_refused |= buffered.is_none();
        if let Some(uid) = uid {
            if buffered.is_none() {
                simulation.messages[uid as usize].take_back(sequence.is_some());
            } else {
                simulation.messages[uid as usize].sent_on = simulation.connection_of(page, socket);
                simulation.check_size(page, uid, sequence.is_some());
            }
        }
        buffered
    }

    fn buffered(&mut self, socket: SocketId) -> u64 {
        let simulation = &mut *self.simulation;
        simulation.tally.add(Count::Blocked);
        let connection = simulation.connection_of(self.page, socket);
        connection.map_or(0, |connection| simulation.connections[connection].up.buffered(simulation.now))
    }

    fn close(&mut self, socket: SocketId) {
        self.simulation.close_socket(self.page, socket, Stage::Closing);
    }

    fn abandon(&mut self, socket: SocketId) {
        self.simulation.close_socket(self.page, socket, Stage::Abandoned);
    }

    fn set_alarm(&mut self, delay_ms: Option<u64>) {
        let now = self.simulation.time(self.page);
        self.simulation.pages[self.page].alarm = delay_ms.map(|delay_ms| now + delay_ms);
        self.simulation.arm(self.page);
    }

    fn set_active(&mut self, is_active: bool) {
        self.simulation.pages[self.page].is_active = is_active;
    }

    fn frame(&mut self, frame: Value) {
        self.note(Event::Frame(frame));
    }

    fn opened(&mut self) {
        self.note(Event::Opened);
    }

    fn closed(&mut self, close: Close<String>) {
        self.note(Event::Closed(close));
    }

    fn reconnecting(&mut self, attempt: u32, delay_ms: u64) {
        self.note(Event::Reconnecting { attempt, delay_ms });
    }

    fn gave_up(&mut self, attempts: u32) {
        self.note(Event::GaveUp { attempts });
    }

    fn transmitted(&mut self, seq: u64) {
        self.note(Event::Transmitted { seq });
    }

    fn acknowledged(&mut self, origin: Option<String>, seq: u64) {
        self.note(Event::Acknowledged { origin, seq });
    }

    fn refused(&mut self, seq: u64, data: Value) {
        self.note(Event::Refused { seq, data });
    }

    fn replied(&mut self, seq: u64, data: Value) {
        self.note(Event::Replied { seq, data });
    }

    fn receipt(&mut self, seq: u64, status: ReceiptStatus) {
        self.note(Event::Receipt { seq, status });
    }

    fn request_failed(&mut self, seq: u64, failure: RequestFailure) {
        self.note(Event::RequestFailed { seq, failure });
    }

    fn gap(&mut self, stream: String, from: u64, to: Option<u64>) {
        self.note(Event::Gap { stream, from, to });
    }

    fn violation(&mut self, violation: ProtocolViolation) {
        self.note(Event::Violation(violation));
    }

    fn dropped(&mut self, message: Box<Message<String>>, reason: DropReason) {
        self.note(Event::Dropped { message, reason });
    }

    fn changed(&mut self, phase: bool) {
        let changed = &mut self.simulation.pages[self.page].changed;
        *changed = Some(changed.unwrap_or(false) || phase);
    }

    fn deliver(&mut self) {
        let page = &mut self.simulation.pages[self.page];
        let (events, changed) = (core::mem::take(&mut page.noted), page.changed.take());
        self.simulation.check_page(self.page, changed);
        for event in events {
            self.simulation.observe(self.page, event);
        }
    }
}

/// How often the driver may look at the state machine before everything is done that one input asks for.
const MOST_TURNS: u32 = 50_000;
/// What a driver that never comes to an end is stopped with.
pub const ENDLESS: &str = "outputs without an end";

//! What must hold of what applications have sent and of what they are told.

use everwire::proto::socketio::Continuity;
use everwire::proto::wire::socketio::Arguments;
use everwire::proto::{Message, RequestFailure};
use serde_json::Value;

use super::client_host::Told;
use super::connection::Stage;
use super::frames::attachment;
use super::world::{Scheduled, World};
use crate::run_tally::Count;
use crate::trace;
use crate::verdict::Rule;

/// An event that an application has sent.
#[derive(Clone, Debug)]
pub struct Emitted {
    pub client: usize,
    pub text: String,
    pub attachments: u32,
    /// When its acknowledgement has to be there, if it has asked for one.
    pub until: Option<u64>,
    /// Whether a socket was to take it.
    pub was_tried: bool,
    pub arrived: u32,
    /// How often the application was told what became of its acknowledgement.
    pub outcomes: u32,
    /// Whether it must not be sent any more.
    pub is_ended: bool,
    pub is_refused: bool,
}

impl World {
    /// A client says nothing but CONNECT before it is in its namespace, and says that once.
    pub fn check_order(&mut self, client: usize, connection: usize, text: &str) {
        let is_joined = self.clients[client].sid.is_some();
        let has_asked = self.connections[connection].asked.contains(&client);
        if text.starts_with("40") {
            if !self.connections[connection].asked.insert(client) {
                self.break_rule(Rule::ConnectedTwice, format!("client {client} says {text} again"));
            }
        } else if !has_asked || !(is_joined || text.starts_with("41")) {
            self.break_rule(Rule::ClientBrokeProtocol, format!("client {client} says {text} before it is let in"));
        }
    }

    /// A message goes to a socket.
    pub fn check_transmission(&mut self, client: usize, seq: u64, message: &Message<String>) {
        let Some(uid) = self.clients[client].uids.get(&seq).copied() else {
            return self.break_rule(Rule::DriverContract, format!("client {client} sends {message:?}"));
        };
        let emitted = &mut self.emitted[uid as usize];
        emitted.was_tried = true;
        if emitted.text != message.frame || emitted.client != client {
            self.break_rule(Rule::DriverContract, format!("event {uid} goes out as {}", message.frame));
        } else if emitted.is_ended {
            self.break_rule(Rule::SentAfterItsEnd, format!("event {uid}"));
        }
    }

    /// An event has come to the server. Returns its number.
    pub fn event_arrives(
        &mut self,
        client: usize,
        namespace: usize,
        payload: Option<&Value>,
        attachments: &[Vec<u8>],
    ) -> Option<u32> {
        let uid = payload?.get(1)?.get("uid")?.as_u64()? as u32;
        self.tally.add(Count::PacketsProcessed);
        let emitted = &mut self.emitted[uid as usize];
        emitted.arrived += 1;
        let (is_first, expected) = (emitted.arrived == 1, attachment(u64::from(uid)));
        let is_whole = attachments.len() == emitted.attachments as usize
            && attachments.iter().all(|attachment| *attachment == expected);
        if emitted.client != client || self.clients[client].namespace != namespace {
            self.break_rule(Rule::ForeignNamespace, format!("event {uid} comes by another client"));
        } else if !is_whole {
            self.break_rule(Rule::DriverContract, format!("event {uid} has {attachments:?}"));
        } else if !is_first {
            self.break_rule(Rule::Doubled, format!("event {uid} comes again"));
        }
        Some(uid)
    }

    /// The application is told something.
    pub fn observe(&mut self, client: usize, told: Told) {
        trace!(self, "client {client}: {told:?}");
        match told {
            Told::Joined { connection, sid, continuity } => self.is_joined(client, connection, &sid, continuity),
            Told::KeptOut => self.tally.add(Count::KeptOut),
            Told::PutOut => self.react_to_put_out(client),
            Told::Closed => self.clients[client].is_told = false,
            Told::Event { visit, id, arguments } => self.event_is_told(client, visit, id, &arguments),
            Told::Acknowledged(seq, arguments) => self.is_acknowledged(client, seq, &arguments),
            Told::Unacknowledged(seq, failure) => self.is_unacknowledged(client, seq, failure),
            Told::Dropped(seq) => {
                self.tally.add(Count::PacketsDropped);
                let Some(uid) = self.uid(client, seq) else { return };
                self.emitted[uid].is_ended = true;
                if self.emitted[uid].until.is_some() {
                    self.ends(uid);
                }
            }
        }
    }

    fn is_joined(&mut self, client: usize, connection: Option<usize>, sid: &str, continuity: Continuity) {
        let this = &mut self.clients[client];
        this.is_told = true;
        let was_joined = core::mem::replace(&mut this.has_joined, true);
        self.tally.add(match continuity {
            Continuity::First => Count::FirstSessions,
            Continuity::Recovered => Count::ContinuedSessions,
            Continuity::Lost => Count::LostSessions,
        });
        self.react_to_join(client);
        if self.is_byzantine() {
            return;
        }
        let mut admissions = self.server.admissions.iter().rev();
        let Some(truth) = admissions.find(|truth| truth.client == client && Some(truth.connection) == connection)
        else {
            return self.break_rule(Rule::DriverContract, format!("client {client} is in no namespace"));
        };
        let expected = match (was_joined, truth.is_recovered) {
            (false, _) => Continuity::First,
            (true, true) => Continuity::Recovered,
            (true, false) => Continuity::Lost,
        };
        let (starts_at, is_same) = (truth.starts_at, truth.sid == sid);
        if continuity != expected || !is_same {
            self.break_rule(Rule::BogusGap, format!("client {client}: {continuity:?} for {expected:?}, as {sid}"));
        }
        if continuity != Continuity::Recovered {
            self.clients[client].expected = Some(starts_at);
        }
    }

    fn event_is_told(&mut self, client: usize, visit: u32, id: Option<u64>, arguments: &Arguments<Value>) {
        if !self.clients[client].is_told {
            self.break_rule(Rule::DriverContract, format!("client {client} is told of an event before it is joined"));
        }
        let [name, said] = [0, 1].map(|at| arguments.array.get(at));
        let number = |member: &str| said.and_then(|said| said.get(member)).and_then(Value::as_u64);
        if self.is_byzantine() {
            return;
        }
        if number("ns") != Some(self.clients[client].namespace as u64) {
            return self.break_rule(Rule::ForeignNamespace, format!("client {client} is told {arguments:?}"));
        }
        match (name.and_then(Value::as_str), id) {
            (Some("s"), None) => {
                self.tally.add(Count::PacketEvents);
                let place = number("n").unwrap_or(u64::MAX) as usize;
                let expected = self.clients[client].expected.replace(place + 1);
                let detail = || format!("client {client}: event {place}, expected {expected:?}");
                match expected.map(|expected| place.cmp(&expected)) {
                    Some(core::cmp::Ordering::Equal) => {}
                    Some(core::cmp::Ordering::Less) => self.break_rule(Rule::EventRepeated, detail()),
                    _ => self.break_rule(Rule::EventMissed, detail()),
                }
                self.check_attachments(arguments, place as u64);
            }
            (Some("q"), Some(id)) => {
                let uid = number("q").unwrap_or_default();
                self.check_attachments(arguments, uid);
                let (delay, attachments) = (self.rng.u64(0..800), u32::from(uid.is_multiple_of(3)));
                self.schedule(delay, Scheduled::Answer { client, visit, id, uid: uid as u32, attachments });
            }
            (Some("v"), None) => {}
            _ => self.break_rule(Rule::DriverContract, format!("client {client} is told {arguments:?}")),
        }
    }

    fn check_attachments(&mut self, arguments: &Arguments<Value>, number: u64) {
        let expected = attachment(number);
        if arguments.attachments.iter().any(|attachment| *attachment != expected) {
            self.break_rule(Rule::DriverContract, format!("{number} has {:?}", arguments.attachments));
        }
        self.tally.add_many(Count::Attachments, arguments.attachments.len());
    }

    fn is_acknowledged(&mut self, client: usize, seq: u64, arguments: &Arguments<Value>) {
        self.tally.add(Count::PacketAcks);
        let Some(uid) = self.uid(client, seq) else { return };
        self.ends(uid);
        let emitted = &self.emitted[uid];
        let woken_at = self.pages[self.clients[client].page].suspended_until;
        if emitted.until.is_some_and(|until| self.now > until && woken_at < until) {
            self.break_rule(Rule::AnswerOutOfTime, format!("event {uid} is acknowledged too late"));
        }
        if self.is_byzantine() {
            return;
        }
        if arguments.array.get(1).and_then(Value::as_u64) != Some(uid as u64) || self.emitted[uid].arrived == 0 {
            self.break_rule(Rule::AnswerMixedUp, format!("event {uid} is acknowledged by {arguments:?}"));
        }
        self.check_attachments(arguments, uid as u64);
    }

    fn is_unacknowledged(&mut self, client: usize, seq: u64, failure: RequestFailure) {
        let Some(uid) = self.uid(client, seq) else { return };
        self.ends(uid);
        let emitted = &mut self.emitted[uid];
        emitted.is_ended = true;
        let (until, was_tried) = (emitted.until.unwrap_or(0), emitted.was_tried);
        let woken_at = self.pages[self.clients[client].page].suspended_until;
        let is_timely = match failure {
            RequestFailure::TimedOut => {
                self.tally.add(Count::PacketTimeouts);
                self.now >= until && (self.now <= until + 10 || woken_at >= until)
            }
            _ => {
                self.tally.add(Count::PacketsAbandoned);
                was_tried
            }
        };
        if !is_timely {
            self.break_rule(Rule::AnswerOutOfTime, format!("event {uid}: {failure:?}, and its time is {until}"));
        }
    }

    fn uid(&mut self, client: usize, seq: u64) -> Option<usize> {
        let uid = self.clients[client].uids.get(&seq).copied();
        if uid.is_none() {
            self.break_rule(Rule::DriverContract, format!("client {client} has sent nothing as {seq}"));
        }
        uid.map(|uid| uid as usize)
    }

    fn ends(&mut self, uid: usize) {
        self.emitted[uid].outcomes += 1;
        let Emitted { outcomes, until, .. } = self.emitted[uid];
        if outcomes > 1 || until.is_none() {
            self.break_rule(Rule::RequestEndedTwice, format!("event {uid}: {outcomes} outcomes, until {until:?}"));
        }
    }

    /// A connection is left whose server sends nothing but nonsense.
    pub fn check_flaws(&mut self, connection: usize) {
        let this = &self.connections[connection];
        let is_too_much = this.flaws > 100 || this.flaws > 0 && !this.is_known;
        if is_too_much && this.stage == Stage::Open {
            self.break_rule(Rule::FlawsBorne, format!("connection {connection} has had {} flaws", this.flaws));
        }
    }
}

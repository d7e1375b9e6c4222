//! One client of one namespace, as the place that the shipped driver runs in.

use std::collections::{BTreeMap, VecDeque};

use everwire::driver::socketio::{self, Membership, PacketHost};
use everwire::driver::{Driver, Host};
use everwire::proto::socketio::Continuity;
use everwire::proto::time::FOREVER;
use everwire::proto::wire::ReceiptStatus;
use everwire::proto::wire::socketio::{Arguments, Namespace};
use everwire::proto::{
    Close, Config, DropReason, Message, Overflow, ProtocolViolation, RequestFailure, Sequence, SocketId, Timestamp,
};
use serde_json::{Map, Value};

use super::frames::Frame;
use super::plan::{NAMESPACES, PageSetup};
use super::world::{Scheduled, World};
use crate::page_host::ENDLESS;
use crate::run_tally::Count;
use crate::trace;
use crate::verdict::Rule;

#[derive(Debug)]
pub struct Client {
    pub page: usize,
    pub namespace: usize,
    pub driver: Driver<Value>,
    pub membership: Membership<Value>,
    pub connection: Option<usize>,
    /// The attempt whose `auth` is waited for.
    pub attempt: Option<u32>,
    attempts: u32,
    /// The alarm of the state machine, and that of the acknowledgements.
    pub alarms: [Alarm; 2],
    pub is_active: bool,
    /// The attachments of events that wait, by the numbers of their messages.
    pub attachments: BTreeMap<u64, Vec<Vec<u8>>>,
    /// Those of the event that is being sent.
    pub sending: Vec<Vec<u8>>,
    pub told: VecDeque<Told>,
    pub is_delivering: bool,
    /// Changes whenever the client comes into its namespace or out of it.
    pub visit: u32,
    pub sid: Option<String>,
    /// Whether the server has put it out, and nobody has asked for another connection since.
    pub is_put_out: bool,
    /// Whether the application has disconnected, and not connected since.
    pub is_disconnected: bool,
    /// The numbers of what was emitted, by the numbers of their messages.
    pub uids: BTreeMap<u64, u32>,
    /// The place of the next stored event that has to come.
    pub expected: Option<usize>,
    pub has_joined: bool,
    /// Whether the application was told that it is connected, and not that it is not any more.
    pub is_told: bool,
    pub turns: u32,
    pub most_queued: usize,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Alarm {
    pub at: Option<u64>,
    pub stamp: u32,
}

/// What the application is told when nothing is borrowed.
#[derive(Debug)]
pub enum Told {
    Joined { connection: Option<usize>, sid: String, continuity: Continuity },
    KeptOut,
    PutOut,
    Closed,
    Event { visit: u32, id: Option<u64>, arguments: Arguments<Value> },
    Acknowledged(u64, Arguments<Value>),
    Unacknowledged(u64, RequestFailure),
    Dropped(u64),
}

impl Client {
    pub fn new(page: usize, namespace: usize, setup: &PageSetup, seed: u64) -> Self {
        let mut config = Config::default();
        config.heartbeat.interval_ms = FOREVER;
        config.reconnect.max_attempts = setup.max_attempts;
        config.connect_timeout_ms = setup.connect_timeout_ms;
        config.max_message_bytes = u32::MAX - 1;
        config.queue.max_messages = setup.queue;
        config.queue.ttl_ms = setup.ttl_ms.unwrap_or(FOREVER);
        config.queue.overflow = if setup.drops_oldest { Overflow::DropOldest } else { Overflow::Reject };
        let name = Namespace::new(NAMESPACES[namespace].to_owned()).expect("a right name");
        Self {
            page,
            namespace,
            driver: Driver::new(config.check().expect("right options"), String::new(), seed),
            membership: Membership::new(name),
            connection: None,
            attempt: None,
            attempts: 0,
            alarms: [Alarm::default(); 2],
            is_active: false,
            attachments: BTreeMap::new(),
            sending: Vec::new(),
            told: VecDeque::new(),
            is_delivering: false,
            visit: 0,
            sid: None,
            is_put_out: false,
            is_disconnected: true,
            uids: BTreeMap::new(),
            expected: None,
            has_joined: false,
            is_told: false,
            turns: 0,
            most_queued: setup.queue as usize,
        }
    }
}

pub struct ClientHost<'a> {
    pub world: &'a mut World,
    pub client: usize,
}

impl ClientHost<'_> {
    fn this(&mut self) -> &mut Client {
        &mut self.world.clients[self.client]
    }

    fn tell(&mut self, told: Told) {
        self.this().told.push_back(told);
    }

    fn arm(&mut self, which: usize, delay_ms: Option<u64>) {
        let (client, now) = (self.client, self.world.now);
        let alarm = &mut self.this().alarms[which];
        alarm.stamp += 1;
        alarm.at = delay_ms.map(|delay_ms| now + delay_ms);
        let stamp = alarm.stamp;
        if let Some(delay_ms) = delay_ms {
            self.world.schedule(delay_ms, Scheduled::Alarm { client, which, stamp });
        }
    }
}

impl Host for ClientHost<'_> {
    type Value = Value;

    fn with_driver<R>(&mut self, look: impl FnOnce(&mut Driver<Value>) -> R) -> R {
        let this = self.this();
        this.turns += 1;
        assert!(this.turns < MOST_TURNS, "{ENDLESS}");
        look(&mut this.driver)
    }

    fn now(&mut self) -> Timestamp {
        Timestamp::from_millis(self.world.now)
    }

    fn wall_clock_ms(&mut self) -> u64 {
        self.world.now
    }

    fn is_offline(&mut self) -> bool {
        let page = self.this().page;
        self.world.pages[page].offline_until > self.world.now
    }

    fn open(&mut self, attempt: SocketId, _: bool) {
        socketio::begin(self, attempt);
        let (client, this) = (self.client, self.this());
        this.attempts += 1;
        let (attempt, page) = (this.attempts, this.page);
        this.attempt = Some(attempt);
        if this.is_put_out || this.is_disconnected {
            self.world.break_rule(Rule::NotWanted, format!("client {client} connects although it should not"));
        }
        self.world.tally.add(Count::PacketAttempts);
        match self.world.setup.pages[page].auth_ms {
            0 => self.world.authenticated(client, attempt),
            delay => self.world.schedule(delay, Scheduled::Authenticated { client, attempt }),
        }
    }

    fn send(&mut self, _: SocketId, text: &String) -> Option<u64> {
        let (client, connection) = (self.client, self.this().connection?);
        self.world.check_order(client, connection, text);
        self.world.send_frame(connection, Frame::Text(text.clone()))
    }

    fn transmit(&mut self, socket: SocketId, message: &Message<String>, _: Option<Sequence>) -> Option<u64> {
        let (client, seq) = (self.client, message.seq);
        self.world.check_transmission(client, seq, message);
        socketio::transmit(self, socket, message)
    }

    fn is_pong(&mut self, _: &Value) -> bool {
        false
    }

    fn buffered(&mut self, _: SocketId) -> u64 {
        let (now, connection) = (self.world.now, self.this().connection);
        connection.map_or(0, |connection| self.world.connections[connection].up.buffered(now))
    }

    fn close(&mut self, socket: SocketId) {
        socketio::leave(self, socket);
        self.world.close(self.client);
    }

    fn abandon(&mut self, socket: SocketId) {
        socketio::abandon(self, socket);
        self.world.abandon(self.client);
    }

    fn set_alarm(&mut self, delay_ms: Option<u64>) {
        self.arm(0, delay_ms);
    }

    fn set_active(&mut self, is_active: bool) {
        self.this().is_active = is_active;
    }

    fn frame(&mut self, frame: Value) {
        self.world.break_rule(Rule::DriverContract, format!("an envelope: {frame}"));
    }

    fn opened(&mut self) {}

    fn closed(&mut self, close: Close<String>) {
        self.this().visit += 1;
        self.this().sid = None;
        trace!(self.world, "client {}: closed, {close:?}", self.client);
        self.tell(Told::Closed);
    }

    fn reconnecting(&mut self, _: u32, _: u64) {}

    fn gave_up(&mut self, _: u32) {
        self.world.tally.add(Count::GaveUp);
    }

    fn transmitted(&mut self, seq: u64) {
        self.this().attachments.remove(&seq);
    }

    fn acknowledged(&mut self, _: Option<String>, seq: u64) {
        self.world.break_rule(Rule::DriverContract, format!("{seq} is acknowledged in the way of envelopes"));
    }

    fn refused(&mut self, seq: u64, _: Value) {
        self.world.break_rule(Rule::DriverContract, format!("{seq} is refused in the way of envelopes"));
    }

    fn replied(&mut self, seq: u64, _: Value) {
        self.world.break_rule(Rule::DriverContract, format!("{seq} is replied to in the way of envelopes"));
    }

    fn receipt(&mut self, seq: u64, _: ReceiptStatus) {
        self.world.break_rule(Rule::DriverContract, format!("a receipt for {seq}"));
    }

    fn request_failed(&mut self, seq: u64, _: RequestFailure) {
        self.world.break_rule(Rule::DriverContract, format!("{seq} was a request"));
    }

    fn gap(&mut self, stream: String, _: u64, _: Option<u64>) {
        self.world.break_rule(Rule::DriverContract, format!("a gap in the stream {stream}"));
    }

    fn violation(&mut self, violation: ProtocolViolation) {
        self.world.break_rule(Rule::DriverContract, format!("{violation:?}"));
    }

    fn dropped(&mut self, message: Box<Message<String>>, reason: DropReason) {
        socketio::forget(self, message.seq);
        self.this().attachments.remove(&message.seq);
        trace!(self.world, "client {}: drops {} as {reason:?}", self.client, message.seq);
        // A volatile one is refused at the call.
        if reason != DropReason::NotOpen {
            self.tell(Told::Dropped(message.seq));
        }
    }

    fn changed(&mut self, _: bool) {}

    fn deliver(&mut self) {
        if core::mem::replace(&mut self.this().is_delivering, true) {
            return;
        }
        while let Some(told) = self.this().told.pop_front() {
            self.world.observe(self.client, told);
        }
        self.this().is_delivering = false;
    }
}

impl PacketHost for ClientHost<'_> {
    fn with_membership<R>(&mut self, look: impl FnOnce(&mut Membership<Value>) -> R) -> R {
        look(&mut self.this().membership)
    }

    fn auth(&mut self, claim: Option<(String, String)>) -> Option<String> {
        let mut auth = Map::new();
        auth.insert("client".to_owned(), self.client.into());
        if let Some((pid, offset)) = claim {
            auth.insert("pid".to_owned(), pid.into());
            auth.insert("offset".to_owned(), offset.into());
        }
        Some(Value::Object(auth).to_string())
    }

    fn send_attachments(&mut self, _: SocketId, seq: u64) -> Option<u64> {
        let this = self.this();
        let attachments = this.attachments.get(&seq).cloned().unwrap_or_else(|| this.sending.clone());
        let connection = this.connection?;
        attachments.into_iter().try_fold(0, |_, bytes| self.world.send_frame(connection, Frame::Binary(bytes)))
    }

    fn set_ack_alarm(&mut self, delay_ms: Option<u64>) {
        self.arm(1, delay_ms);
    }

    fn joined(&mut self, sid: String, continuity: Continuity) {
        trace!(self.world, "client {}: joined as {sid}, {continuity:?}", self.client);
        self.this().visit += 1;
        self.this().sid = Some(sid.clone());
        let connection = self.this().connection;
        self.tell(Told::Joined { connection, sid, continuity });
    }

    fn kept_out(&mut self, _: Value) {
        if let Some(connection) = self.this().connection {
            let client = self.client;
            self.world.connections[connection].asked.remove(&client);
            self.world.connections[connection].members.retain(|member| *member != client);
        }
        self.tell(Told::KeptOut);
    }

    fn put_out(&mut self) {
        trace!(self.world, "client {}: put out", self.client);
        self.this().is_put_out = true;
        self.tell(Told::PutOut);
    }

    fn event(&mut self, id: Option<u64>, arguments: Arguments<Value>) {
        let visit = self.this().visit;
        self.tell(Told::Event { visit, id, arguments });
    }

    fn event_acknowledged(&mut self, seq: u64, arguments: Arguments<Value>) {
        self.tell(Told::Acknowledged(seq, arguments));
    }

    fn event_unacknowledged(&mut self, seq: u64, failure: RequestFailure) {
        self.tell(Told::Unacknowledged(seq, failure));
    }
}

const MOST_TURNS: u32 = 50_000;

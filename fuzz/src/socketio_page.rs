//! A client of a Socket.IO server as the shipped driver runs it, whose server, network and application do whatever they like.

use std::collections::BTreeMap;

use everwire::driver::socketio::connection::{self, CarrierDriver, ConnectionHost};
use everwire::driver::socketio::{self, Membership, PacketHost};
use everwire::driver::{self, Driver, Host};
use everwire::proto::socketio::{Continuity, Report, UnexpectedPacket};
use everwire::proto::time::FOREVER;
use everwire::proto::wire::ReceiptStatus;
use everwire::proto::wire::socketio::{Arguments, Namespace, Packet};
use everwire::proto::{
    Client, Close, Config, DropReason, Input, Message, Phase, ProtocolViolation, Purpose, Reason, RequestFailure,
    Sequence, SocketId, Timestamp,
};
use serde_json::Value;

/// Plays a script, one line after the other: what begins with `!` is what the application or the network does, with `b` a binary frame, and
/// everything else a text frame of the server.
pub fn play(script: &str) {
    let mut page = Page::new();
    page.act("c");
    for line in script.split('\n').take(MOST_LINES) {
        page.now += 1_000;
        page.alarms();
        match line.strip_prefix('!') {
            Some(act) => page.act(act),
            None => page.arrive(line),
        }
        assert!(page.driver.client().snapshot().queued <= MOST_QUEUED, "the queue is bounded");
    }
}

struct Page {
    now: u64,
    driver: Driver<Value>,
    membership: Membership<Value>,
    sockets: Vec<Socket>,
    /// Whether the client is on the latest socket.
    is_on: bool,
    /// The alarms of the state machine, of the acknowledgements, and of the latest socket.
    alarms: [Option<u64>; 3],
    is_joined: bool,
    is_unwanted: bool,
    /// How often each event was told what became of its acknowledgement.
    outcomes: BTreeMap<u64, u32>,
    turns: u32,
}

#[derive(Default)]
struct Socket {
    driver: CarrierDriver<Value>,
    is_open: bool,
    is_over: bool,
    connects: u32,
    reports: u32,
}

impl Page {
    fn new() -> Self {
        let mut config = Config::default();
        config.heartbeat.interval_ms = FOREVER;
        config.queue.max_messages = MOST_QUEUED as u32;
        Self {
            now: 1_000,
            driver: Driver::new(config.check().expect("right options"), String::new(), 7),
            membership: Membership::new(Namespace::MAIN),
            sockets: Vec::new(),
            is_on: false,
            alarms: [None; 3],
            is_joined: false,
            is_unwanted: true,
            outcomes: BTreeMap::new(),
            turns: 0,
        }
    }

    fn socket(&mut self) -> &mut Socket {
        self.sockets.last_mut().expect("a socket was opened")
    }

    /// What is due.
    fn alarms(&mut self) {
        let now = self.now;
        let is_due = |alarm: Option<u64>| alarm.is_some_and(|at| at <= now);
        if is_due(self.alarms[2]) {
            self.alarms[2] = None;
            connection::handle_timeout(self.turn());
        }
        for which in 0..2 {
            if is_due(self.alarms[which]) {
                self.alarms[which] = None;
                socketio::handle_timeout(self.turn());
            }
        }
    }

    fn turn(&mut self) -> &mut Self {
        self.turns = 0;
        self
    }

    fn arrive(&mut self, line: &str) {
        if self.sockets.last().is_none_or(|socket| socket.is_over) {
            return;
        }
        match line.strip_prefix('b') {
            Some(bytes) => connection::handle_binary(self.turn(), bytes.as_bytes().to_vec()),
            None => connection::handle_text(self.turn(), &line.to_owned()),
        }
    }

    fn act(&mut self, act: &str) {
        let mut units = act.bytes();
        let unit = units.next().unwrap_or_default();
        let number = u64::from(units.next().unwrap_or_default());
        match unit {
            b'e' => self.emit(None, Purpose::Ordinary),
            b'v' => self.emit(None, Purpose::Volatile),
            b'a' => self.emit(Some(number * 100), Purpose::Ordinary),
            b'c' => {
                self.is_unwanted = false;
                driver::connect(self.turn(), Client::connect);
            }
            b'd' => {
                self.is_unwanted = true;
                driver::command(self.turn(), Client::disconnect);
            }
            b'w' => {
                socketio::handle_input(self.turn(), Input::PageVisible);
                if self.is_on {
                    connection::probe(self.turn());
                }
            }
            b'n' => socketio::handle_input(self.turn(), Input::NetworkOffline),
            b'o' => socketio::handle_input(self.turn(), Input::NetworkOnline),
            b'x' => self.socket_closes(1005),
            b'r' => self.socket_closes(1006),
            // The page sleeps.
            b's' => self.now += number * 1_000,
            _ => {}
        }
    }

    fn socket_closes(&mut self, code: u16) {
        if self.sockets.last().is_some_and(|socket| !socket.is_over) {
            self.socket().is_over = true;
            self.alarms[2] = None;
            let close = Close { code, reason: Reason::Peer(String::new()), was_clean: code != 1006 };
            self.tell_of_end(close);
        }
    }

    fn tell_of_end(&mut self, close: Close<String>) {
        self.is_on = false;
        if let Some(socket) = self.driver.client().socket() {
            socketio::handle_input(self, Input::SocketClosed { socket, close });
        }
    }

    fn emit(&mut self, ack_ms: Option<u64>, purpose: Purpose) {
        let text = r#"["e"]"#.to_owned();
        let message = Message::new(text, 5, purpose);
        let until = ack_ms.map(|wait| Timestamp::from_millis(self.now + wait));
        let seq = self.driver.client().latest_seq() + 1;
        if until.is_some() {
            self.outcomes.insert(seq, 0);
        }
        match socketio::send(self.turn(), message, 0, until) {
            Ok((_, number)) => assert_eq!(number, seq, "an event has the next number"),
            Err(_) => _ = self.outcomes.remove(&seq),
        }
    }

    fn end_of(&mut self, seq: u64) {
        let outcomes = self.outcomes.get_mut(&seq).expect("its acknowledgement was asked for");
        *outcomes += 1;
        assert_eq!(*outcomes, 1, "an acknowledgement has one outcome");
    }
}

impl ConnectionHost for Page {
    type Value = Value;

    fn with_driver<R>(&mut self, look: impl FnOnce(&mut CarrierDriver<Value>) -> R) -> R {
        look(&mut self.socket().driver)
    }

    fn now(&mut self) -> Timestamp {
        Timestamp::from_millis(self.now)
    }

    fn send(&mut self, text: &String) {
        assert!(self.socket().is_open && text == "3", "only pings are answered, and not before the handshake");
    }

    fn set_alarm(&mut self, delay_ms: Option<u64>) {
        self.alarms[2] = delay_ms.map(|delay_ms| self.now + delay_ms);
    }

    fn opened(&mut self, max_payload_bytes: u64) {
        assert!(!std::mem::replace(&mut self.socket().is_open, true), "a connection opens once");
        if self.is_on {
            socketio::handle_open(self, max_payload_bytes);
        }
    }

    fn packet(&mut self, Packet { namespace, kind }: Packet<Value>) -> Result<(), UnexpectedPacket> {
        if self.is_on && namespace == Namespace::MAIN {
            socketio::handle_packet(self, kind)
        } else {
            Err(UnexpectedPacket::ForeignNamespace)
        }
    }

    fn ended(&mut self, close: Close<String>) {
        assert!(!std::mem::replace(&mut self.socket().is_over, true), "a connection ends once");
        if self.is_on {
            self.tell_of_end(close);
        }
    }

    fn reported(&mut self, _: Report) {
        self.socket().reports += 1;
        assert!(self.socket().reports <= 10, "ten reports at most");
    }
}

impl Host for Page {
    type Value = Value;

    fn with_driver<R>(&mut self, look: impl FnOnce(&mut Driver<Value>) -> R) -> R {
        self.turns += 1;
        assert!(self.turns < 10_000, "outputs without an end");
        look(&mut self.driver)
    }

    fn now(&mut self) -> Timestamp {
        Timestamp::from_millis(self.now)
    }

    fn wall_clock_ms(&mut self) -> u64 {
        self.now
    }

    fn is_offline(&mut self) -> bool {
        false
    }

    fn open(&mut self, attempt: SocketId, _: bool) {
        assert!(!self.is_unwanted, "who was put out, or has disconnected, stays away");
        socketio::begin(self, attempt);
        self.sockets.push(Socket::default());
        (self.is_on, self.alarms[2]) = (true, None);
    }

    fn send(&mut self, _: SocketId, text: &String) -> Option<u64> {
        let is_joined = self.is_joined;
        let socket = self.socket();
        assert!(socket.is_open, "{text} before the handshake");
        if text.starts_with("40") {
            socket.connects += 1;
            assert_eq!(socket.connects, 1, "a client asks once on a connection");
        } else {
            assert!(is_joined, "{text} before the client is let in");
        }
        (!socket.is_over).then_some(0)
    }

    fn transmit(&mut self, socket: SocketId, message: &Message<String>, _: Option<Sequence>) -> Option<u64> {
        let outcomes = self.outcomes.get(&message.seq);
        assert!(outcomes.is_none_or(|outcomes| *outcomes == 0), "what has failed is not sent");
        socketio::transmit(self, socket, message)
    }

    fn is_pong(&mut self, _: &Value) -> bool {
        false
    }

    fn buffered(&mut self, _: SocketId) -> u64 {
        0
    }

    fn close(&mut self, socket: SocketId) {
        socketio::leave(self, socket);
    }

    fn abandon(&mut self, socket: SocketId) {
        socketio::abandon(self, socket);
        (self.is_on, self.alarms[2]) = (false, None);
        if let Some(socket) = self.sockets.last_mut() {
            socket.is_over = true;
        }
    }

    fn set_alarm(&mut self, delay_ms: Option<u64>) {
        self.alarms[0] = delay_ms.map(|delay_ms| self.now + delay_ms);
    }

    fn set_active(&mut self, _: bool) {}

    fn frame(&mut self, frame: Value) {
        panic!("an envelope: {frame}");
    }

    fn opened(&mut self) {
        assert_eq!(self.driver.client().snapshot().phase, Phase::Open);
    }

    fn closed(&mut self, _: Close<String>) {
        self.is_joined = false;
    }

    fn reconnecting(&mut self, _: u32, _: u64) {}

    fn gave_up(&mut self, _: u32) {}

    fn transmitted(&mut self, _: u64) {}

    fn acknowledged(&mut self, _: Option<String>, seq: u64) {
        panic!("{seq} is acknowledged in the way of envelopes");
    }

    fn refused(&mut self, seq: u64, _: Value) {
        panic!("{seq} is refused in the way of envelopes");
    }

    fn replied(&mut self, seq: u64, _: Value) {
        panic!("{seq} is replied to in the way of envelopes");
    }

    fn receipt(&mut self, seq: u64, _: ReceiptStatus) {
        panic!("a receipt for {seq}");
    }

    fn request_failed(&mut self, seq: u64, _: RequestFailure) {
        panic!("{seq} was a request");
    }

    fn gap(&mut self, stream: String, _: u64, _: Option<u64>) {
        panic!("a gap in {stream}");
    }

    fn violation(&mut self, violation: ProtocolViolation) {
        panic!("{violation:?}");
    }

    fn dropped(&mut self, message: Box<Message<String>>, reason: DropReason) {
        socketio::forget(self, message.seq);
        if reason != DropReason::NotOpen && self.outcomes.contains_key(&message.seq) {
            self.end_of(message.seq);
        }
    }

    fn changed(&mut self, _: bool) {}
}

impl PacketHost for Page {
    fn with_membership<R>(&mut self, look: impl FnOnce(&mut Membership<Value>) -> R) -> R {
        look(&mut self.membership)
    }

    fn auth(&mut self, claim: Option<(String, String)>) -> Option<String> {
        claim.map(|(pid, offset)| serde_json::json!({ "pid": pid, "offset": offset }).to_string())
    }

    fn send_attachments(&mut self, _: SocketId, seq: u64) -> Option<u64> {
        panic!("{seq} has no attachments");
    }

    fn set_ack_alarm(&mut self, delay_ms: Option<u64>) {
        self.alarms[1] = delay_ms.map(|delay_ms| self.now + delay_ms);
    }

    fn joined(&mut self, _: String, _: Continuity) {
        assert!(!std::mem::replace(&mut self.is_joined, true), "a client is let in once");
    }

    fn kept_out(&mut self, _: Value) {
        assert!(!self.is_joined, "who is in is not kept out");
    }

    fn put_out(&mut self) {
        self.is_unwanted = true;
    }

    fn event(&mut self, _: Option<u64>, _: Arguments<Value>) {
        assert!(self.is_joined, "events come after the client is let in");
    }

    fn event_acknowledged(&mut self, seq: u64, _: Arguments<Value>) {
        assert!(self.is_joined, "acknowledgements come after the client is let in");
        self.end_of(seq);
    }

    fn event_unacknowledged(&mut self, seq: u64, _: RequestFailure) {
        self.end_of(seq);
    }
}

const MOST_LINES: usize = 2_000;
const MOST_QUEUED: usize = 20;

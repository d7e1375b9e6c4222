//! A client of a Socket.IO server in virtual time: the shipped state machine behind the shipped link, and a model server (docs/SOCKETIO.md).

use std::fs;
use std::path::Path;

use everwire::proto::socketio::{
    Acks, Continuity, LinkOutput, MAX_ACKS, MAX_EARLY_PACKETS, Recovery, Report, UnexpectedPacket,
};
use everwire::proto::wire::socketio::{Arguments, Namespace, connect, event};
use everwire::proto::{
    Cause, Client, Close, Config, DropReason, Event, Input, Message, Output, Phase, Purpose, Reason, Refusal, SocketId,
    Timestamp,
};
use everwire_kit::{SoloLink, SoloOutput};
use serde_json::{Value, json};

/// How often the model server pings, and how long it waits for the pong, in milliseconds: the defaults of npm `socket.io`.
const INTERVAL_MS: u64 = 25_000;
const TIMEOUT_MS: u64 = 20_000;

/// A server with one namespace, the main one.
#[derive(Default)]
struct ModelServer {
    /// What it answers to a CONNECT instead of letting the client in.
    refusal: Option<String>,
    /// Whether nothing of it arrives any more, and nothing arrives at it.
    is_gone: bool,
    /// The `auth` of every CONNECT.
    auths: Vec<String>,
    received: Vec<String>,
    ping_at: Option<u64>,
    pong_by: Option<u64>,
}

impl ModelServer {
    fn accept_socket(&mut self, now: u64) -> Vec<String> {
        (self.ping_at, self.pong_by) = (Some(now + INTERVAL_MS), None);
        let handshake =
            json!({ "sid": "c", "pingInterval": INTERVAL_MS, "pingTimeout": TIMEOUT_MS, "maxPayload": 1_000_000 });
        if self.is_gone { vec![] } else { vec![format!("0{handshake}")] }
    }

    fn receive(&mut self, frame: &str, now: u64) -> Vec<String> {
        if self.is_gone {
            return vec![];
        }
        match frame {
            "3" => {
                assert!(self.pong_by.take().is_some_and(|by| now <= by), "a pong that nobody waits for");
                self.ping_at = Some(now + INTERVAL_MS);
                vec![]
            }
            _ if frame.starts_with("40") => {
                self.auths.push(frame[2..].to_owned());
                vec![self.refusal.clone().unwrap_or_else(|| r#"40{"sid":"s"}"#.to_owned())]
            }
            _ => {
                assert!(frame.starts_with("42") || frame == "41", "{frame}");
                self.received.push(frame.to_owned());
                vec![]
            }
        }
    }

    fn tick(&mut self, now: u64) -> Vec<String> {
        assert!(self.is_gone || self.pong_by.is_none_or(|by| now <= by), "the client has not answered a ping");
        if self.ping_at.is_none_or(|at| now < at) {
            return vec![];
        }
        (self.ping_at, self.pong_by) = (None, Some(now + TIMEOUT_MS));
        if self.is_gone { vec![] } else { vec!["2".to_owned()] }
    }
}

struct World {
    now: u64,
    client: Client<Value>,
    connection: Option<(SocketId, SoloLink)>,
    server: ModelServer,
    /// How often the application was asked for `auth`.
    auths: u32,
    events: Vec<Value>,
    /// Events that wait for their acknowledgements.
    asked: Acks,
    /// What became of them, by id.
    acknowledged: Vec<(u64, Value)>,
    unasked: Vec<u64>,
    timed_out: Vec<u64>,
    lost: Vec<u64>,
    reports: Vec<Report>,
    closes: Vec<Close>,
    refusals: Vec<Value>,
    dropped: Vec<DropReason>,
    attempts: u32,
    opened: u32,
}

impl World {
    fn new() -> Self {
        let mut config = Config::default();
        config.heartbeat.interval_ms = u64::MAX;
        config.max_message_bytes = 10_000_000;
        let client = Client::new(config, "k3Zq8vXw2LmN4pRt".to_owned(), 7).expect("the options are right");
        Self {
            now: 0,
            client,
            connection: None,
            server: ModelServer::default(),
            auths: 0,
            events: vec![],
            asked: Acks::default(),
            acknowledged: vec![],
            unasked: vec![],
            timed_out: vec![],
            lost: vec![],
            reports: vec![],
            closes: vec![],
            refusals: vec![],
            dropped: vec![],
            attempts: 0,
            opened: 0,
        }
    }

    /// In its namespace, with the default server.
    fn joined() -> Self {
        let mut world = Self::new();
        world.connect();
        assert_eq!(world.phase(), Phase::Open);
        world
    }

    fn at(&self) -> Timestamp {
        Timestamp::from_millis(self.now)
    }

    fn phase(&self) -> Phase {
        self.client.snapshot().phase
    }

    fn connect(&mut self) {
        self.client.connect(self.at());
        self.turn();
    }

    /// Sends an event; `arguments` is the text of an array.
    fn emit(&mut self, arguments: &str) {
        let message = Message::new(arguments.to_owned(), arguments.len() as u32, Purpose::Ordinary);
        self.client.send(message, self.at()).expect("there is room");
        self.turn();
    }

    /// The same with an acknowledgement that has to come in time. Returns the id of the event.
    fn emit_with_ack(&mut self, arguments: &str, timeout_ms: u64) -> u64 {
        let id = self.client.latest_seq() + 1;
        self.asked.ask(id, self.at() + timeout_ms);
        self.emit(arguments);
        id
    }

    fn input(&mut self, input: Input<Value>) {
        self.client.handle_input(input, self.at());
        self.turn();
    }

    /// The server says these, whatever the model would.
    fn arrive<'a>(&mut self, frames: impl IntoIterator<Item = &'a str>) {
        for frame in frames {
            let now = self.at();
            if let Some((_, link)) = &mut self.connection {
                link.handle_text(frame, now);
            }
            self.turn();
        }
    }

    /// The page is looked at again.
    fn wake(&mut self) {
        let now = self.at();
        if let Some((_, link)) = &mut self.connection {
            link.probe(now);
        }
        self.input(Input::PageVisible);
    }

    /// Lets time pass, second by second, with timers that are punctual.
    fn advance(&mut self, millis: u64) {
        let end = self.now + millis;
        while self.now < end {
            self.now += 1_000.min(end - self.now);
            let frames = if self.connection.is_some() { self.server.tick(self.now) } else { vec![] };
            self.arrive(frames.iter().map(String::as_str));
            self.timers();
        }
    }

    /// Lets the page sleep: no timer runs, and what arrives waits behind them.
    fn sleep(&mut self, millis: u64) {
        self.now += millis;
    }

    fn timers(&mut self) {
        let now = self.at();
        if let Some((_, link)) = &mut self.connection {
            link.handle_timeout(now);
        }
        while let Some(id) = self.asked.handle_timeout(now) {
            self.timed_out.push(id);
            self.client.cancel(id, now);
        }
        self.input(Input::Timeout);
    }

    /// Does what the machines ask for until they ask for nothing.
    fn turn(&mut self) {
        loop {
            if let Some(output) = self.connection.as_mut().and_then(|(_, link)| link.poll_output()) {
                self.perform_for_link(output);
            } else if let Some(output) = self.client.poll_output() {
                self.perform(output);
            } else {
                return;
            }
        }
    }

    fn perform_for_link(&mut self, output: SoloOutput) {
        let Some(socket) = self.connection.as_ref().map(|(socket, _)| *socket) else { return };
        let now = self.at();
        let output = match output {
            SoloOutput::Link(output) => output,
            SoloOutput::Send(frame) => return self.transmit(&frame),
            SoloOutput::Report(report) => return self.reports.push(report),
            SoloOutput::Ended(close) => LinkOutput::Ended { close, refusal: None },
        };
        match output {
            LinkOutput::Connect => {
                self.auths += 1;
                let auth = json!({ "token": format!("t{}", self.auths) }).to_string();
                self.transmit(&connect(&Namespace::MAIN, Some(&auth)));
            }
            LinkOutput::Send(frame) => self.transmit(&frame),
            LinkOutput::Joined { sid, pid: None, max_payload_bytes } => {
                assert_eq!((sid.as_str(), max_payload_bytes), ("s", 1_000_000));
                self.client.limit_message_bytes(max_payload_bytes, now);
                self.client.handle_input(Input::SocketOpened { socket }, now);
            }
            LinkOutput::Joined { .. } => panic!("the model server cannot recover sessions"),
            LinkOutput::PutOut => self.client.disconnect(now),
            LinkOutput::Ended { close, refusal } => {
                self.connection = None;
                self.refusals.extend(refusal);
                self.client.handle_input(Input::SocketClosed { socket, close }, now);
            }
            LinkOutput::Event { arguments, .. } => self.events.push(arguments.array),
            LinkOutput::Ack { id, arguments } if self.asked.handle_ack(id) => {
                self.acknowledged.push((id, arguments.array));
            }
            LinkOutput::Ack { id, .. } => self.unasked.push(id),
        }
    }

    fn perform(&mut self, output: Output<Value>) {
        match output {
            Output::Open { socket, .. } => {
                self.attempts += 1;
                let mut link = SoloLink::new(Namespace::MAIN);
                for frame in self.server.accept_socket(self.now) {
                    link.handle_text(&frame, self.at());
                }
                self.connection = Some((socket, link));
            }
            Output::Transmit { message, .. } => {
                let id = self.asked.is_asked(message.seq).then_some(message.seq);
                self.asked.hand_over(message.seq);
                self.transmit(&event(&Namespace::MAIN, id, &message.frame, 0));
            }
            Output::Close { socket } => {
                let mut connection = self.connection.take();
                let goodbye = connection.as_mut().and_then(|(_, link)| {
                    link.leave();
                    link.poll_output()
                });
                if let Some(SoloOutput::Link(LinkOutput::Send(frame))) = goodbye {
                    self.transmit(&frame);
                }
                let close = Close { code: 1000, reason: Reason::Peer(String::new()), was_clean: true };
                self.client.handle_input(Input::SocketClosed { socket, close }, self.at());
            }
            Output::Abandon { .. } => self.connection = None,
            Output::Event(Event::Closed(close)) => {
                self.closes.push(close);
                self.lost.extend(self.asked.handle_end());
            }
            Output::Event(Event::Opened) => self.opened += 1,
            Output::Event(Event::Dropped { reason, .. }) => self.dropped.push(reason),
            Output::Event(_) | Output::CheckBuffer { .. } => {}
            Output::Ping { .. } | Output::Hello { .. } => panic!("{output:?} is not of this dialect"),
        }
    }

    fn transmit(&mut self, frame: &str) {
        let answers = self.server.receive(frame, self.now);
        let now = self.at();
        if let Some((_, link)) = &mut self.connection {
            answers.iter().for_each(|frame| link.handle_text(frame, now));
        }
    }

    fn last_close(&self) -> (u16, &Reason) {
        let close = self.closes.last().expect("something has closed");
        (close.code, &close.reason)
    }

    fn codes(&self) -> Vec<&str> {
        let code = |report: &Report| match report {
            Report::Flaw(flaw) => flaw.code(),
            Report::Unexpected(packet) => packet.code(),
        };
        self.reports.iter().map(code).collect()
    }
}

#[test]
fn a_client_is_open_when_it_is_in_its_namespace() {
    let mut world = World::new();
    world.emit(r#"["early"]"#);
    world.connect();
    assert_eq!((world.phase(), world.opened), (Phase::Open, 1));
    assert_eq!(world.server.auths, [r#"{"token":"t1"}"#]);
    world.emit(r#"["late"]"#);
    assert_eq!(world.server.received, [r#"42["early"]"#, r#"42["late"]"#]);
    world.arrive([r#"42["foo",1]"#]);
    assert_eq!(world.events, [json!(["foo", 1])]);
}

#[test]
fn a_server_that_says_nothing_is_left_when_the_attempt_has_taken_too_long() {
    let mut world = World::new();
    world.server.is_gone = true;
    world.connect();
    world.advance(10_000);
    assert_eq!(world.last_close(), (1006, &Reason::Client(Cause::ConnectTimeout)));
    assert_eq!(world.opened, 0);
}

#[test]
fn the_heartbeat_is_the_servers() {
    let mut world = World::joined();
    world.advance(10 * INTERVAL_MS);
    assert_eq!((world.phase(), world.closes.len(), world.attempts), (Phase::Open, 0, 1));
}

#[test]
fn a_missing_ping_is_a_dead_link() {
    let mut world = World::joined();
    world.advance(INTERVAL_MS);
    world.server.is_gone = true;
    world.advance(INTERVAL_MS + TIMEOUT_MS - 1_000);
    assert_eq!(world.phase(), Phase::Open);
    world.advance(1_000);
    assert_eq!(world.last_close(), (1006, &Reason::Client(Cause::PongTimeout)));
    world.server.is_gone = false;
    world.advance(10_000);
    assert_eq!((world.phase(), world.attempts, world.auths), (Phase::Open, 2, 2));
}

#[test]
fn a_wake_up_shortens_the_wait_for_the_ping_that_is_due() {
    let mut world = World::joined();
    world.server.is_gone = true;
    world.advance(10_000);
    world.wake();
    world.advance(INTERVAL_MS - 10_000 + 3_000);
    assert_eq!(world.phase(), Phase::Open);
    world.advance(1_000);
    assert_eq!(world.last_close().1, &Reason::Client(Cause::PongTimeout));
}

#[test]
fn a_page_that_has_slept_through_a_ping_learns_of_a_dead_link_at_once() {
    let mut world = World::joined();
    world.server.is_gone = true;
    world.sleep(INTERVAL_MS + 10_000);
    world.wake();
    world.advance(3_000);
    assert_eq!(world.phase(), Phase::Open);
    world.advance(1_000);
    assert_eq!(world.last_close().1, &Reason::Client(Cause::PongTimeout));
}

#[test]
fn a_page_that_has_slept_for_long_sees_the_ping_before_it_gives_up() {
    for is_told in [false, true] {
        let mut world = World::joined();
        world.sleep(INTERVAL_MS + TIMEOUT_MS + 5_000);
        if is_told {
            world.wake();
        }
        world.timers();
        assert_eq!(world.phase(), Phase::Open);
        // A server that is as late has not given up either.
        let frames = world.server.tick(world.now);
        world.arrive(frames.iter().map(String::as_str));
        world.advance(INTERVAL_MS);
        assert_eq!((world.phase(), world.closes.len()), (Phase::Open, 0));
    }
}

#[test]
fn a_page_that_has_slept_for_long_gives_up_when_no_ping_is_there() {
    let mut world = World::joined();
    world.server.is_gone = true;
    world.sleep(INTERVAL_MS + TIMEOUT_MS + 5_000);
    world.timers();
    world.advance(4_000);
    assert_eq!(world.last_close().1, &Reason::Client(Cause::PongTimeout));
}

#[test]
fn a_refused_client_asks_once_more_with_fresh_credentials() {
    let mut world = World::new();
    world.server.refusal = Some(r#"44{"message":"Not authorized","data":{"code":7}}"#.to_owned());
    world.connect();
    assert_eq!(world.last_close(), (4401, &Reason::Peer("Not authorized".to_owned())));
    assert_eq!(world.refusals, [json!({ "message": "Not authorized", "data": { "code": 7 } })]);
    world.advance(60_000);
    assert_eq!((world.phase(), world.attempts), (Phase::Fatal, 2));
    assert_eq!(world.server.auths, [r#"{"token":"t1"}"#, r#"{"token":"t2"}"#]);
    world.server.refusal = None;
    world.client.token_changed(world.at());
    world.turn();
    assert_eq!((world.phase(), world.attempts), (Phase::Open, 3));
}

#[test]
fn a_refusal_may_be_a_string_and_may_say_nothing() {
    for (refusal, words) in [(r#"44"Unable to connect""#, "Unable to connect"), ("44{}", "")] {
        let mut world = World::new();
        world.server.refusal = Some(refusal.to_owned());
        world.connect();
        assert_eq!(world.last_close(), (4401, &Reason::Peer(words.to_owned())));
    }
}

#[test]
fn a_client_that_the_server_has_put_out_does_not_come_back_by_itself() {
    let mut world = World::joined();
    world.arrive(["41"]);
    assert_eq!(world.phase(), Phase::Idle);
    world.advance(60_000);
    assert_eq!(world.attempts, 1);
    world.connect();
    assert_eq!((world.phase(), world.attempts), (Phase::Open, 2));
}

#[test]
fn a_client_comes_back_after_a_close_of_the_server() {
    let mut world = World::joined();
    world.arrive(["1"]);
    assert_eq!(world.last_close(), (1005, &Reason::Peer(String::new())));
    world.advance(10_000);
    assert_eq!((world.phase(), world.attempts), (Phase::Open, 2));
}

#[test]
fn a_server_of_an_old_version_is_not_tried_again() {
    let mut world = World::new();
    world.server.refusal = Some("40".to_owned());
    world.connect();
    world.advance(60_000);
    assert_eq!((world.phase(), world.attempts), (Phase::Fatal, 1));
    assert_eq!(world.codes(), ["no_session_id"]);
}

#[test]
fn what_comes_while_the_server_decides_is_delivered_after_its_answer() {
    let mut world = World::new();
    world.server.refusal = Some(r#"42["early",1]"#.to_owned());
    world.connect();
    assert_eq!((world.phase(), world.events.len()), (Phase::Connecting, 0));
    world.arrive([r#"42["early",2]"#, r#"40{"sid":"s"}"#, r#"42["late"]"#]);
    assert_eq!(world.events, [json!(["early", 1]), json!(["early", 2]), json!(["late"])]);
    assert_eq!(world.phase(), Phase::Open);
}

#[test]
fn what_comes_while_the_server_decides_is_bounded() {
    let mut world = World::new();
    world.server.refusal = Some(r#"42["early"]"#.to_owned());
    world.connect();
    world.arrive(vec![r#"42["early"]"#; MAX_EARLY_PACKETS - 1]);
    assert!(world.closes.is_empty());
    world.arrive([r#"42["early"]"#]);
    assert_eq!(world.last_close(), (1006, &Reason::Client(Cause::ProtocolViolation)));
}

#[test]
fn a_server_of_another_protocol_is_named_and_tried_again_later() {
    for (frame, code) in [
        ("<!doctype html>", "not_engine_io"),
        (r#"{"type":"welcome"}"#, "not_engine_io"),
        ("0{}", "bad_handshake"),
        (r#"42["foo"]"#, "no_handshake"),
    ] {
        let mut world = World::new();
        world.server.is_gone = true;
        world.connect();
        world.arrive([frame]);
        assert_eq!(world.codes(), [code]);
        assert_eq!(world.last_close(), (1006, &Reason::Client(Cause::ProtocolViolation)), "{frame}");
        world.server.is_gone = false;
        world.advance(10_000);
        assert_eq!((world.phase(), world.attempts), (Phase::Open, 2), "{frame}");
    }
}

#[test]
fn what_means_nothing_is_reported_and_the_connection_stays() {
    let mut world = World::joined();
    let handshake = r#"0{"sid":"d","pingInterval":1,"pingTimeout":1}"#;
    world.arrive(["7", "5", "47", r#"42/admin,["foo"]"#, r#"40{"sid":"t"}"#, "44{}", handshake, "3", "6"]);
    let unexpected = ["foreign_namespace", "second_answer", "second_answer", "second_handshake"];
    assert_eq!(world.codes(), [&["not_engine_io", "wrong_direction", "unknown_packet"][..], &unexpected].concat());
    assert_eq!((world.phase(), world.closes.len(), world.events.len()), (Phase::Open, 0, 0));
}

#[test]
fn a_frame_that_leaves_no_doubt_ends_the_connection() {
    let mut world = World::joined();
    world.arrive(["42{}", r#"42["foo"]"#]);
    assert_eq!((world.codes(), world.events.len()), (vec!["bad_payload"], 0));
    assert_eq!(world.last_close(), (1006, &Reason::Client(Cause::ProtocolViolation)));
    world.advance(10_000);
    assert_eq!((world.phase(), world.attempts), (Phase::Open, 2));
}

#[test]
fn a_hundred_faults_are_borne_and_ten_are_told() {
    let mut world = World::joined();
    world.arrive(["7"; 100]);
    assert_eq!((world.phase(), world.reports.len()), (Phase::Open, 10));
    world.arrive(["7"]);
    assert_eq!(world.last_close(), (1006, &Reason::Client(Cause::ProtocolViolation)));
}

#[test]
fn an_acknowledgement_answers_its_event_once() {
    let mut world = World::joined();
    world.emit(r#"["plain"]"#);
    let [first, second] = [1, 2].map(|_| world.emit_with_ack(r#"["ask"]"#, 5_000));
    let frames = [r#"42["plain"]"#.to_owned(), format!("42{first}[\"ask\"]"), format!("42{second}[\"ask\"]")];
    assert_eq!(world.server.received, frames);
    let [to_first, to_second] = [format!("43{first}[\"a\"]"), format!("43{second}[]")];
    world.arrive([to_second.as_str(), &to_first, &to_first, "43999[]", "431[]"]);
    assert_eq!(world.acknowledged, [(second, json!([])), (first, json!(["a"]))]);
    assert_eq!(world.unasked, [first, 999, 1], "doubled, unknown, and of an event that asked for none");
    world.advance(10_000);
    assert!(world.timed_out.is_empty() && world.lost.is_empty());
}

#[test]
fn an_acknowledgement_after_its_time_is_nobodys() {
    let mut world = World::joined();
    let id = world.emit_with_ack(r#"["ask"]"#, 5_000);
    world.advance(5_000);
    world.arrive([format!("43{id}[]").as_str()]);
    assert_eq!((world.timed_out, world.unasked, world.acknowledged), (vec![id], vec![id], vec![]));
}

#[test]
fn a_connection_that_ends_takes_with_it_what_it_has_not_acknowledged() {
    let mut world = World::joined();
    let sent = world.emit_with_ack(r#"["sent"]"#, 60_000);
    world.arrive(["1"]);
    assert_eq!(world.lost, [sent]);
    let waiting = world.emit_with_ack(r#"["waiting"]"#, 60_000);
    world.arrive([format!("43{waiting}[]").as_str()]);
    world.advance(10_000);
    assert_eq!(world.server.received.len(), 2, "each event is sent once");
    world.arrive([format!("43{sent}[]").as_str(), &format!("43{waiting}[]")]);
    assert_eq!((world.unasked, world.acknowledged), (vec![sent], vec![(waiting, json!([]))]));
    assert!(world.timed_out.is_empty());
}

#[test]
fn an_event_that_nobody_waits_for_any_more_is_not_sent() {
    let mut world = World::new();
    let id = world.emit_with_ack(r#"["ask"]"#, 1_000);
    world.sleep(1_000);
    world.timers();
    world.connect();
    assert_eq!((world.timed_out.as_slice(), world.phase()), (&[id][..], Phase::Open));
    assert!(world.server.received.is_empty());
}

#[test]
fn events_that_wait_for_acknowledgements_are_bounded() {
    let mut acks = Acks::default();
    for id in 1..=MAX_ACKS as u64 {
        assert!(!acks.is_full());
        acks.ask(id, Timestamp::from_millis(id));
    }
    assert!(acks.is_full());
    assert!(!acks.handle_ack(1), "no server was sent it");
    assert!(acks.forget(1) && !acks.forget(1) && !acks.is_full());
    assert_eq!((acks.poll_timeout(), acks.handle_end()), (Timestamp::from_millis(2), vec![]));
}

#[test]
fn a_client_that_leaves_while_the_server_decides_says_nothing() {
    let mut link = SoloLink::new(Namespace::MAIN);
    let at = Timestamp::from_millis;
    link.handle_text(r#"0{"sid":"d","pingInterval":1,"pingTimeout":1}"#, at(0));
    assert!(matches!(link.poll_output(), Some(SoloOutput::Link(LinkOutput::Connect))));
    link.leave();
    assert!(link.poll_output().is_none());
}

#[test]
fn a_ping_before_the_handshake_is_not_answered() {
    let mut link = SoloLink::new(Namespace::MAIN);
    link.handle_text("2", Timestamp::from_millis(0));
    assert!(link.poll_output().is_none());
}

#[test]
fn a_client_says_goodbye_and_stays_away() {
    let mut world = World::joined();
    world.client.disconnect(world.at());
    world.turn();
    assert_eq!((world.phase(), world.server.received.as_slice()), (Phase::Idle, &["41".to_owned()][..]));
    assert_eq!(world.last_close().0, 1000);
    world.advance(60_000);
    assert_eq!(world.attempts, 1);
}

#[test]
fn what_is_larger_than_the_server_takes_is_not_sent() {
    let mut world = World::new();
    let large = format!("[\"{}\"]", "x".repeat(1_000_000));
    world.emit(&large);
    world.connect();
    assert_eq!(world.dropped, [DropReason::TooLarge]);
    let message = Message::new(large.clone(), large.len() as u32, Purpose::Ordinary);
    let refused = world.client.send(message, world.at()).expect_err("the server would end the connection");
    assert!(matches!(refused.refusal, Refusal::TooLarge { max: 1_000_000, .. }));
    assert_eq!((world.phase(), world.server.received.len()), (Phase::Open, 0));
}

#[test]
fn nothing_follows_an_end() {
    let mut link = SoloLink::new(Namespace::MAIN);
    let at = Timestamp::from_millis;
    link.handle_text("1", at(0));
    assert!(matches!(link.poll_output(), Some(SoloOutput::Ended(_))));
    link.handle_text(r#"0{"sid":"d","pingInterval":1,"pingTimeout":1}"#, at(1));
    link.handle_binary(vec![1], at(2));
    link.probe(at(3));
    assert!(link.poll_output().is_none() && link.poll_timeout().is_none());
}

#[test]
fn the_document_lists_every_packet_that_can_come_at_the_wrong_moment() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/SOCKETIO.md");
    let document = fs::read_to_string(path).expect("the document is there");
    for packet in UnexpectedPacket::ALL {
        assert!(document.contains(&format!("\n| `{}` |", packet.code())), "no row for {}", packet.code());
    }
}

/// What a link makes of a recorded conversation. It has to say what the recorded client did of its own accord.
///
/// Every `open` is another connection of the same client.
fn replay(name: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/proto/socketio_recordings").join(name);
    let recording = fs::read_to_string(path.with_extension("txt")).expect("the recording is there");
    let mut link = SoloLink::new(Namespace::MAIN);
    let mut recovery = Recovery::<Value>::default();
    let (mut outcome, mut said) = (vec![], vec![]);
    for line in recording.lines() {
        let now = Timestamp::from_millis(outcome.len() as u64);
        match line.split_at(2) {
            ("< ", frame) if frame.starts_with('b') => {
                let digits = frame.as_bytes()[1..].chunks(2).map(|byte| str::from_utf8(byte).expect("it is ASCII"));
                let bytes = digits.map(|byte| u8::from_str_radix(byte, 16).expect("it is a byte"));
                link.handle_binary(bytes.collect(), now);
            }
            ("< ", frame) => link.handle_text(frame, now),
            ("> ", "3") => assert_eq!(said.pop(), Some("3".to_owned()), "{line}"),
            ("> ", frame) if frame.starts_with("40") => {
                assert_eq!(said.pop(), Some("40".to_owned()), "{line}");
                let claim = recovery.claim().map(|(pid, offset)| format!(r#"40{{"pid":"{pid}","offset":"{offset}"}}"#));
                assert!(claim.is_none_or(|claim| claim == frame || frame.contains("unknown")), "{line}");
            }
            ("op", "en") => link = SoloLink::new(Namespace::MAIN),
            _ => {}
        }
        while let Some(output) = link.poll_output() {
            let output = match output {
                SoloOutput::Link(output) => output,
                SoloOutput::Send(frame) => {
                    said.push(frame);
                    continue;
                }
                SoloOutput::Report(report) => {
                    outcome.push(format!("{report:?}"));
                    continue;
                }
                SoloOutput::Ended(close) => LinkOutput::Ended { close, refusal: None },
            };
            match output {
                LinkOutput::Connect => said.push(connect(&Namespace::MAIN, None)),
                LinkOutput::Send(frame) => said.push(frame),
                LinkOutput::Joined { sid, pid, max_payload_bytes } => {
                    let continuity = recovery.handle_joined(pid.as_ref());
                    outcome.push(format!("joined as {sid}, up to {max_payload_bytes} bytes: {continuity:?}"));
                }
                LinkOutput::PutOut => outcome.push("put out".to_owned()),
                LinkOutput::Ended { close, refusal } => {
                    outcome.push(format!("ended with {}: {}", close.code, refusal.unwrap_or_default()));
                }
                LinkOutput::Event { id, arguments } => {
                    recovery.handle_event(id, &arguments);
                    outcome.push(format!("event {id:?} {} {:?}", arguments.array, arguments.attachments));
                }
                LinkOutput::Ack { id, arguments } => outcome.push(format!("ack {id} {}", arguments.array)),
            }
        }
    }
    outcome
}

const JOINED: &str = "joined as s, up to 1000000 bytes: First";

#[test]
fn what_npm_socket_io_has_said_is_understood() {
    let placeholder = |number| format!(r#"{{"_placeholder":true,"num":{number}}}"#);
    let binary = format!(r#"event None ["bin",{},{{"x":{}}}] [[1, 2], [9]]"#, placeholder(0), placeholder(1));
    let asked = r#"event Some(0) ["question",1] []"#;
    assert_eq!(replay("npm-events"), [JOINED, r#"ack 1 ["x",1]"#, asked, &binary]);
    let refusal = r#"ended with 4401: {"data":{"code":7},"message":"Not authorized"}"#;
    assert_eq!(replay("npm-refused"), [refusal]);
    assert_eq!(replay("npm-disconnect"), [JOINED, "put out"]);
    assert_eq!(replay("npm-disconnect-all"), [JOINED, "put out"]);
}

#[test]
fn what_python_socketio_has_said_is_understood() {
    let binary = r#"event None ["bin",{"x":{"_placeholder":true,"num":0}}] [[1, 2]]"#;
    let early = r#"event None ["early",1] []"#;
    let asked = r#"event Some(1) ["question",1,"b"] []"#;
    let expected = [JOINED, early, r#"ack 1 ["x",1]"#, "ack 2 []", asked, binary];
    assert_eq!(replay("python-events"), expected);
    let refusal = r#"ended with 4401: {"data":{"code":7},"message":"Not authorized"}"#;
    assert_eq!(replay("python-refused"), [refusal]);
    assert_eq!(replay("python-rejected"), [r#"ended with 4401: {"message":"Connection rejected by server"}"#]);
    assert_eq!(replay("python-disconnect"), [JOINED, early, "put out"]);
}

#[test]
fn a_session_of_npm_socket_io_is_recovered_with_what_was_missed_or_known_to_be_lost() {
    let outcome = replay("npm-recovery");
    let joined = |sid, continuity| format!("joined as {sid}, up to 1000000 bytes: {continuity:?}");
    let expected = [
        joined("s1", Continuity::First),
        r#"event None ["all",1,"o1"] []"#.to_owned(),
        r#"event None ["mine",2,"o2"] []"#.to_owned(),
        r#"event Some(0) ["asks","text"] []"#.to_owned(),
        r#"event None ["bin",{"_placeholder":true,"num":0},"text","o3"] [[1]]"#.to_owned(),
        joined("s1", Continuity::Recovered),
        r#"event None ["all",3,"o4"] []"#.to_owned(),
        joined("s2", Continuity::Lost),
    ];
    assert_eq!(outcome, expected);
}

#[test]
fn a_session_can_be_asked_for_once_an_event_has_said_where_it_stands() {
    let event = |array: Value| Arguments { array, attachments: vec![] };
    let [pid, other] = ["p", "q"].map(str::to_owned);
    let mut recovery = Recovery::<Value>::default();
    assert_eq!(recovery.handle_joined(Some(&pid)), Continuity::First);
    assert_eq!(recovery.claim(), None);
    recovery.handle_event(Some(1), &event(json!(["asks", "text"])));
    recovery.handle_event(None, &event(json!(["plain", 1])));
    assert_eq!(recovery.claim(), None);
    recovery.handle_event(None, &event(json!(["stored", 1, "o"])));
    assert_eq!(recovery.claim(), Some((&pid, &"o".to_owned())));
    assert_eq!(recovery.handle_joined(Some(&pid)), Continuity::Recovered);
    assert!(recovery.claim().is_some());
    assert_eq!(recovery.handle_joined(Some(&other)), Continuity::Lost);
    assert_eq!(recovery.claim(), None);
    assert!(!format!("{recovery:?}").contains('q'), "who knows the pid can take the session over");
}

#[test]
fn a_server_that_cannot_recover_loses_what_is_missed() {
    let mut recovery = Recovery::<Value>::default();
    assert_eq!(recovery.handle_joined(None), Continuity::First);
    recovery.handle_event(None, &Arguments { array: json!(["text", "no offset"]), attachments: vec![] });
    assert_eq!(recovery.claim(), None);
    assert_eq!(recovery.handle_joined(None), Continuity::Lost);
}

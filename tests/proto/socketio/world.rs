//! A client of a Socket.IO server in virtual time: the shipped state machine behind the shipped link, and a model server.

use everwire::proto::socketio::{Acks, LinkOutput, Report};
use everwire::proto::wire::socketio::{Namespace, connect, event};
use everwire::proto::{
    Client, Close, Config, DropReason, Event, Input, Message, Output, Phase, Purpose, Reason, SocketId, Timestamp,
};
use everwire_kit::{SoloLink, SoloOutput};
use serde_json::{Value, json};

use super::model_server::ModelServer;

pub struct World {
    pub now: u64,
    pub client: Client<Value>,
    pub connection: Option<(SocketId, SoloLink)>,
    pub server: ModelServer,
    /// How often the application was asked for `auth`.
    pub auths: u32,
    pub events: Vec<Value>,
    /// Events that wait for their acknowledgements.
    pub asked: Acks,
    /// What became of them, by id.
    pub acknowledged: Vec<(u64, Value)>,
    pub unasked: Vec<u64>,
    pub timed_out: Vec<u64>,
    pub lost: Vec<u64>,
    pub reports: Vec<Report>,
    pub closes: Vec<Close>,
    pub refusals: Vec<Value>,
    pub dropped: Vec<DropReason>,
    pub attempts: u32,
    pub opened: u32,
}

impl World {
    pub fn new() -> Self {
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
    pub fn joined() -> Self {
        let mut world = Self::new();
        world.connect();
        assert_eq!(world.phase(), Phase::Open);
        world
    }

    pub fn at(&self) -> Timestamp {
        Timestamp::from_millis(self.now)
    }

    pub fn phase(&self) -> Phase {
        self.client.snapshot().phase
    }

    pub fn connect(&mut self) {
        self.client.connect(self.at());
        self.turn();
    }

    /// Sends an event; `arguments` is the text of an array.
    pub fn emit(&mut self, arguments: &str) {
        let message = Message::new(arguments.to_owned(), arguments.len() as u32, Purpose::Ordinary);
        self.client.send(message, self.at()).expect("there is room");
        self.turn();
    }

    /// The same with an acknowledgement that has to come in time. Returns the id of the event.
    pub fn emit_with_ack(&mut self, arguments: &str, timeout_ms: u64) -> u64 {
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
    pub fn arrive<'a>(&mut self, frames: impl IntoIterator<Item = &'a str>) {
        for frame in frames {
            let now = self.at();
            if let Some((_, link)) = &mut self.connection {
                link.handle_text(frame, now);
            }
            self.turn();
        }
    }

    /// The page is looked at again.
    pub fn wake(&mut self) {
        let now = self.at();
        if let Some((_, link)) = &mut self.connection {
            link.probe(now);
        }
        self.input(Input::PageVisible);
    }

    /// Lets time pass, second by second, with timers that are punctual.
    pub fn advance(&mut self, millis: u64) {
        let end = self.now + millis;
        while self.now < end {
            self.now += 1_000.min(end - self.now);
            let frames = if self.connection.is_some() { self.server.tick(self.now) } else { vec![] };
            self.arrive(frames.iter().map(String::as_str));
            self.timers();
        }
    }

    /// Lets the page sleep: no timer runs, and what arrives waits behind them.
    pub fn sleep(&mut self, millis: u64) {
        self.now += millis;
    }

    pub fn timers(&mut self) {
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
    pub fn turn(&mut self) {
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

    pub fn last_close(&self) -> (u16, &Reason) {
        let close = self.closes.last().expect("something has closed");
        (close.code, &close.reason)
    }

    pub fn codes(&self) -> Vec<&str> {
        let code = |report: &Report| match report {
            Report::Flaw(flaw) => flaw.code(),
            Report::Unexpected(packet) => packet.code(),
        };
        self.reports.iter().map(code).collect()
    }
}

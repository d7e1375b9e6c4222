//! A client, its surroundings and its virtual clock, as scenarios see them.

use std::collections::BTreeMap;

use everwire::proto::{Client, Config, Event, Input, Message, Phase, Refused, Sent, Timer, Timestamp};
use serde_json::Value;

use crate::driver::{Fact, Seen, seen};
use crate::memory::Memory;
use crate::server::{Server, Socket};
use crate::wire::{Envelope, label, note};

pub struct World {
    pub client: Client<String, Envelope>,
    pub server: Server,
    pub sockets: Vec<Socket>,
    pub events: Vec<(u64, Event<String, Envelope>)>,
    pub accepted: Vec<String>,
    pub trace: Vec<String>,
    pub config: Config,
    pub now: u64,
    pub under_way: BTreeMap<(u64, usize), Fact>,
    pub scheduled: usize,
    pub seen: Seen,
    /// What the browser says when it is asked about its send buffer.
    pub buffered: u64,
    /// What a server of the reliable mode remembers; a plain server has none.
    pub memory: Option<Memory>,
    /// What it will remember when it knows the reliable mode again.
    pub shelved: Option<Memory>,
    /// Whether messages of earlier pages wait, for which there is no bound.
    pub has_restored: bool,
}

/// What a scenario does to its world.
pub type Act = fn(&mut World);

pub const fn secs(seconds: u64) -> u64 {
    seconds * 1_000
}

impl World {
    /// A client without jitter, whose other options `change` may set.
    pub fn new(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        config.reconnect.jitter = 0.0;
        change(&mut config);
        Self::seeded(config, 7)
    }

    pub fn seeded(config: Config, seed: u64) -> Self {
        let client = Client::new(config.clone(), seed).expect("the test's options are valid");
        let seen = seen(&client);
        Self {
            client,
            server: Server::default(),
            sockets: Vec::new(),
            events: Vec::new(),
            accepted: Vec::new(),
            trace: Vec::new(),
            config,
            now: 1_000_000,
            under_way: BTreeMap::new(),
            scheduled: 0,
            seen,
            buffered: 0,
            memory: None,
            shelved: None,
            has_restored: false,
        }
    }

    /// A client with an open connection.
    pub fn open(change: impl FnOnce(&mut Config)) -> Self {
        let mut world = Self::new(change);
        world.connect();
        world.advance(0);
        assert_eq!(world.phase(), Phase::Open);
        world
    }

    pub fn connect(&mut self) {
        self.client.connect(self.time());
        self.perform();
    }

    pub fn disconnect(&mut self) {
        self.client.disconnect(self.time());
        self.perform();
    }

    pub fn reconnect(&mut self) {
        self.client.reconnect(self.time());
        self.perform();
    }

    pub fn send(&mut self, message: Box<Message<String>>) -> Result<Sent, Refused<String>> {
        let words = label(&message.frame);
        let answer = self.client.send(message, self.time());
        self.trace.push(format!("{} {answer:?}", self.now));
        if answer.is_ok() {
            self.accepted.push(words);
        }
        self.perform();
        answer
    }

    /// Sends an ordinary message that must be accepted.
    pub fn say(&mut self, text: &str) -> Sent {
        self.send(note(text)).expect("the message is accepted")
    }

    pub fn input(&mut self, input: Input<String, Envelope>) {
        self.client.handle_input(input, self.time());
        self.perform();
    }

    /// Lets time pass; everything that is due happens when it is due.
    pub fn advance(&mut self, millis: u64) {
        let until = self.now + millis;
        for _ in 0..MOST_STEPS {
            let fact = self.under_way.keys().next().map_or(u64::MAX, |(at, _)| *at);
            let alarm = self.alarm().map_or(u64::MAX, |(at, _)| at);
            if fact.min(alarm) > until {
                self.now = until;
                return;
            }
            self.now = self.now.max(fact.min(alarm));
            if fact <= alarm {
                self.deliver();
            } else {
                self.input(Input::Timeout);
            }
        }
        panic!("the client spins: {:?}", self.client);
    }

    /// The page sleeps: nothing happens until its end, and then the alarm comes first.
    pub fn suspend(&mut self, millis: u64) {
        self.now += millis;
        self.input(Input::Timeout);
        self.advance(0);
    }

    /// Time passes, and something else happens before the alarm that is due goes off.
    pub const fn sleep_without_alarm(&mut self, millis: u64) {
        self.now += millis;
    }

    /// The server or the network ends the connection.
    pub fn close(&mut self, code: u16) {
        let socket = self.live().expect("a socket is live").id;
        self.closed(socket, code);
    }

    /// The server says something on the live socket.
    pub fn push(&mut self, envelope: Value) {
        let socket = self.live().expect("a socket is live").id;
        self.hear(socket, envelope);
    }

    /// The browser takes no frames on the live socket any more, and has not said so yet.
    pub fn go_deaf(&mut self) {
        self.go_deaf_after(0);
    }

    /// As [`World::go_deaf`], after `frames` more.
    pub fn go_deaf_after(&mut self, frames: usize) {
        if let Some(socket) = self.sockets.iter_mut().find(|socket| socket.is_live()) {
            socket.room = socket.room.min(frames);
        }
    }

    pub fn time(&self) -> Timestamp {
        Timestamp::from_millis(self.now)
    }

    pub fn alarm(&self) -> Option<(u64, Timer)> {
        self.client.poll_timeout().map(|(at, timer)| (at.as_millis(), timer))
    }
}

const MOST_STEPS: usize = 100_000;

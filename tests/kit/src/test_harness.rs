//! A client, its surroundings and its virtual clock, as scenarios see them.

use std::collections::BTreeMap;

use everwire::driver::{self, Driver};
use everwire::proto::{Client, Config, Event, Input, Phase, Timer, Timestamp};

use crate::invariants::Seen;
use crate::offers::PendingMessage;
use crate::{Arrival, MessageModel, ServerBehaviour, ServerMemory, TestSocket, VirtualBrowser};

/// JSON as tests keep it.
pub type Json = serde_json::Value;

/// What a scenario does to its harness.
pub type Act = fn(&mut TestHarness);

/// What an application does when it is told of something.
pub type Reaction = fn(&mut TestHarness);

/// The client id of the client under test.
pub const CLIENT_ID: &str = "k3Zq8vXw2LmN4pRt";

/// So many seconds in milliseconds.
pub const fn secs(seconds: u64) -> u64 {
    seconds * 1_000
}

/// One client in virtual time.
#[derive(Debug)]
pub struct TestHarness {
    /// The client and what its driver remembers.
    pub driver: Driver<Json>,
    /// The options of the client.
    pub config: Config,
    /// The clock, in milliseconds.
    pub now: u64,
    /// How the server and the network behave.
    pub server: ServerBehaviour,
    /// What a server of the reliable mode remembers; a plain server has none.
    pub memory: Option<ServerMemory>,
    /// What it will remember when it knows the reliable mode again.
    pub shelved: Option<ServerMemory>,
    /// Every attempt, the latest last.
    pub sockets: Vec<TestSocket>,
    /// What the browser says when it is asked about its send buffer.
    pub buffered: u64,
    /// What has become of every message.
    pub messages: MessageModel,
    /// What the application was told, and when.
    pub events: Vec<(u64, Event<Json>)>,
    /// What the messages say that were accepted, in order.
    pub accepted: Vec<String>,
    /// Everything that the client did, in words.
    pub trace: Vec<String>,
    /// Whether messages, events and trace are kept.
    pub is_recording: bool,
    /// How many texts arrived that are no envelopes.
    pub unreadable: usize,
    /// What the application does when it is told of something the next time.
    pub reaction: Option<Reaction>,
    /// Whether something has happened that no driver does, such as a clock beyond all clocks. From then on only what holds without any
    /// contract is asserted: no panic, no growth beyond the bounds, no timer that spins.
    pub breaks_contract: bool,
    /// How many messages the client was given that the model does not follow, because the contract was broken.
    pub unmodelled: usize,
    /// The newest epoch that the server has named.
    pub epoch: u64,
    /// The smallest message size that a welcome has announced.
    pub smallest_limit: u64,
    /// The highest number of the client's own that was sent.
    pub sent: u64,
    /// How often a server has ended a connection in words that can mean a message.
    pub(crate) strikes: u32,
    pub(crate) under_way: BTreeMap<(u64, usize), Arrival>,
    pub(crate) scheduled: usize,
    /// When the alarm goes off.
    pub alarm: Option<u64>,
    pub(crate) is_offline: bool,
    pub(crate) is_active: bool,
    pub(crate) seen: Seen,
    /// Whether this turn announced a change, and one of the phase.
    pub(crate) announced: Option<bool>,
    /// How many turns run; one within another when the application reacts to what it is told.
    pub(crate) depth: usize,
    /// How many effects and events this turn has had.
    pub(crate) calls: usize,
    /// Whether a socket has refused a message in this turn.
    pub(crate) has_refused: bool,
    /// The message that the client is about to judge.
    pub(crate) pending: Option<PendingMessage>,
    /// Whether a message ever had to wait for the disk.
    pub(crate) has_awaited_storage: bool,
    /// How far each stream was delivered.
    pub(crate) delivered: BTreeMap<String, u64>,
}

impl TestHarness {
    /// A client without jitter, whose other options `change` may set.
    pub fn new(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        config.reconnect.jitter = 0.0;
        change(&mut config);
        Self::seeded(config, 7)
    }

    /// A client with these options and this seed.
    pub fn seeded(config: Config, seed: u64) -> Self {
        let validated = config.clone().check().expect("the test's options are valid");
        let driver = Driver::new(validated, CLIENT_ID.to_owned(), seed);
        let seen = Seen::new(driver.client());
        Self {
            driver,
            config,
            now: 1_000_000,
            server: ServerBehaviour::default(),
            memory: None,
            shelved: None,
            sockets: Vec::new(),
            buffered: 0,
            messages: MessageModel::default(),
            events: Vec::new(),
            accepted: Vec::new(),
            trace: Vec::new(),
            is_recording: true,
            unreadable: 0,
            reaction: None,
            breaks_contract: false,
            unmodelled: 0,
            epoch: 0,
            smallest_limit: u64::MAX,
            sent: 0,
            strikes: 0,
            under_way: BTreeMap::new(),
            scheduled: 0,
            alarm: None,
            is_offline: false,
            is_active: false,
            seen,
            announced: None,
            depth: 0,
            calls: 0,
            has_refused: false,
            pending: None,
            has_awaited_storage: false,
            delivered: BTreeMap::new(),
        }
    }

    /// A client with an open connection.
    pub fn open(change: impl FnOnce(&mut Config)) -> Self {
        let mut harness = Self::new(change);
        harness.connect();
        harness.advance(0);
        assert_eq!(harness.phase(), Phase::Open);
        harness
    }

    /// The client, to look at.
    pub const fn client(&self) -> &Client<Json> {
        self.driver.client()
    }

    /// The clock.
    pub const fn time(&self) -> Timestamp {
        Timestamp::from_millis(self.now)
    }

    /// When the client wants to be woken, and why.
    pub fn deadline(&self) -> Option<(u64, Timer)> {
        self.client().poll_timeout().map(|(at, timer)| (at.as_millis(), timer))
    }

    /// One call of the driver, and what holds after it.
    pub fn turn<R>(&mut self, act: impl FnOnce(&mut VirtualBrowser<'_>) -> R) -> R {
        let is_outermost = self.depth == 0;
        if is_outermost {
            (self.calls, self.announced, self.has_refused) = (0, None, false);
        }
        self.depth += 1;
        let answer = act(&mut VirtualBrowser(self));
        self.depth -= 1;
        if is_outermost {
            self.check();
        }
        answer
    }

    /// The application connects.
    pub fn connect(&mut self) {
        self.turn(|browser| driver::connect(browser, Client::connect));
    }

    /// The application disconnects.
    pub fn disconnect(&mut self) {
        self.turn(|browser| driver::command(browser, Client::disconnect));
    }

    /// The application asks for a new connection.
    pub fn reconnect(&mut self) {
        self.turn(|browser| driver::connect(browser, Client::reconnect));
    }

    /// The application has another token.
    pub fn token_changed(&mut self) {
        self.turn(|browser| driver::connect(browser, Client::token_changed));
    }

    /// Something happens in the browser.
    pub fn input(&mut self, input: Input<Json>) {
        self.note_input(&input);
        let now = self.time();
        self.turn(|browser| driver::handle_input(browser, input, now));
    }

    /// The alarm goes off, whether it was due or not.
    pub fn wake(&mut self) {
        self.alarm = None;
        self.turn(|browser| driver::handle_timeout(browser));
    }
}

//! One page: a real client, driven as the documentation of the crate says.

use std::collections::VecDeque;

use everwire::driver::{self, Driver};
use everwire::proto::{Cause, Client, Close, Config, Event, Input, Phase, Reason, SocketId, Timestamp};
use serde_json::Value;

use crate::conversations::{Conversation, HistoryPage};
use crate::downward_frame::{Claim, Down, Kind, Position, Stream, client_id};
use crate::run_plan::DeviceSetup;
use crate::run_tally::Count;
use crate::simulated_connection::Stage;
use crate::simulation::{Scheduled, Simulation};
use crate::trace;
use crate::verdict::Rule;

pub struct Page {
    pub device: usize,
    pub driver: Driver<Value>,
    /// The events that the driver has reported and the application has not handled yet.
    pub noted: Vec<Event<Value>>,
    /// Whether the snapshot has changed since, and the phase with it.
    pub changed: Option<bool>,
    /// How often the driver has looked at the state machine for the input that it is at.
    pub turns: u32,
    /// Whether a socket has refused a message since the page was last given something.
    pub was_refused: bool,
    /// Whether it has connected to a server that answers nothing.
    pub has_met_silence: bool,
    /// Whether the page listens to what happens to the network and to itself.
    pub is_active: bool,
    pub is_alive: bool,
    /// How far the page's clock is before the simulation's.
    pub ahead_ms: i64,
    pub alarm: Option<Timestamp>,
    pub alarm_stamp: u32,
    /// Whether an alarm has gone off that the page has not seen yet.
    pub alarm_waits: bool,
    /// Whether nothing runs, until when, and whether frames come before the alarm then.
    pub frozen_until: Option<u64>,
    pub frames_first: bool,
    pub deferred: VecDeque<BrowserEvent>,
    /// The messages by their sequence numbers, from 1.
    pub uids: Vec<u32>,
    pub rooms: Vec<u32>,
    pub left_rooms: Vec<u32>,
    /// Rooms about which the application cannot be sure.
    pub doubtful_rooms: Vec<u32>,
    pub follows: Vec<Follow>,
    pub epoch: u64,
    /// What the state machine is just given.
    pub receiving: Option<Down>,
    /// How many protocol errors of this connection were reported.
    pub reported_violations: u32,
    pub conversation: Option<Conversation>,
    pub seen: Option<(Phase, usize, u32, bool)>,
    /// Whether it has looked for what previous client instances have left.
    pub has_restored: bool,
    /// Whether it has tried its connection after the faults.
    pub has_probed: bool,
}

/// Where a stream has led: the reference model for the way from server to client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Follow {
    pub stream: Stream,
    pub at: u64,
    /// How many events of the stream are behind it: those that were delivered, and those that are named as missing.
    pub index: usize,
    /// Whether the server has lost its memory since.
    pub is_reset: bool,
}

/// What happens to a page.
#[derive(Debug)]
pub enum BrowserEvent {
    Opened(usize),
    Frame(usize, Down),
    Closed(usize, u16),
    Failed(SocketId),
    /// The application has no token for an attempt.
    LoggedOut(SocketId),
    /// The application has a token again.
    LoggedIn,
    Stored(u32),
    /// The page may look for what previous ones have left.
    Restore,
    /// Messages of pages that are gone.
    Leftovers(Vec<u32>),
    Alarm,
    /// A page of the history, or that it could not be had.
    Fetched {
        token: u64,
        answer: HistoryPage,
    },
    ChatAlarm(u32),
    Online,
    Offline,
    Visible,
    Cached,
}

impl Simulation {
    pub fn new_page(&mut self, device: usize, restore_ms: u64) {
        let page = self.pages.len();
        let config = config(&self.setup.devices[device]);
        let seed = self.seed ^ (page as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let config = match config.check() {
            Ok(config) => config,
            Err(error) => return self.break_rule(Rule::DriverContract, error.to_string()),
        };
        self.pages.push(Page {
            device,
            driver: Driver::new(config, client_id(page as u32), seed),
            noted: Vec::new(),
            changed: None,
            turns: 0,
            was_refused: false,
            has_met_silence: false,
            is_active: false,
            is_alive: true,
            ahead_ms: 1_000_000,
            alarm: None,
            alarm_stamp: 0,
            alarm_waits: false,
            frozen_until: None,
            frames_first: false,
            deferred: VecDeque::new(),
            uids: Vec::new(),
            rooms: Vec::new(),
            left_rooms: Vec::new(),
            doubtful_rooms: Vec::new(),
            follows: Vec::new(),
            epoch: 0,
            receiving: None,
            reported_violations: 0,
            conversation: None,
            seen: None,
            has_restored: false,
            has_probed: false,
        });
        self.devices[device].page = page;
        self.take_lock(page);
        trace!(self, "page {page} of device {device} begins");
        self.converse(page);
        self.connect(page);
        self.queue.schedule(self.now + restore_ms, Scheduled::BrowserEvent { page, event: BrowserEvent::Restore });
    }

    pub fn connect(&mut self, page: usize) {
        driver::connect(&mut self.host(page), |client, now| client.connect(now));
    }

    pub fn time(&self, page: usize) -> Timestamp {
        Timestamp::from_millis(self.now.saturating_add_signed(self.pages[page].ahead_ms))
    }

    /// Lets something happen to a page, unless it is gone; later, if it is frozen.
    pub fn dispatch(&mut self, page: usize, event: BrowserEvent) {
        let this = &mut self.pages[page];
        if !this.is_alive {
        } else if this.frozen_until.is_some() {
            this.deferred.push_back(event);
        } else {
            self.handle(page, event);
        }
    }

    pub fn freeze(&mut self, page: usize, ms: u64) {
        let until = self.now + ms;
        self.hurt_connections(page);
        self.pages[page].frozen_until = Some(self.pages[page].frozen_until.unwrap_or(0).max(until));
        self.queue.schedule(until, Scheduled::Thaw { page });
    }

    pub fn thaw(&mut self, page: usize) {
        let this = &mut self.pages[page];
        if !this.is_alive || this.frozen_until.is_none_or(|until| until > self.now) {
            return;
        }
        this.frozen_until = None;
        this.alarm_waits = true;
        let mut events = core::mem::take(&mut this.deferred);
        trace!(self, "page {page} runs again, {} events wait", events.len());
        if self.pages[page].frames_first {
            events.push_back(BrowserEvent::Alarm)
        } else {
            events.push_front(BrowserEvent::Alarm)
        }
        for event in events {
            self.dispatch(page, event);
        }
    }

    pub fn alarm(&mut self, page: usize, stamp: u32) {
        if self.pages[page].alarm_stamp == stamp {
            self.pages[page].alarm = None;
            self.pages[page].alarm_waits = true;
            self.dispatch(page, BrowserEvent::Alarm);
        }
    }

    fn handle(&mut self, page: usize, event: BrowserEvent) {
        if self.violation.is_some() {
            return;
        }
        match event {
            BrowserEvent::Alarm => {
                self.pages[page].alarm_waits = false;
                driver::handle_timeout(&mut self.host(page));
            }
            BrowserEvent::Fetched { token, answer } => self.chat_fetched(page, token, answer),
            BrowserEvent::ChatAlarm(stamp) => self.chat_alarm(page, stamp),
            BrowserEvent::Online | BrowserEvent::Offline | BrowserEvent::Visible | BrowserEvent::Cached
                if !self.pages[page].is_active => {}
            BrowserEvent::Online => self.input(page, Input::NetworkOnline),
            BrowserEvent::Offline => self.input(page, Input::NetworkOffline),
            BrowserEvent::Visible => self.input(page, Input::PageVisible),
            BrowserEvent::Cached => self.input(page, Input::PageRestored),
            BrowserEvent::Failed(socket) => self.input(page, Input::OpenFailed { socket, cause: Cause::NoToken }),
            BrowserEvent::LoggedOut(socket) => self.input(page, Input::TokenAbsent { socket }),
            BrowserEvent::LoggedIn => {
                driver::connect(&mut self.host(page), |client, now| client.token_changed(now));
            }
            BrowserEvent::Stored(uid) => {
                let seq = self.messages[uid as usize].seq;
                self.command(page, |client, now| client.stored(seq, now));
            }
            BrowserEvent::Restore => {
                self.pages[page].has_restored = true;
                self.adopt(page, Count::Restored);
            }
            BrowserEvent::Leftovers(found) => self.restore(page, found),
            BrowserEvent::Opened(connection) => {
                let this = &mut self.connections[connection];
                if this.stage == Stage::Attempt {
                    this.stage = Stage::Open;
                    self.pages[page].reported_violations = 0;
                }
                let socket = this.socket;
                trace!(self, "page {page}: connection {connection} opened");
                self.input(page, Input::SocketOpened { socket });
            }
            BrowserEvent::Closed(connection, code) => {
                self.note_end(page, connection, code);
                let this = &mut self.connections[connection];
                if this.is_live() {
                    this.stage = Stage::Closed;
                }
                let socket = this.socket;
                let close =
                    Close { code, reason: Reason::Peer("words of the server".to_owned()), was_clean: code != 1006 };
                trace!(self, "page {page}: connection {connection} closed with {code}");
                self.input(page, Input::SocketClosed { socket, close });
            }
            BrowserEvent::Frame(connection, down) => self.receive_frame(page, connection, down),
        }
    }

    fn receive_frame(&mut self, page: usize, connection: usize, down: Down) {
        trace!(self, "page {page}: connection {connection} brings {down:?}");
        let socket = self.connections[connection].socket;
        if !self.connections[connection].is_live() {
            self.tally.add(Count::StaleEvents);
        }
        let frame = match down.envelope() {
            Ok(frame) => frame,
            Err(text) => return self.receive_text(page, text),
        };
        let before = self.before_claim(page, connection, &down);
        let phase = self.pages[page].client().snapshot().phase;
        // What is true is also asked for.
        let is_awaited = down.claim == Claim::True
            && self.connections[connection].is_heard()
            && matches!(phase, Phase::Connecting | Phase::Open);
        if down.place.is_some() && phase != Phase::Open {
            self.tally.add(Count::EarlyEvents);
        }
        let is_late = matches!(down.kind, Kind::Reply { seq }
            if self.uid(page, seq).is_some_and(|uid| self.messages[uid as usize].request_ends > 0));
        let is_own = down.is_own(page);
        self.pages[page].receiving = Some(down.clone());
        self.input(page, Input::Frame { socket, frame });
        self.pages[page].receiving = None;
        self.check_claim(page, &down, before);
        if (is_late || is_own)
            && let Some((position, _)) = down.place
            && self.pages[page].has_position(position)
            && !self.pages[page].follows.iter().any(|follow| follow.is_at(position))
        {
            // The application does not get it, and yet it is not missing.
            self.tally.add_many(Count::OwnEvents, usize::from(is_own));
            self.observe_event(page, position);
        }
        match down.kind {
            Kind::Welcome { epoch, streams, .. } if is_awaited => {
                self.pages[page].adopt_epoch(epoch);
                self.compare_welcome(page, &streams);
            }
            Kind::Begin(position) => {
                self.begin_to_follow(page, position);
                if self.listens_to(page, connection) {
                    self.compare_announced(page, position);
                }
                self.compare_positions(page);
            }
            _ => {}
        }
    }

    /// A text that is no envelope: the driver reports it to the application, and the state machine never sees it.
    fn receive_text(&mut self, page: usize, text: &'static str) {
        self.tally.add(Count::NoEnvelopes);
        if let Some(envelope) = everwire::proto::wire::parse(text) {
            self.break_rule(Rule::IrrelevantActedOn, format!("page {page} takes {envelope} for an envelope"));
        }
    }

    fn listens_to(&self, page: usize, connection: usize) -> bool {
        self.connections[connection].is_live() && self.pages[page].client().snapshot().phase == Phase::Open
    }
}

impl Follow {
    pub fn new(Position { stream, offset, index }: Position) -> Self {
        Self { stream, at: offset, index, is_reset: false }
    }

    pub fn is_at(&self, position: Position) -> bool {
        self.stream == position.stream && self.at == position.offset
    }
}

impl Page {
    /// The state machine.
    pub const fn client(&self) -> &Client<Value> {
        self.driver.client()
    }

    pub fn leave(&mut self, room: u32) {
        self.rooms.retain(|joined| *joined != room);
        self.left_rooms.retain(|left| *left != room);
    }

    pub fn follow(&self, stream: Stream) -> Option<&Follow> {
        self.follows.iter().find(|follow| follow.stream == stream)
    }

    pub fn has_position(&self, position: Position) -> bool {
        let is_there =
            |(name, at): (&String, u64)| at == position.offset && Stream::parse(name) == Some(position.stream);
        self.client().positions().any(is_there)
    }

    pub fn adopt_epoch(&mut self, epoch: u64) {
        if epoch > self.epoch {
            if self.epoch > 0 {
                self.follows.iter_mut().for_each(|follow| follow.is_reset = true);
            }
            self.epoch = epoch;
        }
    }
}

fn config(device: &DeviceSetup) -> Config {
    let mut config = Config::reliable();
    config.reconnect.max_attempts = device.max_attempts;
    config.reconnect.stable_after_ms = device.stable_after_ms;
    config.heartbeat.interval_ms = device.interval_ms;
    config.heartbeat.timeout_ms = device.timeout_ms;
    config.connect_timeout_ms = device.connect_timeout_ms;
    (config.queue.max_messages, config.queue.max_bytes) = device.queue;
    config.queue.overflow = device.overflow;
    if let Some(ttl) = device.ttl_ms {
        config.queue.ttl_ms = ttl;
    }
    (config.buffer.high_bytes, config.buffer.low_bytes) = device.buffer;
    config
}

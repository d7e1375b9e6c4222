//! One page: a real client, driven as the documentation of the crate says.

use std::collections::{BTreeSet, VecDeque};

use everwire::proto::{Cause, Client, Close, Config, Input, Phase, Reason, SocketId, Timestamp};

use crate::frame::{Arrived, Down, Kind, Position, Stream, Text, news};
use crate::plan::DeviceSetup;
use crate::tally::Count;
use crate::trace;
use crate::verdict::Rule;
use crate::wire::Stage;
use crate::world::{Happening, World};

pub struct Page {
    pub device: usize,
    pub client: Client<Text, Arrived>,
    pub is_alive: bool,
    /// How far the page's clock is before the world's.
    pub ahead_ms: i64,
    pub alarm: Option<Timestamp>,
    pub alarm_stamp: u32,
    /// Stream names by the numbers that the driver has given them.
    pub names: Vec<Stream>,
    /// Whether nothing runs, until when, and whether frames come before the alarm then.
    pub frozen_until: Option<u64>,
    pub frames_first: bool,
    pub deferred: VecDeque<Fact>,
    /// The messages by their sequence numbers, from 1.
    pub uids: Vec<u32>,
    /// The messages whose frames the driver keeps.
    pub drafts: BTreeSet<u32>,
    pub rooms: Vec<u32>,
    pub left_rooms: Vec<u32>,
    /// Rooms about which the application cannot be sure.
    pub doubtful_rooms: Vec<u32>,
    pub follows: Vec<Follow>,
    pub epoch: u64,
    /// What is just being told to the state machine.
    pub hearing: Option<Down>,
    pub telling: Option<Position>,
    /// How many protocol errors of this connection were told.
    pub told: u32,
    pub seen: Option<(Phase, usize, u32, bool)>,
    /// Whether it has looked for what earlier pages have left.
    pub has_restored: bool,
    /// Whether it has tried its connection after the faults.
    pub has_spoken: bool,
}

/// Where a stream has led: the reference model for the way from server to client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Follow {
    pub stream: Stream,
    pub at: u64,
    /// How many events of the stream are behind it: those that were told, and those that are named as missing.
    pub index: usize,
    /// Whether the server has lost its memory since.
    pub is_void: bool,
}

/// What a page is told.
#[derive(Debug)]
pub enum Fact {
    Opened(usize),
    Frame(usize, Down),
    Closed(usize, u16),
    Failed(SocketId),
    Stored(u32),
    /// The page may look for what earlier ones have left.
    Restore,
    /// Messages of pages that are gone.
    Leftovers(Vec<u32>),
    Alarm,
    Online,
    Offline,
    Visible,
    Cached,
}

impl World {
    pub fn new_page(&mut self, device: usize, restore_ms: u64) {
        let page = self.pages.len();
        let config = config(&self.setup.devices[device]);
        let seed = self.seed ^ (page as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let Ok(client) = Client::new(config, seed) else {
            return self.break_rule(Rule::DriverContract, "the options are refused");
        };
        self.pages.push(Page {
            device,
            client,
            is_alive: true,
            ahead_ms: 1_000_000,
            alarm: None,
            alarm_stamp: 0,
            names: Vec::new(),
            frozen_until: None,
            frames_first: false,
            deferred: VecDeque::new(),
            uids: Vec::new(),
            drafts: BTreeSet::new(),
            rooms: Vec::new(),
            left_rooms: Vec::new(),
            doubtful_rooms: Vec::new(),
            follows: Vec::new(),
            epoch: 0,
            hearing: None,
            telling: None,
            told: 0,
            seen: None,
            has_restored: false,
            has_spoken: false,
        });
        self.devices[device].page = page;
        self.take_lock(page);
        trace!(self, "page {page} of device {device} begins");
        if self.devices[device].offline_until > self.now {
            self.tell(page, Fact::Offline);
        }
        self.command(page, |client, now| client.connect(now));
        self.agenda.note(self.now + restore_ms, Happening::Fact { page, fact: Fact::Restore });
    }

    pub fn time(&self, page: usize) -> Timestamp {
        Timestamp::from_millis(self.now.saturating_add_signed(self.pages[page].ahead_ms))
    }

    /// Tells a page something, unless it is gone; later, if it is frozen.
    pub fn tell(&mut self, page: usize, fact: Fact) {
        let this = &mut self.pages[page];
        if !this.is_alive {
        } else if this.frozen_until.is_some() {
            this.deferred.push_back(fact);
        } else {
            self.inform(page, fact);
        }
    }

    pub fn freeze(&mut self, page: usize, ms: u64) {
        let until = self.now + ms;
        self.hurt_wires(page);
        self.pages[page].frozen_until = Some(self.pages[page].frozen_until.unwrap_or(0).max(until));
        self.agenda.note(until, Happening::Thaw { page });
    }

    pub fn thaw(&mut self, page: usize) {
        let this = &mut self.pages[page];
        if !this.is_alive || this.frozen_until.is_none_or(|until| until > self.now) {
            return;
        }
        this.frozen_until = None;
        let mut facts = core::mem::take(&mut this.deferred);
        trace!(self, "page {page} runs again, {} facts wait", facts.len());
        if self.pages[page].frames_first {
            facts.push_back(Fact::Alarm)
        } else {
            facts.push_front(Fact::Alarm)
        }
        for fact in facts {
            self.tell(page, fact);
        }
    }

    pub fn alarm(&mut self, page: usize, stamp: u32) {
        if self.pages[page].alarm_stamp == stamp {
            self.pages[page].alarm = None;
            self.tell(page, Fact::Alarm);
        }
    }

    fn inform(&mut self, page: usize, fact: Fact) {
        if self.violation.is_some() {
            return;
        }
        match fact {
            Fact::Alarm => self.input(page, Input::Timeout),
            Fact::Online => self.input(page, Input::NetworkOnline),
            Fact::Offline => self.input(page, Input::NetworkOffline),
            Fact::Visible => self.input(page, Input::PageVisible),
            Fact::Cached => self.input(page, Input::PageRestored),
            Fact::Failed(socket) => self.input(page, Input::OpenFailed { socket, cause: Cause::NoToken }),
            Fact::Stored(uid) => {
                let seq = self.ledger[uid as usize].seq;
                self.command(page, |client, now| client.stored(seq, now));
            }
            Fact::Restore => {
                self.pages[page].has_restored = true;
                self.adopt(page, Count::Restored);
            }
            Fact::Leftovers(found) => self.restore(page, found),
            Fact::Opened(wire) => {
                let this = &mut self.wires[wire];
                if this.stage == Stage::Attempt {
                    this.stage = Stage::Open;
                    self.pages[page].told = 0;
                }
                let socket = this.socket;
                trace!(self, "page {page}: wire {wire} opened");
                self.input(page, Input::SocketOpened { socket });
            }
            Fact::Closed(wire, code) => {
                self.note_end(page, wire, code);
                let this = &mut self.wires[wire];
                if this.is_live() {
                    this.stage = Stage::Closed;
                }
                let socket = this.socket;
                let close = Close { code, reason: Reason::Peer(Text::Words), was_clean: code != 1006 };
                trace!(self, "page {page}: wire {wire} closed with {code}");
                self.input(page, Input::SocketClosed { socket, close });
            }
            Fact::Frame(wire, down) => self.hear(page, wire, down),
        }
    }

    fn hear(&mut self, page: usize, wire: usize, down: Down) {
        trace!(self, "page {page}: wire {wire} brings {down:?}");
        let socket = self.wires[wire].socket;
        if !self.wires[wire].is_live() {
            self.tally.add(Count::StaleFacts);
        }
        if let Kind::Begin(position) = down.kind {
            let doubts = self.doubts(page, wire);
            self.position(page, wire, position);
            return self.check_lie(page, &down, doubts);
        }
        let place = down.place.map(|(Position { stream, offset, .. }, prev)| {
            let stream = self.pages[page].number_of(page, stream);
            everwire::proto::StreamOffset { stream, offset, prev }
        });
        let position = down.place.map(|(position, _)| position);
        let named = if let Kind::Welcome { streams, .. } = &down.kind { &streams[..] } else { &[] };
        if self.pages[page].client.socket() == Some(socket) {
            for at in named {
                let stream = self.pages[page].number_of(page, at.stream);
                self.pages[page].client.announce_position(stream, at.offset);
            }
        }
        let payload = Arrived { news: news(&down, page as u32), place, position };
        let doubts = self.doubts(page, wire);
        let phase = self.pages[page].client.snapshot().phase;
        let was_open = phase == Phase::Open;
        // What is true is also asked for.
        let is_awaited = !down.is_lie && self.wires[wire].is_live() && matches!(phase, Phase::Connecting | Phase::Open);
        if place.is_some() && !was_open {
            self.tally.add(Count::EarlyEvents);
        }
        let is_late = matches!(down.kind, Kind::Reply { seq }
            if self.uid(page, seq).is_some_and(|uid| self.ledger[uid as usize].request_ends > 0));
        self.pages[page].hearing = Some(down.clone());
        self.input(page, Input::Frame { socket, payload });
        self.pages[page].hearing = None;
        self.check_lie(page, &down, doubts);
        if is_late
            && let Some(position) = position
            && self.pages[page].has_position(position)
            && !self.pages[page].follows.iter().any(|follow| follow.is_at(position))
        {
            // Nobody is told of it, and yet it is not missing.
            self.notice_event(page, position);
        }
        if let Kind::Welcome { epoch, streams, .. } = down.kind
            && is_awaited
        {
            self.pages[page].believe(epoch);
            self.compare_welcome(page, &streams);
        }
    }

    fn position(&mut self, page: usize, wire: usize, position: Position) {
        let socket = self.wires[wire].socket;
        let number = self.pages[page].number_of(page, position.stream);
        self.pages[page].telling = Some(position);
        self.input(page, Input::Position { socket, stream: number, offset: position.offset });
        self.begin_to_follow(page, position);
        if self.listens_to(page, wire) {
            self.compare_told(page, position);
        }
        self.compare_positions(page);
        self.pages[page].telling = None;
    }

    fn listens_to(&self, page: usize, wire: usize) -> bool {
        self.wires[wire].is_live() && self.pages[page].client.snapshot().phase == Phase::Open
    }

    pub fn input(&mut self, page: usize, input: Input<Text, Arrived>) {
        self.command(page, |client, now| client.handle_input(input, now));
    }
}

impl Follow {
    pub fn new(Position { stream, offset, index }: Position) -> Self {
        Self { stream, at: offset, index, is_void: false }
    }

    pub fn is_at(&self, position: Position) -> bool {
        self.stream == position.stream && self.at == position.offset
    }
}

impl Page {
    pub fn leave(&mut self, room: u32) {
        self.rooms.retain(|joined| *joined != room);
        self.left_rooms.retain(|left| *left != room);
    }

    pub fn follow(&self, stream: Stream) -> Option<&Follow> {
        self.follows.iter().find(|follow| follow.stream == stream)
    }

    pub fn has_position(&self, position: Position) -> bool {
        let name = |number: u32| self.names.get(number as usize);
        let is_there = |(number, at): (u32, u64)| at == position.offset && name(number) == Some(&position.stream);
        self.client.positions().any(is_there)
    }

    /// The number that the driver gives to a stream; one too many for the answers to another page's messages.
    fn number_of(&mut self, page: usize, stream: Stream) -> u32 {
        if matches!(stream, Stream::Sender(sender) if sender as usize != page) {
            return UNTRACKED;
        }
        let known = self.names.iter().position(|name| *name == stream);
        let number = known.unwrap_or_else(|| {
            self.names.push(stream);
            self.names.len() - 1
        });
        number as u32
    }

    pub fn believe(&mut self, epoch: u64) {
        if epoch > self.epoch {
            if self.epoch > 0 {
                self.follows.iter_mut().for_each(|follow| follow.is_void = true);
            }
            self.epoch = epoch;
        }
    }
}

/// The first number of a stream that a client has no position for.
const UNTRACKED: u32 = 256;

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

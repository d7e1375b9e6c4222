//! One page: a real client, driven as the documentation of the crate says.

use std::collections::{BTreeSet, VecDeque};

use everwire::proto::{Cause, Client, Close, Config, Input, Message, Phase, Purpose, Reason, SocketId, Timestamp};

use crate::frame::{Arrived, Down, Kind, Stream, Text, news};
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
    pub telling: Option<(Stream, u64)>,
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
    Restore,
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
            Fact::Restore => self.restore(page),
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
        if let Kind::Begin { stream, offset } = down.kind {
            let doubts = self.doubts(page, wire);
            self.position(page, socket, stream, offset);
            return self.check_lie(page, &down, doubts);
        }
        let place = down.place.map(|(stream, offset, prev)| {
            let stream = self.pages[page].number_of(stream);
            everwire::proto::Place { stream, offset, prev }
        });
        let stream = down.place.map(|(stream, ..)| stream);
        let payload = Arrived { news: news(&down, page as u32), place, stream };
        let doubts = self.doubts(page, wire);
        let was_open = self.pages[page].client.snapshot().phase == Phase::Open;
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
            && let Some((stream, offset, _)) = down.place
            && self.pages[page].has_position(stream, offset)
            && !self.pages[page].follows.iter().any(|follow| follow.stream == stream && follow.at == offset)
        {
            // Nobody is told of it, and yet it is not missing.
            self.notice_event(page, stream, offset);
        }
        if let Kind::Welcome { epoch, streams, .. } = down.kind {
            if self.wires[wire].is_live() && self.pages[page].client.snapshot().phase == Phase::Open {
                self.pages[page].believe(epoch);
            }
            for (stream, offset) in streams {
                self.position(page, socket, stream, offset);
            }
        }
    }

    fn position(&mut self, page: usize, socket: SocketId, stream: Stream, offset: u64) {
        let number = self.pages[page].number_of(stream);
        self.pages[page].telling = Some((stream, offset));
        self.input(page, Input::Position { socket, stream: number, offset });
        self.compare_positions(page);
        self.pages[page].telling = None;
    }

    pub fn input(&mut self, page: usize, input: Input<Text, Arrived>) {
        self.command(page, |client, now| client.handle_input(input, now));
    }

    fn restore(&mut self, page: usize) {
        self.pages[page].has_restored = true;
        let device = self.pages[page].device;
        let mut messages = Vec::new();
        for uid in self.devices[device].store.clone() {
            let entry = &mut self.ledger[uid as usize];
            if entry.sender == page {
                continue;
            }
            entry.restore(page);
            self.pages[page].drafts.insert(uid);
            let mut message = Message::new(Text::Message(uid), entry.bytes, Purpose::Ordinary);
            message.seq = entry.seq;
            message.sender = Some(Text::Sender(entry.sender as u32));
            message.policy.ttl_ms = entry.ttl_ms;
            messages.push(message);
        }
        if messages.is_empty() {
            return;
        }
        trace!(self, "page {page} restores {:?}", messages.iter().map(|message| message.frame).collect::<Vec<_>>());
        self.tally.add_many(Count::Restored, messages.len());
        self.command(page, |client, now| client.restore(messages, now));
    }
}

impl Page {
    pub fn leave(&mut self, room: u32) {
        self.rooms.retain(|joined| *joined != room);
        self.left_rooms.retain(|left| *left != room);
    }

    pub fn has_position(&self, stream: Stream, offset: u64) -> bool {
        let name = |number: u32| self.names.get(number as usize);
        self.client.positions().any(|(number, at)| at == offset && name(number) == Some(&stream))
    }

    fn number_of(&mut self, stream: Stream) -> u32 {
        let known = self.names.iter().position(|name| *name == stream);
        let number = known.unwrap_or_else(|| {
            self.names.push(stream);
            self.names.len() - 1
        });
        number as u32
    }

    fn believe(&mut self, epoch: u64) {
        if epoch > self.epoch {
            if self.epoch > 0 {
                self.follows.iter_mut().for_each(|follow| follow.is_void = true);
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

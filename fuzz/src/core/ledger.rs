//! What became of every message.

use std::collections::{BTreeMap, BTreeSet};

use everwire::proto::{Message, Purpose};

use super::world::Text;

/// Every message by its frame, which no other has.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    live: BTreeMap<Text, Entry>,
    /// The requests that wait for a reply, by the sequence of their messages.
    pub requests: BTreeSet<u64>,
    /// How many wait, and their bytes.
    pub queued: (usize, u64),
    pub in_flight: usize,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub seq: u64,
    pub sender: Option<Text>,
    pub bytes: u32,
    pub is_volatile: bool,
    pub stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Waiting,
    /// It was handed over with sequence, and may be again.
    InFlight,
    /// It was handed to a browser that did not take it.
    Undelivered,
}

impl Ledger {
    pub fn accept(&mut self, message: &Message<Text>) {
        let &Message { frame, bytes, seq, sender, .. } = message;
        let is_volatile = message.purpose == Purpose::Volatile;
        let entry = Entry { seq, sender, bytes, is_volatile, stage: Stage::Waiting };
        self.count(&entry);
        self.live.insert(frame, entry);
    }

    /// A message has come to another stage.
    pub fn put(&mut self, frame: Text, stage: Stage) {
        let mut entry = self.remove(frame);
        entry.stage = stage;
        self.count(&entry);
        self.live.insert(frame, entry);
    }

    /// The client hears that the browser did not take a message.
    pub fn come_back(&mut self, frame: Text) {
        if self.live.get(&frame).is_some_and(|entry| entry.stage == Stage::Undelivered) {
            self.put(frame, Stage::Waiting);
        }
    }

    /// A message was handed over for good, or reported as dropped.
    pub fn end(&mut self, frame: Text) -> Entry {
        self.remove(frame)
    }

    /// Nothing more happens with a message, without a word to the application.
    pub fn release(&mut self, frame: Text, is_done: bool) {
        let entry = self.end(frame);
        // What waits may have been sent by the earlier page that it is from.
        let may_be_done = entry.stage == Stage::InFlight || entry.sender.is_some();
        let may_be_taken_back = entry.stage == Stage::Waiting && entry.sender.is_none();
        assert!(if is_done { may_be_done } else { may_be_taken_back }, "{entry:?} is released, done: {is_done}");
    }

    /// The server has processed everything of a sender up to `seq`, and so it was released.
    pub fn acknowledge(&self, sender: Option<Text>, seq: u64) {
        let left = |entry: &&Entry| entry.sender == sender && entry.seq <= seq && !entry.is_volatile;
        for entry in self.live.values().filter(left) {
            let is_foreign = entry.stage == Stage::Waiting && sender.is_some();
            assert!(is_foreign || entry.stage == Stage::Undelivered, "{entry:?} is acknowledged up to {seq}");
        }
    }

    /// Whether this client's own message with a number waits.
    pub fn waits(&self, seq: u64) -> bool {
        let waits = |entry: &Entry| entry.seq == seq && entry.sender.is_none() && entry.stage == Stage::Waiting;
        self.live.values().any(waits)
    }

    fn remove(&mut self, frame: Text) -> Entry {
        let Some(entry) = self.live.remove(&frame) else { panic!("{frame} was over already, or never accepted") };
        match entry.stage {
            Stage::InFlight => self.in_flight -= 1,
            Stage::Waiting if entry.is_volatile => {}
            Stage::Undelivered => {}
            Stage::Waiting => self.queued = (self.queued.0 - 1, self.queued.1 - u64::from(entry.bytes)),
        }
        entry
    }

    fn count(&mut self, entry: &Entry) {
        match entry.stage {
            Stage::InFlight => self.in_flight += 1,
            Stage::Waiting if entry.is_volatile => {}
            Stage::Undelivered => {}
            Stage::Waiting => self.queued = (self.queued.0 + 1, self.queued.1 + u64::from(entry.bytes)),
        }
    }
}

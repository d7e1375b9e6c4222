//! What became of every message.

use std::collections::{BTreeMap, BTreeSet};

use everwire::proto::{Message, Purpose};

use super::world::Text;

/// Every message by its frame, which no other has.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    live: BTreeMap<Text, Entry>,
    ended: BTreeSet<Text>,
    /// The requests that wait for a reply, by the numbers of their messages.
    pub requests: BTreeSet<u64>,
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub seq: u64,
    pub sender: Option<Text>,
    pub bytes: u32,
    pub is_ephemeral: bool,
    pub stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Waiting,
    InFlight,
}

impl Ledger {
    pub fn accept(&mut self, message: &Message<Text>) {
        let &Message { frame, bytes, seq, sender, .. } = message;
        let is_ephemeral = message.purpose == Purpose::Ephemeral;
        self.live.insert(frame, Entry { seq, sender, bytes, is_ephemeral, stage: Stage::Waiting });
    }

    /// A message was handed over with numbers, and may be again.
    pub fn fly(&mut self, frame: Text) {
        self.entry(frame).stage = Stage::InFlight;
    }

    /// A message was handed over for good, or reported as dropped.
    pub fn end(&mut self, frame: Text) -> Entry {
        let entry = self.entry(frame).clone();
        self.live.remove(&frame);
        self.ended.insert(frame);
        entry
    }

    /// The server has processed everything of a sender up to `seq`.
    pub fn acknowledge(&mut self, sender: Option<Text>, seq: u64) {
        let covered = |entry: &Entry| entry.sender == sender && entry.seq <= seq && !entry.is_ephemeral;
        for (frame, entry) in self.live.clone().into_iter().filter(|(_, entry)| covered(entry)) {
            match (entry.stage, sender) {
                (Stage::InFlight, _) => drop(self.end(frame)),
                (Stage::Waiting, None) => panic!("{entry:?} is acknowledged, and was never sent"),
                // The earlier page may have sent it.
                (Stage::Waiting, Some(_)) => {}
            }
        }
    }

    /// Takes out this client's own message with a number, if it waits.
    pub fn take_back(&mut self, seq: u64) -> bool {
        let waits = |entry: &Entry| entry.seq == seq && entry.sender.is_none() && entry.stage == Stage::Waiting;
        let frame = self.live.iter().find(|(_, entry)| waits(entry)).map(|(frame, _)| *frame);
        frame.is_some_and(|frame| {
            self.end(frame);
            true
        })
    }

    /// How many messages fulfil a condition, and their bytes.
    pub fn count(&self, condition: impl Fn(&Entry) -> bool) -> (usize, u64) {
        let matching = self.live.values().filter(|entry| condition(entry));
        matching.fold((0, 0), |(count, bytes), entry| (count + 1, bytes + u64::from(entry.bytes)))
    }

    fn entry(&mut self, frame: Text) -> &mut Entry {
        let has_ended = self.ended.contains(&frame);
        match self.live.get_mut(&frame) {
            Some(entry) => entry,
            None if has_ended => panic!("{frame} was over already"),
            None => panic!("{frame} was never accepted"),
        }
    }
}

impl Entry {
    /// Whether it counts as queued.
    pub fn is_queued(&self) -> bool {
        self.stage == Stage::Waiting && !self.is_ephemeral
    }
}

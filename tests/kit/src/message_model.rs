//! What becomes of every message, as the application and the network can know it.

use std::collections::{BTreeMap, BTreeSet};

use everwire::proto::{Message, Purpose};

/// Every message that is not over, by its origin and its number.
#[derive(Debug, Default)]
pub struct MessageModel {
    live: BTreeMap<(Option<String>, u64), Entry>,
    requests: BTreeSet<u64>,
    waiting: Tally,
    uncertain: Tally,
    in_flight: usize,
    accepted: usize,
    restored: usize,
}

#[derive(Debug)]
struct Entry {
    frame: String,
    bytes: u32,
    is_volatile: bool,
    stage: MessageStage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MessageStage {
    Waiting,
    /// It was handed over with its sequence, and may be again.
    InFlight,
    /// It was handed to a browser that did not take it, and goes back to those that wait.
    Undelivered,
    /// It waits, or is over: an acknowledgement covers it that was about a previous client instance, or its request failed while the browser
    /// refused messages.
    Uncertain,
}

#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    count: usize,
    bytes: u64,
}

impl MessageModel {
    /// How many messages were ever accepted or restored.
    pub const fn accepted(&self) -> usize {
        self.accepted
    }

    /// How many of them a previous client instance had left.
    pub const fn restored(&self) -> usize {
        self.restored
    }

    /// The client takes over the message, which has its number.
    pub(crate) fn accept(&mut self, message: &Message<String>) {
        let is_volatile = message.purpose == Purpose::Volatile;
        let entry =
            Entry { frame: message.frame.clone(), bytes: message.bytes, is_volatile, stage: MessageStage::Waiting };
        self.count(&entry);
        let before = self.live.insert((message.origin.clone(), message.seq), entry);
        assert!(before.is_none(), "{message:?} has the number of {before:?}");
        self.accepted += 1;
        self.restored += usize::from(message.origin.is_some());
        if message.origin.is_none() && message.policy.reply_within_ms.is_some() {
            self.requests.insert(message.seq);
        }
    }

    /// The client did not accept its own message after all.
    pub(crate) fn refuse(&mut self, seq: u64) {
        self.remove(&(None, seq));
        self.requests.remove(&seq);
        self.accepted -= 1;
    }

    /// The message was handed over with its sequence.
    pub(crate) fn number(&mut self, message: &Message<String>) {
        self.put(message, MessageStage::InFlight);
    }

    /// The browser has refused the message.
    pub(crate) fn not_taken(&mut self, message: &Message<String>) {
        self.put(message, MessageStage::Undelivered);
    }

    /// The message was handed over for good, or reported as dropped.
    pub(crate) fn end(&mut self, message: &Message<String>) {
        let entry = self.remove(&(message.origin.clone(), message.seq));
        assert_eq!((&entry.frame, entry.bytes), (&message.frame, message.bytes), "the message was changed");
    }

    /// The message was reported as dropped.
    pub(crate) fn drop_message(&mut self, message: &Message<String>) {
        self.end(message);
        if message.origin.is_none() {
            self.requests.remove(&message.seq);
        }
    }

    /// The server has processed everything of an origin up to `seq`.
    pub(crate) fn acknowledge(&mut self, origin: Option<&String>, seq: u64) {
        let first = (origin.cloned(), 0);
        let covered: Vec<_> = self.live.range(first..=(origin.cloned(), seq)).map(|(key, _)| key.clone()).collect();
        for key in covered {
            let Some(entry) = self.live.get(&key).filter(|entry| !entry.is_volatile) else { continue };
            match entry.stage {
                MessageStage::InFlight => drop(self.remove(&key)),
                MessageStage::Waiting if key.0.is_some() => self.restage(&key, MessageStage::Uncertain),
                MessageStage::Uncertain | MessageStage::Undelivered => {}
                MessageStage::Waiting => panic!("{entry:?} waits, and is acknowledged up to {seq}"),
            }
        }
    }

    /// Whether this client's own message with a number waits; `None` if nobody can know.
    pub fn waits(&self, seq: u64) -> Option<bool> {
        match self.live.get(&(None, seq)).map(|entry| entry.stage) {
            Some(MessageStage::Uncertain) => None,
            stage => Some(stage == Some(MessageStage::Waiting)),
        }
    }

    /// The application has taken back what waits.
    pub(crate) fn take_back(&mut self, seq: u64) {
        self.remove(&(None, seq));
        self.requests.remove(&seq);
    }

    /// A request has its answer. Returns whether it was waited for.
    pub(crate) fn answer(&mut self, seq: u64) -> bool {
        self.requests.remove(&seq)
    }

    /// A request gets no reply any more, and so is not sent if it still waits. Returns whether it was waited for.
    pub(crate) fn fail_request(&mut self, seq: u64, was_refused: bool) -> bool {
        if self.waits(seq) == Some(true) {
            if was_refused {
                self.restage(&(None, seq), MessageStage::Uncertain);
            } else {
                self.remove(&(None, seq));
            }
        }
        self.requests.remove(&seq)
    }

    /// The client has heard which messages the browser refused. Those behind the first were not even handed over, but are in flight if they
    /// have a sequence: `in_flight` messages in all, of this origin.
    pub(crate) fn hear_of_refusals(&mut self, origin: Option<&String>, in_flight: usize) {
        let refused: Vec<_> = self.keys_of(|_, entry| entry.stage == MessageStage::Undelivered).collect();
        refused.iter().for_each(|key| self.restage(key, MessageStage::Waiting));
        let waits = |entry: &Entry| matches!(entry.stage, MessageStage::Waiting | MessageStage::Uncertain);
        let missing = in_flight.saturating_sub(self.in_flight);
        let next = self.keys_of(|key, entry| key.0.as_ref() == origin && !entry.is_volatile && waits(entry));
        let unseen: Vec<_> = next.take(missing).collect();
        unseen.iter().for_each(|key| self.restage(key, MessageStage::InFlight));
    }

    /// Asserts that the client counts its messages as the model does.
    pub(crate) fn assert_counts(&self, queued: usize, queued_bytes: u64, in_flight: usize) {
        let Self { waiting, uncertain, .. } = self;
        assert!((waiting.count..=waiting.count + uncertain.count).contains(&queued), "{queued} wait: {self:?}");
        assert!((waiting.bytes..=waiting.bytes + uncertain.bytes).contains(&queued_bytes), "{queued_bytes} bytes wait");
        assert_eq!(in_flight, self.in_flight, "messages in flight");
    }

    fn keys_of(
        &self,
        is_wanted: impl Fn(&(Option<String>, u64), &Entry) -> bool,
    ) -> impl Iterator<Item = (Option<String>, u64)> {
        self.live.iter().filter(move |(key, entry)| is_wanted(key, entry)).map(|(key, _)| key.clone())
    }

    fn put(&mut self, message: &Message<String>, stage: MessageStage) {
        let key = (message.origin.clone(), message.seq);
        self.restage(&key, stage);
        assert_eq!(self.live.get(&key).map(|entry| &entry.frame), Some(&message.frame), "the message was changed");
    }

    fn restage(&mut self, key: &(Option<String>, u64), stage: MessageStage) {
        let entry = Entry { stage, ..self.remove(key) };
        self.count(&entry);
        self.live.insert(key.clone(), entry);
    }

    fn remove(&mut self, key: &(Option<String>, u64)) -> Entry {
        let Some(entry) = self.live.remove(key) else { panic!("{key:?} was over already, or never accepted") };
        let bytes = u64::from(entry.bytes);
        match entry.stage {
            MessageStage::InFlight => self.in_flight -= 1,
            MessageStage::Waiting if !entry.is_volatile => self.waiting.subtract(bytes),
            MessageStage::Uncertain if !entry.is_volatile => self.uncertain.subtract(bytes),
            MessageStage::Waiting | MessageStage::Uncertain | MessageStage::Undelivered => {}
        }
        entry
    }

    fn count(&mut self, entry: &Entry) {
        let bytes = u64::from(entry.bytes);
        match entry.stage {
            MessageStage::InFlight => self.in_flight += 1,
            MessageStage::Waiting if !entry.is_volatile => self.waiting.add(bytes),
            MessageStage::Uncertain if !entry.is_volatile => self.uncertain.add(bytes),
            MessageStage::Waiting | MessageStage::Uncertain | MessageStage::Undelivered => {}
        }
    }
}

impl Tally {
    const fn add(&mut self, bytes: u64) {
        (self.count, self.bytes) = (self.count + 1, self.bytes + bytes);
    }

    const fn subtract(&mut self, bytes: u64) {
        (self.count, self.bytes) = (self.count - 1, self.bytes - bytes);
    }
}

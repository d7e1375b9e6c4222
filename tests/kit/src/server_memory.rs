//! What a server of the reliable mode remembers.

use std::collections::BTreeMap;

use everwire::proto::{Config, Phase};

use crate::{CLIENT_ID, TestHarness};

/// What a server of the reliable mode remembers.
#[derive(Clone, Debug)]
pub struct ServerMemory {
    /// Which life of the memory this is.
    pub epoch: u64,
    /// The highest sequence number that is processed, for every client id.
    pub last: BTreeMap<String, u64>,
    /// The window that a welcome grants.
    pub window: u32,
    /// What a welcome says of the streams, beside those of the client.
    pub streams: BTreeMap<String, u64>,
    /// The streams that it no longer carries.
    pub uncarried: Vec<String>,
    /// Whether it acknowledges what it processes.
    pub acknowledges: bool,
    /// What a welcome says of the largest message.
    pub max_bytes: Option<u64>,
    /// What a welcome says of how long the server remembers.
    pub remember_ms: Option<u64>,
}

impl Default for ServerMemory {
    fn default() -> Self {
        Self {
            epoch: 7,
            last: BTreeMap::new(),
            window: 128,
            streams: BTreeMap::new(),
            uncarried: Vec::new(),
            acknowledges: true,
            max_bytes: None,
            remember_ms: None,
        }
    }
}

impl ServerMemory {
    /// A memory of streams at these positions.
    pub fn of_streams<'a>(streams: impl IntoIterator<Item = (&'a str, u64)>) -> Self {
        let mut memory = Self::default();
        memory.set_streams(streams);
        memory
    }

    /// What a welcome says of the streams from now on.
    pub fn set_streams<'a>(&mut self, streams: impl IntoIterator<Item = (&'a str, u64)>) {
        self.streams = streams.into_iter().map(|(name, position)| (name.to_owned(), position)).collect();
    }

    /// Everything of the client's own up to this number is processed, and nothing after it.
    pub fn set_last(&mut self, seq: u64) {
        self.last.insert(CLIENT_ID.to_owned(), seq);
    }
}

impl TestHarness {
    /// A client that asks for the reliable mode of a server that knows it, and is open.
    pub fn reliable(change: impl FnOnce(&mut Config)) -> Self {
        let mut harness = Self::asking(change);
        harness.memory = Some(ServerMemory::default());
        harness.connect();
        harness.advance(0);
        assert_eq!(harness.phase(), Phase::Open);
        harness
    }

    /// A client that asks for the reliable mode; its server does not know it.
    pub fn asking(change: impl FnOnce(&mut Config)) -> Self {
        Self::new(|config| {
            config.reliable = true;
            change(config);
        })
    }

    /// As [`TestHarness::reliable`], and the server acknowledges nothing on its own.
    pub fn withhold_acks() -> Self {
        let mut harness = Self::reliable(|_| {});
        harness.memory().acknowledges = false;
        harness
    }

    /// What the server remembers.
    pub fn memory(&mut self) -> &mut ServerMemory {
        self.memory.as_mut().expect("the server knows the reliable mode")
    }

    /// What the server has processed of the client's own messages.
    pub fn processed(&self) -> u64 {
        self.memory.as_ref().and_then(|memory| memory.last.get(CLIENT_ID)).copied().unwrap_or(0)
    }
}

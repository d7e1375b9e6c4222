//! What the server keeps on disk.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::downward_frame::{Kind, Position, Stream};

/// The tables of docs/PROTOCOL.md, "A server in an afternoon".
#[derive(Debug)]
pub struct Memory {
    pub epoch: u64,
    /// What it knows of each user's client ids.
    pub clients: BTreeMap<(u32, u32), ClientRow>,
    logs: BTreeMap<Stream, Log>,
    /// The users and the rooms that they have joined and not left, to which their numbered messages may go.
    pub joined: BTreeSet<(u32, u32)>,
    /// The highest offset of all streams that were forgotten.
    forgotten: u64,
    /// How many events forgotten streams had, for the one who judges.
    counts: BTreeMap<Stream, usize>,
}

#[derive(Debug, Default)]
pub struct ClientRow {
    /// The last message.
    pub last: u64,
    /// Since when it has no connection.
    pub away_since: Option<u64>,
}

/// One stream.
#[derive(Debug)]
pub struct Log {
    stream: Stream,
    kept: VecDeque<Stored>,
    /// The newest offset, or where it began.
    pub newest: u64,
    /// Up to where history is forgotten.
    pub floor: u64,
    /// How many events it has had.
    count: usize,
}

/// One event.
#[derive(Clone, Debug)]
pub struct Stored {
    pub position: Position,
    pub prev: u64,
    pub kind: Kind,
}

impl Memory {
    pub const fn new(epoch: u64) -> Self {
        Self {
            epoch,
            clients: BTreeMap::new(),
            logs: BTreeMap::new(),
            joined: BTreeSet::new(),
            forgotten: 0,
            counts: BTreeMap::new(),
        }
    }

    pub fn last(&self, user: u32, sender: u32) -> u64 {
        self.clients.get(&(user, sender)).map_or(0, |client| client.last)
    }

    /// A stream, which begins beyond every offset that it may have had before it was forgotten; without a `clock`, at 0 again.
    pub fn log(&mut self, stream: Stream, clock: Option<u64>) -> &mut Log {
        let start = clock.map_or(0, |clock| clock.max(self.forgotten));
        let count = self.counts.get(&stream).copied().unwrap_or(0);
        self.logs.entry(stream).or_insert_with(|| Log::new(stream, start, count))
    }

    pub fn known(&self, stream: Stream) -> Option<&Log> {
        self.logs.get(&stream)
    }

    pub fn streams(&self) -> impl Iterator<Item = Stream> {
        self.logs.keys().copied()
    }

    pub fn forget(&mut self, stream: Stream) {
        if let Some(log) = self.logs.remove(&stream) {
            self.forgotten = self.forgotten.max(log.newest);
            self.counts.insert(stream, log.count);
        }
    }
}

impl Log {
    const fn new(stream: Stream, start: u64, count: usize) -> Self {
        Self { stream, kept: VecDeque::new(), newest: start, floor: start, count }
    }

    /// Stores an event and forgets the oldest.
    pub fn store(&mut self, kind: Kind, skip: u64, history: usize) -> Stored {
        let prev = self.newest;
        self.newest = prev + 1 + skip;
        let position = Position { stream: self.stream, offset: self.newest, index: self.count };
        let stored = Stored { position, prev, kind };
        self.count += 1;
        self.kept.push_back(stored.clone());
        while self.kept.len() > history {
            self.floor = self.kept.pop_front().map_or(self.floor, |forgotten| forgotten.position.offset);
        }
        stored
    }

    /// From where a client that has everything up to `named` can go on.
    pub fn resume(&self, named: Option<u64>) -> Position {
        let newest = self.newest;
        self.at(named.map_or(newest, |position| position.max(self.floor).min(newest)))
    }

    /// An offset as a position.
    pub fn at(&self, offset: u64) -> Position {
        let index = self.after(offset).next().map_or(self.count, |next| next.position.index);
        Position { stream: self.stream, offset, index }
    }

    pub fn after(&self, offset: u64) -> impl Iterator<Item = &Stored> {
        self.kept.iter().skip_while(move |stored| stored.position.offset <= offset)
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Memory, Stream};

    const STREAM: Stream = Stream::User(0);

    #[test]
    fn history_is_bounded_and_says_from_where_it_is_whole() {
        let mut memory = Memory::new(1);
        let log = memory.log(STREAM, Some(0));
        for _ in 0..5 {
            log.store(Kind::EVENT, 1, 3);
        }
        assert_eq!((log.newest, log.floor), (10, 4));
        let resumed = [None, Some(2), Some(4), Some(7), Some(10), Some(11)].map(|named| {
            let position = log.resume(named);
            (position.offset, position.index)
        });
        assert_eq!(resumed, [(10, 5), (4, 2), (4, 2), (7, 3), (10, 5), (10, 5)]);
        let after: Vec<_> = log.after(6).map(|stored| (stored.position.offset, stored.prev)).collect();
        assert_eq!(after, [(8, 6), (10, 8)]);
    }

    #[test]
    fn a_forgotten_stream_begins_beyond_what_it_had_and_its_events_are_counted_on() {
        let mut memory = Memory::new(1);
        memory.log(STREAM, Some(50)).store(Kind::EVENT, 9, 3);
        memory.forget(STREAM);
        assert!(memory.known(STREAM).is_none());
        // The server's clock was put back.
        let stored = memory.log(STREAM, Some(10)).store(Kind::EVENT, 0, 3);
        assert_eq!((stored.prev, stored.position.offset, stored.position.index), (60, 61, 1));
        memory.forget(STREAM);
        assert_eq!(memory.log(STREAM, None).newest, 0);
    }
}

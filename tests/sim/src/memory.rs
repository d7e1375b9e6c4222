//! What the server keeps on disk.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::frame::{Kind, Stream};

/// The tables of docs/PROTOCOL.md, "A server in an afternoon".
#[derive(Debug)]
pub struct Memory {
    pub epoch: u64,
    /// The last message of each user and client id.
    pub lasts: BTreeMap<(u32, u32), u64>,
    pub logs: BTreeMap<Stream, Log>,
    /// The users and the rooms that they have joined and not left, to which their numbered messages may go.
    pub joined: BTreeSet<(u32, u32)>,
}

/// One stream.
#[derive(Debug, Default)]
pub struct Log {
    kept: VecDeque<(u64, u64, Kind)>,
    /// The newest offset; 0 before the first.
    pub newest: u64,
    /// Up to where history is forgotten.
    pub floor: u64,
    /// Every offset that was ever given, for the one who judges.
    pub all: Vec<u64>,
}

impl Memory {
    pub const fn new(epoch: u64) -> Self {
        Self { epoch, lasts: BTreeMap::new(), logs: BTreeMap::new(), joined: BTreeSet::new() }
    }

    pub fn last(&self, user: u32, sender: u32) -> u64 {
        self.lasts.get(&(user, sender)).copied().unwrap_or(0)
    }
}

impl Log {
    /// Stores an event and forgets the oldest; gives its offset and the one before.
    pub fn store(&mut self, kind: Kind, skip: u64, history: usize) -> (u64, u64) {
        let prev = self.newest;
        let offset = prev + 1 + skip;
        self.newest = offset;
        self.all.push(offset);
        self.kept.push_back((offset, prev, kind));
        while self.kept.len() > history {
            self.floor = self.kept.pop_front().map_or(self.floor, |(offset, ..)| offset);
        }
        (offset, prev)
    }

    /// From where a client that has everything up to `named` can go on.
    pub const fn resume(&self, named: Option<u64>) -> u64 {
        match named {
            None => self.newest,
            Some(position) if position >= self.floor && position <= self.newest => position,
            Some(_) => self.floor,
        }
    }

    pub fn after(&self, position: u64) -> impl Iterator<Item = &(u64, u64, Kind)> {
        self.kept.iter().skip_while(move |(offset, ..)| *offset <= position)
    }

    /// The first offset after a position.
    pub fn next_after(&self, position: u64) -> Option<u64> {
        let index = self.all.partition_point(|offset| *offset <= position);
        self.all.get(index).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Log};

    #[test]
    fn history_is_bounded_and_says_from_where_it_is_whole() {
        let mut log = Log::default();
        for _ in 0..5 {
            log.store(Kind::Event, 1, 3);
        }
        assert_eq!((log.newest, log.floor), (10, 4));
        assert_eq!(
            [None, Some(2), Some(4), Some(7), Some(10), Some(11)].map(|named| log.resume(named)),
            [10, 4, 4, 7, 10, 4]
        );
        assert_eq!(log.after(6).map(|(offset, prev, _)| (*offset, *prev)).collect::<Vec<_>>(), [(8, 6), (10, 8)]);
        assert_eq!((log.next_after(0), log.next_after(7), log.next_after(10)), (Some(2), Some(8), None));
    }
}

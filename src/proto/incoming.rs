//! Where this client stands in the streams of the server.

use alloc::vec::Vec;

use super::io::Place;

/// The positions in all streams, and the life of the server's memory that they belong to.
#[derive(Debug, Default)]
pub struct Incoming {
    /// The epoch of the latest welcome; 0 before the first.
    pub epoch: u64,
    streams: Vec<Position>,
    /// What the welcome that is being read says of each stream that it names.
    announced: Vec<(u32, u64)>,
}

/// How far one stream has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    Unknown,
    At(u64),
    /// The server has started to count anew since.
    Void(u64),
}

/// What to do with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It is the next one.
    Next,
    /// It was there before.
    Repeated,
    /// An event before it is missing.
    Early,
    /// Its stream is one too many to keep a position for.
    Untracked,
}

/// What a position that the server tells says about the events before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// They are all here.
    Complete,
    /// These cannot be had: the first, and the last unless the server counts anew.
    Missing(u64, Option<u64>),
    /// The stream is one too many to keep a position for.
    Untracked,
}

impl Incoming {
    /// Takes note of an event.
    pub fn arrive(&mut self, place: Place) -> Arrival {
        let Some(position) = self.position(place.stream) else { return Arrival::Untracked };
        match *position {
            Position::At(at) if place.offset <= at => return Arrival::Repeated,
            Position::At(at) if place.prev > at => return Arrival::Early,
            Position::At(_) | Position::Unknown | Position::Void(_) => *position = Position::At(place.offset),
        }
        Arrival::Next
    }

    /// Takes note of the position from which the server goes on.
    pub fn tell(&mut self, stream: u32, offset: u64) -> Told {
        let Some(position) = self.position(stream) else { return Told::Untracked };
        let told = match *position {
            Position::At(at) if offset > at => Told::Missing(at + 1, Some(offset)),
            Position::At(at) if offset == at => Told::Complete,
            // Below the client's own, it belongs to a stream that began again: what is missing has no known end.
            Position::At(at) | Position::Void(at) => Told::Missing(at.saturating_add(1), None),
            Position::Unknown => Told::Complete,
        };
        *position = Position::At(offset);
        told
    }

    /// Takes note of a position in a welcome that is not believed yet.
    pub fn announce(&mut self, stream: u32, offset: u64) {
        if self.position(stream).is_some() && self.announced.len() < MAX_STREAMS {
            self.announced.push((stream, offset));
        }
    }

    /// Forgets what was announced.
    pub fn withdraw(&mut self) {
        self.announced.clear();
    }

    /// Believes what was announced of a stream, and forgets one of which nothing was.
    pub fn confirm(&mut self, number: u32) -> Told {
        if let Some((_, offset)) = self.announced.iter().find(|(stream, _)| *stream == number) {
            return self.tell(number, *offset);
        }
        let Some(position) = self.position(number) else { return Told::Untracked };
        match core::mem::replace(position, Position::Unknown) {
            Position::At(at) | Position::Void(at) => Told::Missing(at.saturating_add(1), None),
            Position::Unknown => Told::Complete,
        }
    }

    /// How many numbers of streams are in use.
    pub const fn count(&self) -> u32 {
        self.streams.len() as u32
    }

    /// The server has started to count anew.
    pub fn start_over(&mut self) {
        for position in &mut self.streams {
            if let Position::At(at) = *position {
                *position = Position::Void(at);
            }
        }
    }

    /// Forgets every position.
    pub fn forget(&mut self) {
        self.streams.clear();
    }

    /// The streams that have a position, by number.
    pub fn positions(&self) -> impl Iterator<Item = (u32, u64)> {
        (0..).zip(&self.streams).filter_map(|(number, position)| match *position {
            Position::At(at) | Position::Void(at) => Some((number, at)),
            Position::Unknown => None,
        })
    }

    fn position(&mut self, number: u32) -> Option<&mut Position> {
        let index = number as usize;
        if index >= MAX_STREAMS {
            return None;
        }
        while index >= self.streams.len() {
            self.streams.push(Position::Unknown);
        }
        self.streams.get_mut(index)
    }
}

/// How many streams a client follows (docs/PROTOCOL.md: as many as a hello may name).
pub const MAX_STREAMS: usize = 256;

#[cfg(test)]
mod tests {
    use super::{Arrival, Incoming, MAX_STREAMS, Place, Told};

    const fn place(offset: u64, prev: u64) -> Place {
        Place { stream: 1, offset, prev }
    }

    #[test]
    fn each_event_is_taken_once_and_in_order() {
        let mut incoming = Incoming::default();
        assert_eq!(incoming.tell(1, 4), Told::Complete);
        assert_eq!(incoming.arrive(place(5, 4)), Arrival::Next);
        assert_eq!(incoming.arrive(place(5, 4)), Arrival::Repeated);
        assert_eq!(incoming.arrive(place(7, 6)), Arrival::Early);
        assert_eq!(incoming.arrive(place(7, 5)), Arrival::Next);
        assert_eq!(incoming.positions().collect::<Vec<_>>(), [(1, 7)]);
    }

    #[test]
    fn a_position_beyond_is_a_gap_and_one_before_is_a_gap_without_an_end() {
        let mut incoming = Incoming::default();
        incoming.arrive(place(3, 2));
        assert_eq!(incoming.tell(1, 3), Told::Complete);
        assert_eq!(incoming.tell(1, 9), Told::Missing(4, Some(9)));
        assert_eq!(incoming.arrive(place(9, 8)), Arrival::Repeated);
        assert_eq!(incoming.tell(1, 8), Told::Missing(10, None));
        assert_eq!(incoming.arrive(place(9, 8)), Arrival::Next);
    }

    #[test]
    fn what_a_welcome_announces_is_believed_when_it_is_confirmed_and_the_rest_is_forgotten() {
        let mut incoming = Incoming::default();
        incoming.tell(0, 5);
        incoming.tell(1, 8);
        incoming.announce(0, 50);
        incoming.withdraw();
        incoming.announce(1, 9);
        incoming.announce(2, 3);
        let told: Vec<_> = (0..incoming.count()).map(|stream| incoming.confirm(stream)).collect();
        assert_eq!(told, [Told::Missing(6, None), Told::Missing(9, Some(9)), Told::Complete]);
        assert_eq!(incoming.positions().collect::<Vec<_>>(), [(1, 9), (2, 3)]);
        assert_eq!(incoming.tell(0, 1), Told::Complete);
    }

    #[test]
    fn a_new_count_is_a_gap_without_an_end() {
        let mut incoming = Incoming::default();
        incoming.tell(1, 8);
        incoming.start_over();
        assert_eq!(incoming.tell(1, 2), Told::Missing(9, None));
        assert_eq!(incoming.arrive(place(3, 2)), Arrival::Next);
    }

    #[test]
    fn streams_are_bounded() {
        let mut incoming = Incoming::default();
        let stream = MAX_STREAMS as u32;
        assert_eq!(incoming.tell(stream, 2), Told::Untracked);
        assert_eq!(incoming.arrive(Place { stream: u32::MAX, offset: 1, prev: 0 }), Arrival::Untracked);
        assert_eq!(incoming.tell(stream - 1, 2), Told::Complete);
        assert_eq!(incoming.positions().count(), 1);
    }
}

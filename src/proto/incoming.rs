//! Where this client stands in the streams of the server.

use alloc::vec::Vec;

use super::wire::{StreamOffset, Text};

/// The positions in all streams, and the life of the server's memory that they belong to.
#[derive(Debug)]
pub struct Incoming<T> {
    /// The epoch of the latest welcome; 0 before the first.
    pub epoch: u64,
    /// The stream with the answers to this client; of those with the answers to others nothing is kept.
    own_stream: T,
    streams: Vec<(T, Position)>,
}

/// How far one stream has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    At(u64),
    /// The server has started to count anew since.
    EpochReset(u64),
}

/// What to do with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventOrder {
    /// It is the next one.
    Next,
    /// It was there before.
    Repeated,
    /// An event before it is missing.
    Early,
    /// No position is kept for its stream.
    Untracked,
}

/// What a position that the server names says about the events before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PositionUpdate {
    /// They are all here.
    Complete,
    /// These cannot be had: the first, and the last unless the server counts anew.
    Missing(u64, Option<u64>),
    /// No position is kept for the stream.
    Untracked,
}

impl<T: Text> Incoming<T> {
    /// No position yet.
    pub const fn new(own_stream: T) -> Self {
        Self { epoch: 0, own_stream, streams: Vec::new() }
    }

    /// Whether this is the stream with the answers to this client.
    pub fn is_own(&self, stream: &T) -> bool {
        *stream == self.own_stream
    }

    /// Takes note of an event.
    pub fn arrive(&mut self, place: &StreamOffset<T>) -> EventOrder {
        let Some((_, position)) = self.find(&place.stream) else {
            return if self.begin(&place.stream, place.offset) { EventOrder::Next } else { EventOrder::Untracked };
        };
        match *position {
            Position::At(at) if place.offset <= at => return EventOrder::Repeated,
            Position::At(at) if place.prev > at => return EventOrder::Early,
            Position::At(_) | Position::EpochReset(_) => *position = Position::At(place.offset),
        }
        EventOrder::Next
    }

    /// Takes note of the position from which the server goes on.
    pub fn update(&mut self, stream: &T, offset: u64) -> PositionUpdate {
        let Some((_, position)) = self.find(stream) else {
            return if self.begin(stream, offset) { PositionUpdate::Complete } else { PositionUpdate::Untracked };
        };
        let update = match *position {
            Position::At(at) if offset > at => PositionUpdate::Missing(at + 1, Some(offset)),
            Position::At(at) if offset == at => PositionUpdate::Complete,
            // Below the client's own, it belongs to a stream that began again: what is missing has no known end.
            Position::At(at) | Position::EpochReset(at) => PositionUpdate::Missing(at.saturating_add(1), None),
        };
        *position = Position::At(offset);
        update
    }

    /// Forgets every stream that a welcome does not name; `lost` is told the first offset that is missing of each. A welcome to another client id says nothing of
    /// the stream with the answers to this client.
    pub fn keep_only(&mut self, named: &[(T, u64)], is_to_own: bool, lost: &mut dyn FnMut(T, u64)) {
        self.streams.retain(|(stream, position)| {
            let is_named = named.iter().any(|(name, _)| name == stream) || (!is_to_own && stream.is_client_stream());
            if !is_named {
                let (Position::At(at) | Position::EpochReset(at)) = *position;
                lost(stream.clone(), at.saturating_add(1));
            }
            is_named
        });
    }

    /// The server has started to count anew.
    pub fn start_over(&mut self) {
        for (_, position) in &mut self.streams {
            if let Position::At(at) = *position {
                *position = Position::EpochReset(at);
            }
        }
    }

    /// Forgets every position.
    pub fn forget(&mut self) {
        self.streams.clear();
    }

    /// The position in each stream.
    pub fn positions(&self) -> impl Iterator<Item = (&T, u64)> {
        self.streams.iter().map(|(stream, position)| {
            let (Position::At(at) | Position::EpochReset(at)) = *position;
            (stream, at)
        })
    }

    fn find(&mut self, stream: &T) -> Option<&mut (T, Position)> {
        self.streams.iter_mut().find(|(known, _)| known == stream)
    }

    /// Follows a new stream from here on, unless no position may be kept for it.
    fn begin(&mut self, stream: &T, offset: u64) -> bool {
        let is_nameable = || (1..=LONGEST_NAME).contains(&stream.utf8_len());
        let is_of_others = || stream.is_client_stream() && !self.is_own(stream);
        let is_tracked = self.streams.len() < MAX_STREAMS && is_nameable() && !is_of_others();
        if is_tracked {
            self.streams.push((stream.clone(), Position::At(offset)));
        }
        is_tracked
    }
}

/// How many streams a client follows (docs/PROTOCOL.md: as many as a hello may name).
pub const MAX_STREAMS: usize = 256;
/// The longest name of a stream that a hello may say, in bytes (docs/PROTOCOL.md).
const LONGEST_NAME: usize = 128;

#[cfg(all(test, feature = "json"))]
mod tests {
    use super::{EventOrder, Incoming, MAX_STREAMS, PositionUpdate, StreamOffset};

    fn place(offset: u64, prev: u64) -> StreamOffset<String> {
        StreamOffset { stream: "a".into(), offset, prev }
    }

    fn incoming() -> Incoming<String> {
        Incoming::new("client:me".into())
    }

    fn positions(incoming: &Incoming<String>) -> Vec<(&str, u64)> {
        incoming.positions().map(|(stream, at)| (stream.as_str(), at)).collect()
    }

    #[test]
    fn each_event_is_taken_once_and_in_order() {
        let mut incoming = incoming();
        assert_eq!(incoming.update(&"a".into(), 4), PositionUpdate::Complete);
        assert_eq!(incoming.arrive(&place(5, 4)), EventOrder::Next);
        assert_eq!(incoming.arrive(&place(5, 4)), EventOrder::Repeated);
        assert_eq!(incoming.arrive(&place(7, 6)), EventOrder::Early);
        assert_eq!(incoming.arrive(&place(7, 5)), EventOrder::Next);
        assert_eq!(positions(&incoming), [("a", 7)]);
    }

    #[test]
    fn a_position_beyond_is_a_gap_and_one_before_is_a_gap_without_an_end() {
        let mut incoming = incoming();
        let stream = "a".to_owned();
        incoming.arrive(&place(3, 2));
        assert_eq!(incoming.update(&stream, 3), PositionUpdate::Complete);
        assert_eq!(incoming.update(&stream, 9), PositionUpdate::Missing(4, Some(9)));
        assert_eq!(incoming.arrive(&place(9, 8)), EventOrder::Repeated);
        assert_eq!(incoming.update(&stream, 8), PositionUpdate::Missing(10, None));
        assert_eq!(incoming.arrive(&place(9, 8)), EventOrder::Next);
    }

    #[test]
    fn a_stream_that_a_welcome_leaves_out_is_lost_and_forgotten() {
        let mut incoming = incoming();
        incoming.update(&"a".into(), 5);
        incoming.update(&"b".into(), 8);
        let mut lost = Vec::new();
        incoming.keep_only(&[("b".into(), 9), ("c".into(), 3)], true, &mut |stream, from| lost.push((stream, from)));
        assert_eq!(lost, [("a".to_owned(), 6)]);
        assert_eq!(positions(&incoming), [("b", 8)]);
        assert_eq!(incoming.update(&"a".into(), 1), PositionUpdate::Complete);
    }

    #[test]
    fn a_welcome_to_another_client_id_says_nothing_of_the_own_stream() {
        let mut incoming = incoming();
        incoming.update(&"a".into(), 5);
        incoming.update(&"client:me".into(), 8);
        let mut lost = Vec::new();
        incoming.keep_only(&[], false, &mut |stream, from| lost.push((stream, from)));
        assert_eq!((&*lost, &*positions(&incoming)), (&[("a".to_owned(), 6)][..], &[("client:me", 8)][..]));
        incoming.keep_only(&[], true, &mut |stream, from| lost.push((stream, from)));
        assert_eq!(lost.last(), Some(&("client:me".to_owned(), 9)));
    }

    #[test]
    fn a_new_count_is_a_gap_without_an_end() {
        let mut incoming = incoming();
        incoming.update(&"a".into(), 8);
        incoming.start_over();
        assert_eq!(incoming.update(&"a".into(), 2), PositionUpdate::Missing(9, None));
        assert_eq!(incoming.arrive(&place(3, 2)), EventOrder::Next);
    }

    #[test]
    fn streams_are_bounded_in_number_and_name_and_those_of_other_clients_are_not_followed() {
        let mut incoming = incoming();
        for name in ["", "client:other", &"x".repeat(129)] {
            assert_eq!(incoming.update(&name.into(), 2), PositionUpdate::Untracked, "{name}");
        }
        for number in 1..MAX_STREAMS {
            assert_eq!(incoming.update(&number.to_string(), 2), PositionUpdate::Complete);
        }
        assert_eq!(incoming.update(&"client:me".into(), 2), PositionUpdate::Complete);
        assert_eq!(incoming.arrive(&place(1, 0)), EventOrder::Untracked);
        assert_eq!(incoming.positions().count(), MAX_STREAMS);
    }
}

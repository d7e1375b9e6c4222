//! A server that says what is not true (docs/PROTOCOL.md, "What a client does not believe").

use everwire::proto::Phase;

use crate::frame::{Down, Kind, Position, Stream};
use crate::memory::Stored;
use crate::tally::Count;
use crate::verdict::Rule;
use crate::world::World;

impl World {
    /// Says something untrue after every so many frames of a connection that has been welcomed.
    pub fn lie_now_and_then(&mut self, wire: usize) {
        let every = self.setup.server.lies_every;
        if every == 0 || self.server_is_plain {
            return;
        }
        let Some(end) = &mut self.wires[wire].server else { return };
        end.said += 1;
        if end.sender.is_none() || !end.said.is_multiple_of(every) {
            return;
        }
        let (acked, kind) = (end.acked, end.said / every);
        let page = self.wires[wire].page;
        let follow = self.pages[page].follows.iter().rfind(|follow| follow.at > 0 && !follow.is_void).copied();
        let epoch = self.pages[page].epoch;
        let lie = match (kind.wrapping_add(wire as u32 * 3) % 11, follow) {
            (0, _) => Down::lie(Kind::Ack { seq: NEVER_SENT }),
            (1, _) if acked > 1 => Down::lie(Kind::Ack { seq: acked - 1 }),
            (2, _) => Down::lie(Kind::Refused { seq: NEVER_SENT }),
            (3, _) => Down::lie(Kind::Reply { seq: NEVER_SENT }),
            (4, _) => Down::lie(Kind::Receipt { seq: NEVER_SENT, read: true }),
            (5, _) if !self.serves_earlier_page(page) => {
                let limits = self.setup.server.limits;
                Down::lie(Kind::Welcome { epoch, last: acked, window: 1, limits, streams: Vec::new() })
            }
            (6, Some(follow)) if self.memory.epoch == epoch => return self.go_back(wire, follow.stream, follow.at - 1),
            (7, Some(follow)) if self.memory.epoch == epoch => {
                // Also where a position below its own is under way to the client.
                let (offset, index) = (follow.at - 1, follow.index.saturating_sub(2));
                let position = Position { stream: follow.stream, offset, index };
                let stored = Down::stored(Kind::Event, position, offset - 1);
                Down { is_lie: true, ..stored }
            }
            (8, _) => match self.answered(page) {
                Some(seq) => Down::lie(Kind::Reply { seq }),
                None => Down::lie(Kind::Malformed),
            },
            (9, _) if wire.is_multiple_of(8) => {
                (0..110).for_each(|_| self.tell_lie(wire, Down::lie(Kind::Malformed)));
                return;
            }
            _ => Down::lie(Kind::Malformed),
        };
        self.tell_lie(wire, lie);
    }

    /// Takes back a position and goes on from there. A client cannot know better, and gets the events after it once more.
    fn go_back(&mut self, wire: usize, stream: Stream, offset: u64) {
        let is_carried = self.wires[wire].server.as_mut().is_some_and(|end| end.position(stream).is_some());
        let Some(log) = self.memory.known(stream).filter(|_| is_carried) else { return };
        let position = log.resume(Some(offset));
        let again: Vec<_> = log.after(position.offset).cloned().collect();
        self.tally.add(Count::TakenBack);
        self.say_truly(wire, Down::plain(Kind::Begin(position)));
        for Stored { position, prev, kind } in again {
            self.say_truly(wire, Down::stored(kind, position, prev));
        }
    }

    fn tell_lie(&mut self, wire: usize, lie: Down) {
        self.tally.add(Count::Lies);
        self.say_truly(wire, lie);
    }

    /// A request of this page that has ended.
    fn answered(&self, page: usize) -> Option<u64> {
        let uids = &self.pages[page].uids;
        let ended =
            |uid: &&u32| self.ledger[**uid as usize].request_ends > 0 && self.ledger[**uid as usize].numbered > 0;
        uids.iter().rfind(ended).map(|uid| self.ledger[*uid as usize].seq)
    }

    /// Whether the page may be saying hello for another.
    fn serves_earlier_page(&self, page: usize) -> bool {
        self.ledger.iter().any(|entry| entry.sender != page && entry.holder == page)
            || self.disk(page).store.iter().any(|uid| self.ledger[*uid as usize].sender != page)
    }

    /// Answers a hello with what cannot be.
    pub fn tells_false_welcome(&mut self, wire: usize, sender: u32, truth: &Kind) -> bool {
        let every = self.setup.server.lies_every;
        let page = self.wires[wire].page;
        let Kind::Welcome { epoch, last, window, limits, ref streams } = *truth else { return false };
        if every == 0 || every > 100 || sender as usize != page || !(wire as u32).is_multiple_of(every) {
            return false;
        }
        let streams = streams.clone();
        let lie = if wire.is_multiple_of(2) && self.pages[page].epoch >= epoch {
            Kind::Welcome { epoch: epoch - 1, last, window, limits, streams }
        } else {
            Kind::Welcome { epoch, last: NEVER_SENT, window, limits, streams }
        };
        self.tell_lie(wire, Down::lie(lie));
        true
    }

    /// How many protocol errors a page has counted, if it listens to this connection.
    pub fn doubts(&self, page: usize, wire: usize) -> Option<u32> {
        let snapshot = self.pages[page].client.snapshot();
        let is_closing = snapshot.phase == Phase::Closing;
        (self.wires[wire].is_live() && !is_closing).then_some(snapshot.protocol_errors)
    }

    /// A lie that a page has listened to is counted.
    pub fn check_lie(&mut self, page: usize, down: &Down, doubts: Option<u32>) {
        let is_answer = matches!(down.kind, Kind::Refused { .. } | Kind::Reply { .. } | Kind::Receipt { .. });
        if !down.is_lie || is_answer && self.serves_earlier_page(page) {
            return;
        }
        if doubts.is_some_and(|doubts| self.pages[page].client.snapshot().protocol_errors <= doubts) {
            self.break_rule(Rule::LieBelieved, format!("page {page} does not doubt {down:?}"));
        }
    }
}

/// A number that no client reaches.
const NEVER_SENT: u64 = 1 << 50;

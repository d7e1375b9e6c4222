//! A server that says what is not true (docs/PROTOCOL.md, "What a client does not believe").

use everwire::proto::Phase;
use serde_json::json;

use crate::byzantine_frames::{NO_ENVELOPES, about_bad_stream, irrelevant, malformed, pick};
use crate::downward_frame::{Claim, Down, Kind, NOBODY, Position, Stream};
use crate::run_tally::Count;
use crate::server_envelope;
use crate::server_store::Stored;
use crate::simulation::Simulation;
use crate::verdict::Rule;

impl Simulation {
    /// Says something untrue after every so many frames of a connection that has been welcomed.
    pub fn deviate_now_and_then(&mut self, connection: usize) {
        let every = self.setup.server.byzantine_every;
        if every == 0 || self.server_is_plain {
            return;
        }
        let Some(end) = &mut self.connections[connection].server else { return };
        end.sent += 1;
        if end.sender.is_none() || !end.sent.is_multiple_of(every) {
            return;
        }
        let (acked, kind) = (end.acked, end.sent / every);
        let page = self.connections[connection].page;
        let follow = self.pages[page].follows.iter().rfind(|follow| follow.at > 0 && !follow.is_reset).copied();
        let epoch = self.pages[page].epoch;
        let turn = kind.wrapping_add(connection as u32 * 3);
        let frame = match (turn % 16, follow) {
            (0, _) => Down::untrue(Kind::Ack { seq: NEVER_SENT }),
            (1, _) if acked > 1 => Down::untrue(Kind::Ack { seq: acked - 1 }),
            (2, _) => Down::untrue(Kind::Refused { seq: NEVER_SENT }),
            (3, _) => Down::untrue(Kind::Reply { seq: NEVER_SENT }),
            (4, _) => Down::untrue(Kind::Receipt { seq: NEVER_SENT, read: true }),
            (5, _) if !self.serves_previous_instance(page) => {
                let limits = self.setup.server.limits;
                let streams = Vec::new();
                Down::untrue(Kind::Welcome { epoch, last: acked, window: 1, limits, streams, is_odd: false })
            }
            (6, Some(follow)) if self.memory.epoch == epoch => {
                return self.go_back(connection, follow.stream, follow.at - 1);
            }
            (7, Some(follow)) if self.memory.epoch == epoch => {
                // Also where a position below its own is under way to the client.
                let (offset, index) = (follow.at - 1, follow.index.saturating_sub(2));
                let position = Position { stream: follow.stream, offset, index };
                // A repetition is one whoever has caused the event.
                let cause = turn.is_multiple_of(32).then_some((page as u32, None));
                let stored = Down::stored(Kind::Event { cause }, position, offset - 1);
                Down { claim: Claim::False, ..stored }
            }
            (8, _) => match self.answered(page) {
                Some(seq) => Down::untrue(Kind::Reply { seq }),
                None => self.malformed(turn),
            },
            (9, _) if connection.is_multiple_of(8) => {
                for number in 0..110 {
                    let frame = self.malformed(number);
                    self.send_deviation(connection, frame);
                }
                return;
            }
            (10 | 11, _) => self.answer_to_another(page, turn),
            (12, _) => Down::irrelevant(Kind::Raw(about_bad_stream(turn))),
            (13, _) => Down::irrelevant(Kind::Raw(irrelevant(turn, page))),
            (14, _) => Down::irrelevant(Kind::Text(pick(NO_ENVELOPES, turn))),
            _ => self.malformed(turn),
        };
        self.send_deviation(connection, frame);
    }

    fn malformed(&mut self, turn: u32) -> Down {
        self.tally.add(Count::Malformed);
        Down::untrue(Kind::Raw(malformed(turn)))
    }

    /// Answers the client id that nobody has, with a number that this page is waiting for.
    fn answer_to_another(&self, page: usize, turn: u32) -> Down {
        let waits = |uid: &&u32| {
            let message = &self.messages[**uid as usize];
            message.is_request && message.request_ends == 0 && message.numbered > 0
        };
        let waiting = self.pages[page].uids.iter().rfind(waits).map_or(1, |uid| self.messages[*uid as usize].seq);
        let answer = match turn / 16 % 3 {
            0 => server_envelope::reply(waiting, json!({"of": waiting})),
            1 => server_envelope::error("not_allowed", "message_sent", Some(waiting)),
            _ => server_envelope::receipt(waiting, "read"),
        };
        let offset = u64::from(turn) + 2;
        Down::irrelevant(Kind::Raw(server_envelope::stored(answer, &Stream::Sender(NOBODY).name(), offset, offset - 1)))
    }

    /// Takes back a position and goes on from there. A client cannot know better, and gets the events after it once more.
    fn go_back(&mut self, connection: usize, stream: Stream, offset: u64) {
        let is_carried = self.connections[connection].server.as_mut().is_some_and(|end| end.position(stream).is_some());
        let Some(log) = self.memory.known(stream).filter(|_| is_carried) else { return };
        let position = log.resume(Some(offset));
        let again: Vec<_> = log.after(position.offset).cloned().collect();
        self.tally.add(Count::TakenBack);
        self.send_unaltered(connection, Down::plain(Kind::Begin(position)));
        for Stored { position, prev, kind } in again {
            self.send_unaltered(connection, Down::stored(kind, position, prev));
        }
    }

    fn send_deviation(&mut self, connection: usize, frame: Down) {
        let is_false = frame.claim == Claim::False;
        self.tally.add(if is_false { Count::Untrue } else { Count::Irrelevant });
        self.send_unaltered(connection, frame);
    }

    /// A request of this page that has ended.
    fn answered(&self, page: usize) -> Option<u64> {
        let uids = &self.pages[page].uids;
        let ended =
            |uid: &&u32| self.messages[**uid as usize].request_ends > 0 && self.messages[**uid as usize].numbered > 0;
        uids.iter().rfind(ended).map(|uid| self.messages[*uid as usize].seq)
    }

    /// Whether the page may be saying hello for another.
    pub fn serves_previous_instance(&self, page: usize) -> bool {
        self.messages.iter().any(|entry| entry.sender != page && entry.holder == page)
            || self.disk(page).store.iter().any(|uid| self.messages[*uid as usize].sender != page)
    }

    /// Answers a hello with what cannot be.
    pub fn sends_false_welcome(&mut self, connection: usize, sender: u32, truth: &Kind) -> bool {
        let every = self.setup.server.byzantine_every;
        let page = self.connections[connection].page;
        let Kind::Welcome { epoch, .. } = *truth else { return false };
        if every == 0 || every > 100 || sender as usize != page || !(connection as u32).is_multiple_of(every) {
            return false;
        }
        let mut untrue = truth.clone();
        if let Kind::Welcome { epoch: said, last, .. } = &mut untrue {
            if connection.is_multiple_of(2) && self.pages[page].epoch >= epoch {
                *said = epoch - 1;
            } else {
                *last = NEVER_SENT;
            }
        }
        self.send_deviation(connection, Down::untrue(untrue));
        true
    }

    /// What a claim is compared with after it was received.
    pub fn before_claim(&self, page: usize, connection: usize, down: &Down) -> Before {
        let client = self.pages[page].client();
        let snapshot = client.snapshot();
        let is_listening = self.connections[connection].is_heard() && snapshot.phase != Phase::Closing;
        let positions = || client.positions().map(|(stream, at)| (stream.clone(), at)).collect();
        Before {
            violations: snapshot.protocol_errors,
            is_listening,
            positions: if down.claim == Claim::Irrelevant { positions() } else { Vec::new() },
        }
    }

    /// A page that has listened counts what is not true, and nothing changes by what concerns nobody.
    pub fn check_claim(&mut self, page: usize, down: &Down, before: Before) {
        let client = self.pages[page].client();
        let violations = client.snapshot().protocol_errors;
        match down.claim {
            Claim::True => {}
            Claim::False => {
                let is_exempt = down.is_answer() && self.serves_previous_instance(page);
                if before.is_listening && !is_exempt && violations <= before.violations {
                    self.break_rule(Rule::UntruthAccepted, format!("page {page} does not count {down:?}"));
                }
            }
            Claim::Irrelevant => {
                let is_same = client.positions().map(|(stream, at)| (stream.clone(), at)).eq(before.positions);
                if !is_same || violations != before.violations {
                    self.break_rule(Rule::IrrelevantActedOn, format!("page {page} heeds {down:?}"));
                }
            }
        }
    }
}

/// What was so before a frame was received.
#[derive(Debug)]
pub struct Before {
    violations: u32,
    is_listening: bool,
    positions: Vec<(String, u64)>,
}

/// A number that no client reaches.
const NEVER_SENT: u64 = 1 << 50;

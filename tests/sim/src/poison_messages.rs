//! Messages over which the server ends the connection that brings them, every time.

use crate::client_frame::Up;
use crate::run_tally::Count;
use crate::simulated_connection::{Stage, Upward};
use crate::simulation::Simulation;
use crate::verdict::Rule;

impl Simulation {
    /// Whether the server ends the connection over this message; or, where it reads ahead, over one that stands behind it.
    pub fn ends_over(&mut self, connection: usize, uid: u32) -> bool {
        let poison = |uid: u32| self.messages[uid as usize].poison.map(|code| (uid, code));
        let ahead = |what: &Upward| if let Upward::Frame(Up::Message { uid, .. }) = what { poison(*uid) } else { None };
        let found = poison(uid).or_else(|| {
            let waiting = self.setup.server.reads_ahead.then(|| self.connections[connection].up.waiting());
            waiting.into_iter().flatten().find_map(ahead)
        });
        let Some((culprit, code)) = found else { return false };
        let is_done = |seq: u64| {
            let end = self.connections[connection].server.as_ref();
            end.and_then(|end| end.sender).is_some_and(|sender| self.memory.last(self.user(connection), sender) >= seq)
        };
        let entry = &self.messages[culprit as usize];
        if entry.numbered > 0 && is_done(entry.seq) {
            return false;
        }
        self.tally.add(Count::EndedOver);
        self.connections[connection].ended_over = Some(culprit);
        self.close_connection(connection, code);
        true
    }

    /// A page learns how a connection has ended.
    pub fn note_end(&mut self, page: usize, connection: usize, code: u16) {
        if self.connections[connection].stage != Stage::Open || !BLAMING.contains(&code) {
            return;
        }
        for entry in &mut self.messages {
            if entry.holder == page && entry.sent_on == Some(connection) && entry.numbered > 0 && entry.is_under_way() {
                entry.strikes += 1;
            }
        }
        let Some(culprit) = self.connections[connection].ended_over else { return };
        let entry = &mut self.messages[culprit as usize];
        if entry.holder == page && entry.numbered > 0 {
            entry.ends += 1;
            if entry.ends > MOST_ENDS {
                self.break_rule(Rule::PoisonBlocks, format!("message {culprit} has ended {MOST_ENDS} connections"));
            }
        }
    }

    /// A message is given up as poisoned.
    pub fn check_blame(&mut self, uid: u32) {
        let entry = &self.messages[uid as usize];
        let may_be = entry.poison.is_some() || self.setup.server.is_frail || self.is_byzantine();
        if entry.strikes < STRIKES || !may_be {
            self.break_rule(Rule::WronglyBlamed, format!("message {uid}: {entry:?}"));
        }
    }

    /// A message with a number goes out to a server that has said how large it may be.
    pub fn check_size(&mut self, page: usize, uid: u32, is_numbered: bool) {
        let (bytes, max) = (self.messages[uid as usize].bytes, self.setup.server.limits.max_bytes);
        if is_numbered && u64::from(bytes) > max {
            self.break_rule(Rule::Oversized, format!("page {page}: message {uid} of {bytes} bytes, {max} are taken"));
        }
    }
}

/// Close codes that can mean a message (docs/PROTOCOL.md, "The last resort").
const BLAMING: [u16; 6] = [1003, 1007, 1009, 1011, 4400, 4409];
const STRIKES: u32 = 3;
/// One for finding out which it is, and three to give it up.
const MOST_ENDS: u32 = 4;

//! A server that is slow, and says so: it holds messages back and repeats its latest acknowledgement.

use everwire::proto::Sequence;

use crate::downward_frame::{Down, Kind};
use crate::run_tally::Count;
use crate::simulated_connection::Stage;
use crate::simulation::{Scheduled, Simulation};
use crate::verdict::Rule;

impl Simulation {
    /// From now on numbered messages wait.
    pub fn hold_back(&mut self, ms: u64) {
        self.held_until = self.held_until.max(self.now + ms);
        for connection in 0..self.connections.len() {
            if self.connections[connection].server.as_ref().is_some_and(|end| end.is_superseded) {
                self.close_connection(connection, 4410);
            }
        }
    }

    /// Whether the server keeps a message for later.
    pub fn holds(&mut self, connection: usize, uid: u32, Sequence { seq, prev }: Sequence) -> bool {
        let (now, until) = (self.now, self.held_until);
        let Some(end) = &mut self.connections[connection].server else { return false };
        if end.sender.is_none() || now >= until && end.held.is_empty() {
            return false;
        }
        self.tally.add(Count::HeldBack);
        end.held.push((uid, seq, prev));
        if end.held.len() == 1 {
            self.queue.schedule(now + REPEAT_MS, Scheduled::AckAgain(connection));
            self.queue.schedule(until, Scheduled::TakeHeld(connection));
        }
        true
    }

    pub fn acknowledge_again(&mut self, connection: usize) {
        let Some(end) = self.connections[connection].server.as_ref().filter(|end| !end.held.is_empty()) else { return };
        let seq = end.acked;
        self.send_frame(connection, Down::plain(Kind::Ack { seq }));
        self.queue.schedule(self.now + REPEAT_MS, Scheduled::AckAgain(connection));
    }

    pub fn take_held(&mut self, connection: usize) {
        if self.now < self.held_until {
            return self.queue.schedule(self.held_until, Scheduled::TakeHeld(connection));
        }
        let Some(end) = &mut self.connections[connection].server else { return };
        for (uid, seq, prev) in core::mem::take(&mut end.held) {
            if self.connections[connection].server.is_some() {
                self.take(connection, uid, seq, prev);
            }
        }
    }

    /// A page whose clock or whose running is disturbed may judge its connection wrongly.
    pub fn hurt_connections(&mut self, page: usize) {
        self.connections
            .iter_mut()
            .filter(|connection| connection.page == page)
            .for_each(|connection| connection.is_hurt = true);
    }

    /// The page has left its latest connection because no answer came.
    pub fn check_patience(&mut self, page: usize) {
        let left = self
            .connections
            .iter()
            .rposition(|connection| connection.page == page && connection.stage == Stage::Abandoned);
        if let Some(connection) =
            left.filter(|connection| !self.connections[*connection].is_hurt && !self.is_byzantine())
        {
            self.break_rule(Rule::Impatient, format!("page {page} leaves connection {connection}, which is whole"));
        }
    }
}

/// As often as the shortest patience of 3 s and the longest way there and back ask for. With the usual 10 s, every 3 s will do.
const REPEAT_MS: u64 = 1_000;

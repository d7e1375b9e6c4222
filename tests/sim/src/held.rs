//! A server that is slow, and says so: it holds messages back and repeats its latest acknowledgement.

use everwire::proto::Sequence;

use crate::frame::{Down, Kind};
use crate::tally::Count;
use crate::verdict::Rule;
use crate::wire::Stage;
use crate::world::{Happening, World};

impl World {
    /// From now on numbered messages wait.
    pub fn hold_back(&mut self, ms: u64) {
        self.held_until = self.held_until.max(self.now + ms);
        for wire in 0..self.wires.len() {
            if self.wires[wire].server.as_ref().is_some_and(|end| end.is_superseded) {
                self.close_wire(wire, 4410);
            }
        }
    }

    /// Whether the server keeps a message for later.
    pub fn holds(&mut self, wire: usize, uid: u32, Sequence { seq, prev }: Sequence) -> bool {
        let (now, until) = (self.now, self.held_until);
        let Some(end) = &mut self.wires[wire].server else { return false };
        if end.sender.is_none() || now >= until && end.held.is_empty() {
            return false;
        }
        self.tally.add(Count::HeldBack);
        end.held.push((uid, seq, prev));
        if end.held.len() == 1 {
            self.agenda.note(now + REPEAT_MS, Happening::AckAgain(wire));
            self.agenda.note(until, Happening::TakeHeld(wire));
        }
        true
    }

    pub fn acknowledge_again(&mut self, wire: usize) {
        let Some(end) = self.wires[wire].server.as_ref().filter(|end| !end.held.is_empty()) else { return };
        let seq = end.acked;
        self.say(wire, Down::plain(Kind::Ack { seq }));
        self.agenda.note(self.now + REPEAT_MS, Happening::AckAgain(wire));
    }

    pub fn take_held(&mut self, wire: usize) {
        if self.now < self.held_until {
            return self.agenda.note(self.held_until, Happening::TakeHeld(wire));
        }
        let Some(end) = &mut self.wires[wire].server else { return };
        for (uid, seq, prev) in core::mem::take(&mut end.held) {
            if self.wires[wire].server.is_some() {
                self.take(wire, uid, seq, prev);
            }
        }
    }

    /// A page whose clock or whose running is disturbed may judge its connection wrongly.
    pub fn hurt_wires(&mut self, page: usize) {
        self.wires.iter_mut().filter(|wire| wire.page == page).for_each(|wire| wire.is_hurt = true);
    }

    /// The page has left its latest connection because no answer came.
    pub fn check_patience(&mut self, page: usize) {
        let left = self.wires.iter().rposition(|wire| wire.page == page && wire.stage == Stage::Abandoned);
        if let Some(wire) = left.filter(|wire| !self.wires[*wire].is_hurt && !self.is_liar()) {
            self.break_rule(Rule::Impatient, format!("page {page} leaves wire {wire}, which is whole"));
        }
    }
}

/// As often as the shortest patience of 3 s and the longest way there and back ask for. With the usual 10 s, every 3 s will do.
const REPEAT_MS: u64 = 1_000;

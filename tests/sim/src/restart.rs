//! The server stops and starts again, with its memory or without.

use crate::memory::Memory;
use crate::plan::Restart;
use crate::tally::Count;
use crate::trace;
use crate::world::{Happening, World};

impl World {
    pub fn restart(&mut self, down_ms: u64, kind: Restart, share: u16) {
        trace!(self, "the server restarts: {kind:?}");
        self.tally.add(Count::Restarts);
        for wire in 0..self.wires.len() {
            if self.wires[wire].server.is_none() {
                continue;
            }
            if kind == Restart::Drain {
                self.close_wire(wire, 1012);
                continue;
            }
            self.server_hears_end(wire);
            self.wires[wire].down.cut(share);
            if kind == Restart::Vanish {
                self.wires[wire].up.swallow();
                self.tally.add(Count::HalfOpen);
            } else {
                let latency = self.setup.devices[self.wires[wire].device].latency_ms;
                let at = self.now + latency + 50;
                self.agenda.note(at, Happening::ClientHears { wire, code: 1006, deaf_ms: 0 });
            }
        }
        (self.server_is_up, self.held_until) = (false, 0);
        self.server_starts += 1;
        let start = self.server_starts;
        let plain = if let Restart::Becomes { plain } = kind { plain } else { self.server_is_plain };
        let forgets = kind == Restart::Amnesia;
        self.tally.add_many(Count::Drains, usize::from(kind == Restart::Drain));
        self.tally.add_many(Count::Amnesias, usize::from(forgets));
        if forgets {
            self.memory = Memory::new(self.memory.epoch + 1);
        }
        self.agenda.note(self.now + down_ms, Happening::ServerStarts { start, plain });
    }

    pub fn server_starts(&mut self, start: u32, plain: bool) {
        if start == self.server_starts {
            self.server_is_up = true;
            self.server_is_plain = plain;
        }
    }
}

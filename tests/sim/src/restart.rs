//! The server stops and starts again, with its memory or without.

use crate::run_plan::Restart;
use crate::run_tally::Count;
use crate::server_store::Memory;
use crate::simulation::{Scheduled, Simulation};
use crate::trace;

impl Simulation {
    pub fn restart(&mut self, down_ms: u64, kind: Restart, share: u16) {
        trace!(self, "the server restarts: {kind:?}");
        self.tally.add(Count::Restarts);
        for connection in 0..self.connections.len() {
            if self.connections[connection].server.is_none() {
                continue;
            }
            if kind == Restart::Drain {
                self.close_connection(connection, 1012);
                continue;
            }
            self.server_loses(connection);
            self.connections[connection].down.cut(share);
            if kind == Restart::Vanish {
                self.connections[connection].up.swallow();
                self.tally.add(Count::HalfOpen);
            } else {
                let latency = self.setup.devices[self.connections[connection].device].latency_ms;
                let at = self.now + latency + 50;
                self.queue.schedule(at, Scheduled::ClientLosesConnection { connection, code: 1006, closing_ms: 0 });
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
        self.queue.schedule(self.now + down_ms, Scheduled::ServerStarts { start, plain });
    }

    pub fn server_starts(&mut self, start: u32, plain: bool) {
        if start == self.server_starts {
            self.server_is_up = true;
            self.server_is_plain = plain;
            self.setup.server.is_silent &= plain;
        }
    }
}

//! What the model server does on a hello (docs/PROTOCOL.md, "Hello and welcome").

use everwire::proto::time::FOREVER;

use crate::downward_frame::{Down, Kind, Position, Stream};
use crate::run_tally::Count;
use crate::server_store::Stored;
use crate::simulated_connection::Stage;
use crate::simulation::{Scheduled, Simulation};

impl Simulation {
    pub fn answer_hello(&mut self, connection: usize, sender: u32, positions: Option<Vec<(Stream, u64)>>) {
        if self.server_is_plain {
            if !self.setup.server.is_silent && connection.is_multiple_of(2) {
                self.send_frame(connection, Down::plain(Kind::HelloUnknown));
            }
            return;
        }
        self.supersede_others(connection, sender);
        let this = &self.connections[connection];
        if this.stage == Stage::Abandoned || this.lingers {
            self.tally.add(Count::LateHellos);
        }
        let row = self.memory.clients.entry((self.user(connection), sender)).or_default();
        row.away_since = None;
        let last = row.last;
        let Some(end) = &mut self.connections[connection].server else { return };
        if end.sender == Some(sender) {
            return self.refuse_client(connection, 4400, "the same hello twice");
        }
        if end.unacknowledged > 0 {
            return self.refuse_client(connection, 4400, "another hello with messages under way");
        }
        let positions = positions.unwrap_or_default();
        self.tally.add_many(Count::Resumed, usize::from(!positions.is_empty()));
        let wanted = self.streams_for(connection, sender, &positions);
        let (streams, replay) = self.resume(connection, wanted);
        let Some(end) = &mut self.connections[connection].server else { return };
        let is_odd = self.setup.server.is_odd(connection);
        // A window that is no window counts as the smallest that there is.
        let window = if is_odd { 0 } else { self.setup.server.window };
        end.window = window.max(1);
        end.sender = Some(sender);
        end.senders.push(sender);
        (end.acked, end.seen) = (last, last);
        let (epoch, limits) = (self.memory.epoch, self.setup.server.limits);
        self.tally.add_many(Count::OddWelcomes, usize::from(is_odd));
        let welcome = Kind::Welcome { epoch, last, window, limits, streams, is_odd };
        if self.sends_false_welcome(connection, sender, &welcome) {
            return;
        }
        self.send_frame(connection, Down::plain(welcome));
        for Stored { position, prev, kind } in replay {
            self.send_frame(connection, Down::stored(kind, position, prev));
        }
    }

    /// A client id belongs to the connection whose hello came last.
    fn supersede_others(&mut self, connection: usize, sender: u32) {
        let user = self.user(connection);
        let others: Vec<_> = (0..self.connections.len())
            .filter(|other| *other != connection && self.user(*other) == user)
            .filter(|other| self.connections[*other].server.as_ref().is_some_and(|end| end.sender == Some(sender)))
            .collect();
        for other in others {
            self.tally.add(Count::Superseded);
            // Its process may be busy with what has arrived; another page's would take numbers that this one skips.
            let is_same_page = self.connections[other].page == self.connections[connection].page;
            let holds = self.now < self.held_until;
            // A client gives up what a server that forgets may have forgotten, so nothing of it may be taken after the welcome.
            let forgets = self.setup.server.limits.remember_ms < FOREVER;
            if self.setup.server.supersedes_late && is_same_page && !holds && !forgets {
                let at = self.now + BUSY_MS;
                self.queue.schedule(at, Scheduled::Supersede(other));
                if let Some(end) = &mut self.connections[other].server {
                    end.is_superseded = true;
                }
            } else {
                self.close_connection(other, 4410);
            }
        }
    }

    /// The streams that the connection is to carry, each with the position that the hello names.
    fn streams_for(&self, connection: usize, sender: u32, positions: &[(Stream, u64)]) -> Vec<(Stream, Option<u64>)> {
        let user = self.user(connection);
        let mut wanted: Vec<_> = positions.iter().map(|(stream, at)| (*stream, Some(*at))).collect();
        if self.setup.server.leaves_out {
            let joined = &self.memory.joined;
            wanted.retain(|(stream, _)| !matches!(*stream, Stream::Room(room) if !joined.contains(&(user, room))));
        }
        let carried = self.connections[connection].server.iter().flat_map(|end| &end.carried);
        let own = [Stream::Sender(sender), Stream::User(user)];
        for stream in carried.map(|(carried, _)| *carried).chain(own) {
            if !wanted.iter().any(|(other, _)| *other == stream) {
                wanted.push((stream, None));
            }
        }
        wanted
    }

    /// Carries these streams from now on; from which position each, and what has to be sent again.
    fn resume(&mut self, connection: usize, wanted: Vec<(Stream, Option<u64>)>) -> (Vec<Position>, Vec<Stored>) {
        let (mut streams, mut replay) = (Vec::new(), Vec::new());
        for (stream, named) in wanted {
            let carried = self.connections[connection].server.as_mut().and_then(|end| end.position(stream).copied());
            let log = self.log(stream);
            if let Some(at) = carried {
                streams.push(log.at(at));
                continue;
            }
            let position = log.resume(named);
            streams.push(position);
            replay.extend(log.after(position.offset).cloned());
            let newest = log.resume(None);
            self.carry(connection, newest);
        }
        (streams, replay)
    }
}

/// How long a connection that another has taken the place of goes on bringing messages.
const BUSY_MS: u64 = 5_000;

//! What the server forgets, and when it may.

use crate::downward_frame::Stream;
use crate::run_tally::Count;
use crate::simulation::Simulation;
use crate::trace;

impl Simulation {
    /// A connection of a client id has ended.
    pub fn goes_away(&mut self, user: u32, sender: u32) {
        let has_another = (0..self.connections.len()).any(|connection| {
            self.user(connection) == user
                && self.connections[connection].server.as_ref().is_some_and(|end| end.senders.contains(&sender))
        });
        if let Some(row) = self.memory.clients.get_mut(&(user, sender))
            && !has_another
        {
            row.away_since = Some(self.now);
        }
    }

    /// Forgets the client ids that were away for long enough, and the streams that nobody is connected to: those of client ids and
    /// users that are forgotten, or, where room is short, all.
    pub fn forget(&mut self, all_streams: bool) {
        let (now, remember_ms) = (self.now, self.setup.server.limits.remember_ms);
        let before = self.memory.clients.len();
        self.memory.clients.retain(|_, row| row.away_since.is_none_or(|since| now - since < remember_ms));
        let clients = &self.memory.clients;
        self.memory.joined.retain(|(member, _)| clients.keys().any(|(user, _)| user == member));
        let is_needed = |stream: &Stream| {
            let is_carried = |connection: &crate::simulated_connection::Connection| {
                let end = connection.server.as_ref();
                end.is_some_and(|end| end.carried.iter().any(|(carried, _)| carried == stream))
            };
            let is_known = match *stream {
                Stream::User(user) => clients.keys().any(|(known, _)| *known == user),
                Stream::Sender(sender) => clients.keys().any(|(_, known)| *known == sender),
                Stream::Room(_) => true,
            };
            self.connections.iter().any(is_carried) || is_known && !all_streams
        };
        let forgotten: Vec<_> = self.memory.streams().filter(|stream| !is_needed(stream)).collect();
        self.tally.add_many(Count::ForgottenClients, before - self.memory.clients.len());
        trace!(self, "the server forgets {} client ids and {forgotten:?}", before - self.memory.clients.len());
        self.tally.add_many(Count::ForgottenStreams, forgotten.len());
        forgotten.into_iter().for_each(|stream| self.memory.forget(stream));
    }
}

//! Faults stop, and everything has to come right.

use everwire::proto::Phase;

use super::world::World;
use crate::verdict::Rule;

impl World {
    pub fn complete(&mut self) {
        self.advance(self.setup.calm_at);
        self.calm();
        let until = self.now + PATIENCE_MS;
        while self.violation.is_none() {
            self.reconnect_those_who_stopped();
            let next = self.now + SLICE_MS;
            self.advance(next);
            match self.unsettled() {
                None => break,
                Some((rule, detail)) if self.now >= until => self.break_rule(rule, detail),
                Some(_) => {}
            }
        }
    }

    fn calm(&mut self) {
        if self.is_byzantine() {
            self.setup.server.byzantine_every = u32::MAX;
        }
        for channel in &mut self.server.channels {
            channel.refuses_until = 0;
        }
        for page in &mut self.pages {
            page.unreachable_until = 0;
        }
    }

    /// A client that has stopped for good is connected again by its application.
    fn reconnect_those_who_stopped(&mut self) {
        for client in 0..self.clients.len() {
            let phase = self.clients[client].driver.client().snapshot().phase;
            let has_stopped = matches!(phase, Phase::Idle | Phase::LoggedOut | Phase::GivenUp | Phase::Fatal);
            if has_stopped && !self.is_suspended(self.clients[client].page) {
                self.connect(client);
            }
        }
    }

    /// What is not as it has to be in the end.
    fn unsettled(&self) -> Option<(Rule, String)> {
        for (number, client) in self.clients.iter().enumerate() {
            let snapshot = client.driver.client().snapshot();
            if snapshot.phase != Phase::Open || self.is_suspended(client.page) {
                return Some((Rule::NotOpen, format!("client {number} is {:?}", snapshot.phase)));
            }
            let Some(connection) = client.connection.map(|connection| &self.connections[connection]) else {
                return Some((Rule::NotOpen, format!("client {number} is open without a connection")));
            };
            if !connection.is_whole() {
                return Some((Rule::NotOpen, format!("client {number} thinks that a dead connection is open")));
            }
            if snapshot.queued > 0 {
                return Some((Rule::Stuck, format!("client {number}: {} wait", snapshot.queued)));
            }
            if !(connection.up.is_empty() && connection.down.is_empty()) {
                return Some((Rule::Stuck, format!("something is under way for client {number}")));
            }
            let seat = connection.server.as_ref().and_then(|server| server.admitted(client.namespace));
            if self.is_byzantine() {
                continue;
            }
            if seat.is_none_or(|seat| Some(&seat.sid) != client.sid.as_ref() || seat.client != number) {
                return Some((Rule::NotOpen, format!("client {number} is {:?} for itself alone", client.sid)));
            }
            if client.expected != Some(self.server.channels[client.namespace].len()) {
                let detail = format!("client {number} expects event {:?}", client.expected);
                return Some((Rule::StreamIncomplete, detail));
            }
        }
        let open =
            self.emitted.iter().position(|sent| sent.until.is_some() && !sent.is_refused && sent.outcomes == 0)?;
        Some((Rule::RequestNeverEnded, format!("event {open}: {:?}", self.emitted[open])))
    }
}

/// How long everything may take once faults have stopped, in milliseconds.
const PATIENCE_MS: u64 = 300_000;
const SLICE_MS: u64 = 500;

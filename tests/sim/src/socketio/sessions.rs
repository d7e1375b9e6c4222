//! What the server remembers of sessions and of the events of its namespaces, and how clients come into them.

use serde_json::{Value, json};

use super::frames::{Downward, Frame, attachment, placeholders};
use super::server::{Admission, header};
use super::world::{Scheduled, World};
use crate::run_tally::Count;
use crate::trace;

/// A session that can be recovered.
#[derive(Debug)]
pub struct Session {
    namespace: usize,
    sid: String,
    until: u64,
}

/// The events of a namespace.
#[derive(Debug, Default)]
pub struct Channel {
    events: Vec<Stored>,
    /// The place of the first that was not forgotten.
    kept_from: usize,
    pub refuses_until: u64,
}

#[derive(Debug)]
struct Stored {
    offset: String,
    attachments: u32,
}

impl Channel {
    pub const fn len(&self) -> usize {
        self.events.len()
    }

    /// Keeps an event; returns its place.
    pub fn store(&mut self, start: u32, attachments: u32) -> usize {
        let place = self.events.len();
        self.events.push(Stored { offset: format!("o{start}-{place}"), attachments });
        place
    }

    /// An event as a packet.
    pub fn text(&self, namespace: usize, place: usize, has_offset: bool) -> String {
        let Stored { offset, attachments } = &self.events[place];
        let kind = if *attachments > 0 { "5" } else { "2" };
        let start = header(kind, *attachments, namespace, None);
        let offset = if has_offset { format!(r#","{offset}""#) } else { String::new() };
        format!(r#"{start}["s",{{"ns":{namespace},"n":{place}}}{}{offset}]"#, placeholders(*attachments))
    }

    /// The place behind an event, if that is still known.
    fn behind(&self, offset: &str, history: usize) -> Option<usize> {
        let kept_from = self.kept_from.max(self.events.len().saturating_sub(history));
        let place = self.events.iter().position(|event| event.offset == offset)?;
        (place >= kept_from).then_some(place + 1)
    }
}

impl World {
    /// A client asks to be let into a namespace.
    pub fn asks_to_join(&mut self, connection: usize, namespace: usize, auth: Option<&Value>) {
        let text = |member: &str| auth?.get(member)?.as_str().map(str::to_owned);
        let client = auth.and_then(|auth| auth.get("client")).and_then(Value::as_u64).unwrap_or(0) as usize;
        let claim = text("pid").zip(text("offset"));
        self.tally.add_many(Count::Claims, usize::from(claim.is_some()));
        let seat = self.seat_for(client, namespace, claim);
        let number = seat.number;
        if let Some(server) = &mut self.connections[connection].server {
            server.seats.push(seat);
        }
        match self.setup.server.decides_ms {
            0 => self.decide(connection, number),
            delay => self.schedule(delay, Scheduled::Decided { connection, seat: number }),
        }
    }

    /// The server has decided about a client.
    pub fn decide(&mut self, connection: usize, number: u64) {
        let now = self.now;
        let Some(server) = &mut self.connections[connection].server else { return };
        let Some(seat) = server.seat(number) else { return };
        let (namespace, client) = (seat.namespace, seat.client);
        if self.server.channels[namespace].refuses_until > now {
            server.seats.retain(|seat| seat.number != number);
            self.tally.add(Count::ConnectErrors);
            let start = header("4", 0, namespace, None);
            return self.say(connection, Frame::Text(format!(r#"{start}{{"message":"not now"}}"#)));
        }
        let channel = &self.server.channels[namespace];
        let recovered = seat.claim.as_ref().and_then(|(pid, offset)| {
            let session = self.server.sessions.get(pid)?;
            let is_known = session.namespace == namespace && session.until > now;
            let from = channel.behind(offset, self.setup.server.history)?;
            is_known.then(|| (pid.clone(), session.sid.clone(), from))
        });
        let is_early = self.setup.server.sends_early;
        seat.is_admitted = true;
        let missed = match &recovered {
            Some((pid, sid, from)) => {
                (seat.pid, seat.sid, seat.starts_at) = (Some(pid.clone()), sid.clone(), *from);
                *from..channel.len()
            }
            None => {
                seat.starts_at = if is_early { seat.starts_at } else { channel.len() };
                0..0
            }
        };
        let (sid, pid, starts_at) = (seat.sid.clone(), seat.pid.clone(), seat.starts_at);
        let is_recovered = recovered.is_some();
        self.tally.add(if is_recovered { Count::RecoveredSessions } else { Count::NewSessions });
        self.tally.add_many(Count::MissedEvents, missed.len());
        for place in missed {
            let channel = &self.server.channels[namespace];
            let (text, attachments) = (channel.text(namespace, place, true), channel.events[place].attachments);
            self.say(connection, Frame::Text(text));
            for _ in 0..attachments {
                self.write_down(connection, Downward::Frame(Frame::Binary(attachment(place as u64))));
            }
        }
        let session = match pid {
            Some(pid) => json!({ "sid": sid, "pid": pid }),
            None => json!({ "sid": sid }),
        };
        let start = header("0", 0, namespace, None);
        self.server.admissions.push(Admission { connection, client, sid, is_recovered, starts_at });
        self.say(connection, Frame::Text(format!("{start}{session}")));
    }

    /// The server learns that a connection is gone; it keeps its sessions for a while.
    pub fn server_loses(&mut self, connection: usize, keeps_sessions: bool) {
        let Some(server) = self.connections[connection].server.take() else { return };
        let Some(recovers_ms) = self.setup.server.recovers_ms else { return };
        for seat in server.seats.into_iter().filter(|seat| seat.is_admitted && keeps_sessions) {
            if let Some(pid) = seat.pid {
                let session = Session { namespace: seat.namespace, sid: seat.sid, until: self.now + recovers_ms };
                self.server.sessions.insert(pid, session);
            }
        }
    }

    /// The server stops, forgets everything and starts again.
    pub fn restart(&mut self, ms: u64, is_told: bool) {
        trace!(self, "the server restarts");
        self.tally.add(Count::Restarts);
        for connection in 0..self.connections.len() {
            if self.connections[connection].server.is_none() {
                continue;
            }
            if is_told {
                self.server_closes(connection, 1005);
            } else {
                self.server_loses(connection, false);
                self.cut(connection, u16::MAX, u16::MAX);
            }
        }
        self.server.sessions.clear();
        for channel in &mut self.server.channels {
            channel.kept_from = channel.len();
        }
        self.server.is_down = true;
        self.server.starts += 1;
        let start = self.server.starts;
        self.schedule(ms, Scheduled::ServerStarts { start });
    }

    pub fn server_starts(&mut self, start: u32) {
        if self.server.starts == start {
            self.server.is_down = false;
        }
    }
}

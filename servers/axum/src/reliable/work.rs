//! Messages, processed: effects, `last` and events in one transaction.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{
    changes::Change,
    clients,
    context::Context,
    event::{Author, Event},
    ledger::Ledger,
    members, processed, receipts,
    sequence::Sequence,
    streams::{USER_STREAM, client_stream},
};
use crate::{
    action::Action,
    bus::Durability,
    connection::Connection,
    database::{Database, Result},
    ending::Ending,
    hub::Audience,
    metrics::{self, Arrival, Note},
    outgoing::Outgoing,
    refusal::Refusal,
    room::Room,
};

/// A message with a sequence number, whose turn it is.
pub struct Work {
    pub from: Arc<Connection>,
    pub source: Source,
    /// Its type, if it has one.
    pub kind: Option<String>,
    /// The payload as JSON, where processed messages are written down.
    pub data: Option<String>,
    pub arrival: Arrival,
    /// What it does, or why it may not.
    pub action: std::result::Result<Action, Refusal>,
}

/// Where a message comes from.
#[derive(Clone)]
pub struct Source {
    pub client_id: Arc<str>,
    pub sequence: Sequence,
}

/// The result of a message, or why it was refused.
pub type Outcome = std::result::Result<Map<String, Value>, Refusal>;

impl Ledger {
    /// Processes a message and acknowledges it.
    pub fn process(&mut self, database: &Database, work: Work) -> Result<()> {
        let Work { from, source, kind, data, arrival, action } = work;
        let Source { client_id, sequence } = &source;
        if !self.take(database, &from, client_id, *sequence)? {
            from.window.add_permits(1);
            return Ok(());
        }
        let movement = action.as_ref().ok().and_then(Action::movement);
        let outcome = match action {
            Ok(action) => self.attempt(database, &from, &source, action)?,
            Err(refusal) => Err(refusal),
        };
        let refused = outcome.as_ref().err().map(|refusal| refusal.code);
        let movement = movement.filter(|movement| movement.has_happened(&self.hub, &from));
        if let Some(data) = data {
            let kind = kind.as_deref().unwrap_or("malformed");
            processed::note(database, &from.user, client_id, sequence.seq, (kind, &data), refused)?;
        }
        if let Some(code) = refused {
            self.metrics.error(code);
        }
        let answer = match outcome {
            Ok(result) => {
                sequence.request.then(|| Event::new("reply", &json!({ "seq": sequence.seq, "result": result })))
            }
            Err(refusal) => {
                let mut data = refusal.data(kind.as_deref());
                data["seq"] = sequence.seq.into();
                Some(Event::new("error", &data))
            }
        };
        match answer {
            // Someone waits for the answer, so it must survive the connection.
            Some(answer) if sequence.request => {
                self.append(database, &from.user, &client_stream(client_id), &answer, None)?;
            }
            Some(answer) => self.outbox.frame(&from, answer.plain(), None),
            None => {}
        }
        self.outbox.ack(&from, sequence.seq, 1);
        let outcome = refused.map_or(metrics::Outcome::Processed, metrics::Outcome::Refused);
        self.notes.push(Note { from, kind, seq: sequence.seq, arrival, outcome, movement });
        Ok(())
    }

    /// Whether a message is processed now: the rows decide. Where it is not, its connection is told why.
    fn take(
        &mut self,
        database: &Database,
        from: &Arc<Connection>,
        client_id: &Arc<str>,
        sequence: Sequence,
    ) -> Result<bool> {
        // After a failed transaction all start over, although the rows still name them.
        if !self.owns(from, client_id) {
            return Ok(false);
        }
        let owner = self.owner_name(from);
        if clients::take(database, &from.user, client_id, sequence, &owner)? {
            return Ok(true);
        }
        match clients::last(database, &from.user, client_id, &owner)? {
            Some(last) if sequence.seq <= last => self.outbox.ack(from, last, 0),
            Some(_) => drop(from.end(Ending::close(4409, "a message is missing"))),
            None => {
                self.fence(from, client_id);
                // What the message has changed in memory, before it was its turn, is not so.
                self.read_memberships(database, &from.user)?;
            }
        }
        Ok(false)
    }

    /// Acknowledges again what is processed, in answer to a message.
    pub fn acknowledge(&mut self, from: &Arc<Connection>, client_id: &Arc<str>, last: u64) {
        if self.owns(from, client_id) {
            self.outbox.ack(from, last, 1);
        } else {
            from.window.add_permits(1);
        }
    }

    /// Carries out what a message does. Direct answers go to its connection, unless they are the result of a request.
    pub fn perform(
        &mut self,
        database: &Database,
        from: &Arc<Connection>,
        source: Option<&Source>,
        action: Action,
    ) -> Result<Outcome> {
        let request = source.is_some_and(|source| source.sequence.request);
        let user = &from.user;
        match action {
            Action::Done => {}
            Action::Answer { kind, data } => {
                if !request {
                    self.outbox.frame(from, Event::new(kind, &data).plain(), None);
                }
                return Ok(Ok(serde_json::from_str(data.get()).unwrap_or_default()));
            }
            Action::Join { room, answer } => {
                self.join(database, from, source, &room)?;
                if let Some(answer) = answer {
                    self.outbox.frame(from, answer, None);
                }
            }
            Action::Leave { room } => {
                self.leave(database, from, source, &room)?;
            }
            Action::Publish { room, kind, data } => {
                let audience = self.hub.audience(&room, Some(from.id));
                let origin = match source {
                    Some(Source { client_id, sequence }) if audience.has_others(user) => {
                        Some(receipts::note(database, user, client_id, sequence.seq, None)?)
                    }
                    _ => None,
                };
                let event = Event::new(kind, &data).from(self.author(from, source));
                self.publish(database, &audience, &event, origin, Some(user))?;
            }
            Action::IfJoinedBefore { room, action, otherwise } => {
                if members::has_joined(database, user, &room)? {
                    return self.perform(database, from, source, *action);
                }
                return Ok(Err(otherwise));
            }
            Action::Effect(effect) => {
                let mut transaction = Context::of_message(database, self, from, source);
                return effect(&mut transaction);
            }
        }
        Ok(Ok(Map::new()))
    }

    /// A membership that outlasts the connection belongs to the client id that has joined; without one it does not.
    pub(super) fn join(
        &mut self,
        database: &Database,
        from: &Arc<Connection>,
        source: Option<&Source>,
        room: &Room,
    ) -> Result<()> {
        if !self.hub.is_streamed(&from.user) {
            return Ok(());
        }
        let client_id = self.client_of(from, source);
        let Some(client_id) = client_id else { return members::allow(database, &from.user, room) };
        members::join(database, &from.user, &client_id, room, &self.owner_name(from))?;
        if self.hub.is_stored(&from.user, room) {
            Ok(())
        } else {
            self.memberships_changed(database, &from.user, &Change::Memberships)
        }
    }

    /// A client has left a room. Its user has with the last of their clients that are connected and have joined it.
    pub(super) fn leave(
        &mut self,
        database: &Database,
        from: &Arc<Connection>,
        source: Option<&Source>,
        room: &Room,
    ) -> Result<()> {
        let user = &from.user;
        if !self.hub.is_streamed(user) {
            return Ok(());
        }
        if !self.hub.others_have_joined_after(&self.moves, from, room)
            && !self.others_have_joined(database, from, source, room)?
        {
            return self.remove(database, user, room);
        }
        let client_id = self.client_of(from, source);
        let Some(client_id) = client_id else { return Ok(()) };
        members::leave_client(database, user, &client_id, room, &self.owner_name(from))?;
        self.memberships_changed(database, user, &Change::Memberships)
    }

    /// The client that a message is from, if its connection has said `hello`.
    fn client_of(&self, from: &Connection, source: Option<&Source>) -> Option<Arc<str>> {
        source.map(|source| source.client_id.clone()).or_else(|| self.client_id_of(from))
    }

    /// Whether another client of a user has joined a room on the connection that it has now, to this process or another.
    fn others_have_joined(
        &self,
        database: &Database,
        from: &Connection,
        source: Option<&Source>,
        room: &Room,
    ) -> Result<bool> {
        let user = &from.user;
        let client_id = self.client_of(from, source);
        let joined = members::joined_by(database, user, room, self.clients_seen_since())?;
        if joined.is_empty() {
            return Ok(false);
        }
        let own = self.owner_name(from);
        let here: Vec<String> =
            self.hub.connections(Some(user)).iter().map(|connection| self.owner_name(connection)).collect();
        Ok(joined.iter().any(|(other, owner)| {
            let is_another = client_id.as_deref() != Some(other) && *owner != own;
            is_another && (!self.is_ours(owner) || here.contains(owner))
        }))
    }

    /// A user has left a room, which ends what is stored of it.
    pub(super) fn remove(&mut self, database: &Database, user: &Arc<str>, room: &Room) -> Result<()> {
        if self.hub.is_streamed(user) {
            members::leave(database, user, room)?;
            self.memberships_changed(database, user, &Change::Left(room.clone()))?;
        }
        Ok(())
    }

    /// Whose message it is.
    pub(super) fn author(&self, from: &Arc<Connection>, source: Option<&Source>) -> Author {
        Author {
            connection: from.clone(),
            client_id: source.map(|source| source.client_id.clone()).or_else(|| self.client_id_of(from)),
            seq: source.map(|source| source.sequence.seq),
        }
    }

    /// Gives an event to an audience: stored for those who have a stream, at once for the others. `author` is the user
    /// whose own connections are no news of delivery. Says how many connections get it at once.
    pub fn publish(
        &mut self,
        database: &Database,
        audience: &Audience,
        event: &Event,
        origin: Option<i64>,
        author: Option<&str>,
    ) -> Result<usize> {
        let mut delivered = audience.plain.len();
        let origin_for = |user: &str| origin.filter(|_| author != Some(user));
        for user in &audience.streamed {
            if let Some(author) = event.author_of(user)
                && !self.has_other_devices(database, author)?
            {
                continue;
            }
            delivered += self.append(database, user, USER_STREAM, event, origin_for(user))?;
        }
        if !audience.plain.is_empty() {
            let frame: Outgoing = event.plain();
            for connection in &audience.plain {
                self.outbox.frame(connection, frame.clone(), origin_for(&connection.user));
            }
        }
        if let (Some(bus), Some(to)) = (self.hub.bus(), &audience.elsewhere) {
            let (bus, to, kind, frame) = (bus.clone(), to.clone(), event.kind().to_owned(), event.plain());
            self.outbox.after(move || bus.tell(to, &kind, &frame, Durability::Stored));
        }
        Ok(delivered)
    }
}

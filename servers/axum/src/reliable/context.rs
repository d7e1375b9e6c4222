//! What can be done in a transaction.

use std::sync::Arc;

use serde::Serialize;

use super::{
    changes::{self, Change},
    event::{Event, transient_frame},
    ledger::Ledger,
    members,
    receipts::{self, Status},
    work::Source,
};
use crate::{
    connection::Connection,
    database::{Database, DatabaseError, Result},
    hub::{Audience, Hub},
    memberships::Move,
    refusal::Refuse,
    room::{NAME_TOO_LONG, Room},
};

/// What a handler is given: the transaction of a message, which makes it processed. Or a transaction of the application's own.
///
/// What is done here happens with the commit, or not at all. Connections get what is for them after the commit, in the order in which it
/// was put here.
pub struct Context<'a> {
    database: &'a Database,
    ledger: &'a mut Ledger,
    from: Option<&'a Arc<Connection>>,
    source: Option<&'a Source>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(database: &'a Database, ledger: &'a mut Ledger) -> Self {
        Self { database, ledger, from: None, source: None }
    }

    pub(crate) fn of_message(
        database: &'a Database,
        ledger: &'a mut Ledger,
        from: &'a Arc<Connection>,
        source: Option<&'a Source>,
    ) -> Self {
        Self { database, ledger, from: Some(from), source }
    }

    /// Whose message it is; empty in a transaction of the application's own.
    #[must_use]
    pub fn user(&self) -> &'a str {
        self.from.map_or("", |from| &from.user)
    }

    /// The database, for statements of the application's own. What is done here is undone if the message is refused.
    #[must_use]
    pub fn db(&self) -> &'a Database {
        self.database
    }

    /// Who is connected, and where. Rooms are joined and left there after the commit: what this transaction has done to them is told by
    /// [`Context::members`], [`Context::joined`] and [`Context::audience_of_room`].
    #[must_use]
    pub fn hub(&self) -> &Hub {
        self.ledger.hub()
    }

    /// The number of the message, if it has one.
    #[must_use]
    pub fn seq(&self) -> Option<u64> {
        self.source.map(|source| source.sequence.seq)
    }

    /// The client id that the message is from, once its connection has said `hello`.
    #[must_use]
    pub fn client_id(&self) -> Option<Arc<str>> {
        match self.source {
            Some(source) => Some(source.client_id.clone()),
            None => self.from.and_then(|from| self.ledger.client_id_of(from)),
        }
    }

    /// Whether the sender waits for a reply.
    #[must_use]
    pub fn request(&self) -> bool {
        self.source.is_some_and(|source| source.sequence.request)
    }

    /// An event of the message's author. Their own connection, which sent it, is left out of its audience; their others can tell from its
    /// `client_id` and `seq` whose it is.
    #[must_use]
    pub fn event_of_author(&self, kind: &str, data: &impl Serialize) -> Event {
        let event = Event::new(kind, data);
        match self.from {
            Some(from) => event.from(self.ledger.author(from, self.source)),
            None => event,
        }
    }

    /// Who gets an event that is for a user.
    #[must_use]
    pub fn audience_of_user(&self, user: &str) -> Audience {
        self.hub().audience_of_user(user)
    }

    /// Who gets an event of a room: everyone who is in it, except for the connection that the message comes from.
    #[must_use]
    pub fn audience_of_room(&self, room: &Room) -> Audience {
        self.hub().audience_after(&self.ledger.moves, room, self.from.map(|from| from.id))
    }

    /// Stores an event for a user, who gets it exactly once, on every device, also when they come later. Users who have never said
    /// `hello` get it if they are connected.
    ///
    /// # Errors
    /// Those of the database.
    pub fn publish(&mut self, user: &str, kind: &str, data: &impl Serialize) -> Result<()> {
        let audience = self.audience_of_user(user);
        self.publish_to(&audience, &Event::new(kind, data), None).map(drop)
    }

    /// The same for everyone in a room, the sender's other devices included; not for the connection that has sent the message. The sender
    /// gets a receipt when it has reached another user.
    ///
    /// # Errors
    /// Those of the database.
    pub fn publish_to_room(&mut self, room: &Room, kind: &str, data: &impl Serialize) -> Result<()> {
        let audience = self.audience_of_room(room);
        let event = self.event_of_author(kind, data);
        let origin = match self.from {
            Some(from) if audience.has_others(&from.user) => self.origin(None)?,
            _ => None,
        };
        self.publish_to(&audience, &event, origin).map(drop)
    }

    /// Gives an event to an audience, unless no client could take it for an event: stored for those who have a stream, at once for the others. With the `origin` of a message its sender
    /// is told when the first other user has got it. Says how many connections get it at once.
    ///
    /// # Errors
    /// Those of the database.
    pub fn publish_to(&mut self, audience: &Audience, event: &Event, origin: Option<Origin>) -> Result<usize> {
        if let Some(flaw) = event.flaw() {
            return Err(DatabaseError::Application(flaw));
        }
        let author = origin.and(self.from).map(|from| from.user.clone());
        self.ledger.publish(self.database, audience, event, origin.map(|origin| origin.0), author.as_deref())
    }

    /// Remembers the message for receipts; with its room and its id there, for those that say that it was read. `None` for a message without
    /// a number, which has no receipts.
    ///
    /// # Errors
    /// Those of the database.
    pub fn origin(&mut self, stored: Option<(&Room, i64)>) -> Result<Option<Origin>> {
        let (Some(from), Some(Source { client_id, sequence })) = (self.from, self.source) else { return Ok(None) };
        if stored.is_some_and(|(room, _)| room.is_too_long()) {
            return Err(DatabaseError::Application(NAME_TOO_LONG));
        }
        let stored = stored.map(|(room, id)| (room.as_str(), id));
        receipts::note(self.database, &from.user, client_id, sequence.seq, stored).map(|id| Some(Origin(id)))
    }

    /// A user has read a message of a room, and all of the others' before it: tells their senders.
    ///
    /// # Errors
    /// Those of the database.
    pub fn read(&mut self, room: &Room, reader: &str, message_id: i64) -> Result<()> {
        for sent in receipts::read(self.database, room.as_str(), reader, message_id)? {
            self.ledger.receipt(self.database, &sent, Status::Read)?;
        }
        Ok(())
    }

    /// Sends an event to the connection of the message, at most once.
    pub fn answer(&mut self, kind: &str, data: &impl Serialize) {
        if let Some(from) = self.from {
            let Some(event) = transient_frame(kind, data) else { return };
            self.ledger.outbox.frame(from, event, None);
        }
    }

    /// Sends an event to the connections that a user has when the transaction is on the disk, at most once. `echo` says whether the
    /// connection of the message is among them.
    pub fn tell(&mut self, user: &str, kind: &str, data: &impl Serialize, echo: bool) {
        let Some(frame) = transient_frame(kind, data) else { return };
        let hub = self.ledger.hub.clone();
        let (user, kind) = (user.to_owned(), kind.to_owned());
        let except = self.from.filter(|_| !echo).map(|from| from.id);
        self.ledger.outbox.after(move || {
            hub.tell_user(&user, except, &kind, &frame);
        });
    }

    /// The same for everyone who is in a room then.
    pub fn tell_room(&mut self, room: &Room, kind: &str, data: &impl Serialize, echo: bool) {
        let Some(frame) = transient_frame(kind, data) else { return };
        let hub = self.ledger.hub.clone();
        let (room, kind) = (room.clone(), kind.to_owned());
        let except = self.from.filter(|_| !echo).map(|from| from.id);
        self.ledger.outbox.after(move || {
            hub.tell_room(&room, except, &kind, &frame);
        });
    }

    /// Runs a closure after the commit, once, if this process lives. It is run on the thread of the database, so what takes its time
    /// is spawned: `tokio::spawn` works there, on the runtime that the server was started on.
    pub fn after_commit(&mut self, then: impl FnOnce() + Send + 'static) {
        self.ledger.outbox.after(then);
    }

    /// The sender of the message is in a room from now on, also while they are away.
    ///
    /// # Errors
    /// They are in too many, its name is too long, or those of the database.
    pub fn join(&mut self, room: &Room) -> std::result::Result<(), Refuse> {
        let Some(from) = self.from else { return Ok(()) };
        if room.is_too_long() {
            return Err(Refuse::saying("malformed", NAME_TOO_LONG));
        }
        self.hub().check_room_after(&self.ledger.moves, &from.user, room)?;
        self.ledger.moves.push(&from.user, room, Move::Joined(Some(from.id)));
        Ok(self.ledger.join(self.database, from, self.source, room)?)
    }

    /// The client of the message is no longer in a room. Its user is as long as another client of theirs that is connected has joined it.
    ///
    /// # Errors
    /// Those of the database.
    pub fn leave(&mut self, room: &Room) -> Result<()> {
        let Some(from) = self.from else { return Ok(()) };
        self.ledger.moves.push(&from.user, room, Move::Left(from.id));
        self.ledger.leave(self.database, from, self.source, room)
    }

    /// A user is no longer in a room, on any of their devices.
    ///
    /// # Errors
    /// Those of the database.
    pub fn remove(&mut self, user: &Arc<str>, room: &Room) -> Result<()> {
        self.ledger.moves.push(user, room, Move::Expelled);
        self.ledger.remove(self.database, user, room)
    }

    /// Users whom events of a room are for, whether or not they are connected.
    #[must_use]
    pub fn members(&self, room: &Room) -> Vec<Arc<str>> {
        self.hub().members_after(&self.ledger.moves, room)
    }

    /// Lets other processes know that there is something new in the application's own tables: their [`Store::others_have_stored`](crate::Store::others_have_stored) is
    /// done soon after the commit.
    ///
    /// # Errors
    /// Those of the database.
    pub fn announce(&self) -> Result<()> {
        changes::note(self.database, "", &Change::Memberships)
    }

    /// Whether the message may go to a room: one with a number if the user has joined it ever and not left, another if they have
    /// since they were last without a connection.
    ///
    /// # Errors
    /// Those of the database.
    pub fn joined(&self, room: &Room) -> Result<bool> {
        let Some(from) = self.from else { return Ok(false) };
        if self.hub().is_member_after(&self.ledger.moves, &from.user, room) {
            return Ok(true);
        }
        if self.source.is_none() {
            return Ok(false);
        }
        members::has_joined(self.database, &from.user, room)
    }
}

/// A message for which receipts may come.
#[derive(Clone, Copy, Debug)]
pub struct Origin(i64);

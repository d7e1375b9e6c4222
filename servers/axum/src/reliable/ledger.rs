//! Who is subscribed to which stream, and how far along: what the database's thread keeps in memory.

use std::{collections::HashMap, sync::Arc, time::Instant};

use super::{
    attempt::Advance,
    changes::{self, Change},
    clients,
    event::{Author, Event},
    members,
    outbox::Outbox,
    receipts::{self, Status, Told},
    sequence::MAX_NUMBER,
    streams::{self, Kept, USER_STREAM, client_stream},
};
use crate::{
    clock,
    connection::Connection,
    database::{Database, DatabaseError, Highest, Result},
    ending::Ending,
    hub::Hub,
    memberships::Moves,
    metrics::{Metrics, Note},
    outgoing::Outgoing,
    store::StoreError,
};

/// What the reliable mode keeps, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Events of streams.
    pub kept: Kept,
    /// Age of events, and of messages that receipts may come for.
    pub event_age_ms: i64,
    /// Time since a client was seen.
    pub client_age_ms: i64,
    /// An epoch to begin, in place of the stored one.
    pub epoch: Option<u64>,
    /// Bytes of a message, which clients are told.
    pub max_message_bytes: u64,
}

/// The memory of the reliable mode. Only the database's thread has it.
pub struct Ledger {
    pub(super) hub: Arc<Hub>,
    pub(super) metrics: Arc<dyn Metrics>,
    pub(super) bounds: Bounds,
    pub(super) epoch: u64,
    /// Names this process in the rows of the database.
    process: String,
    /// What of the rows that other processes may write is in memory; nothing before the first transaction.
    pub(super) known: Option<Highest>,
    pub(super) database_version: i64,
    /// The connections of this process that may send under a client id. The database knows better: see [`clients::take`].
    pub(super) owners: HashMap<(Arc<str>, Arc<str>), Arc<Connection>>,
    /// Connections that have said hello, by user.
    pub(super) subscribers: HashMap<Arc<str>, Vec<Subscriber>>,
    pub(super) outbox: Outbox,
    /// What is to be told once the transaction is on the disk.
    pub(super) notes: Vec<Note>,
    /// Messages whose events have been handed to a connection since the last transaction.
    pub(super) handed: Vec<i64>,
    /// What the effects of the message in work have moved, in order, while there is one.
    pub(super) advances: Option<Vec<Advance>>,
    /// What the transaction has done to memberships in rooms.
    pub(super) moves: Moves,
    /// Whether more may wait in the database to be moved to streams.
    pub(super) relays_more: bool,
    /// Messages whose statements have ended a transaction, with that of others: refused when they come again.
    pub(super) ruinous: Vec<(Arc<str>, Arc<str>, u64)>,
    failed: bool,
}

/// A connection that has said hello.
pub struct Subscriber {
    pub connection: Arc<Connection>,
    pub client_id: Arc<str>,
    pub streams: Vec<Subscription>,
    /// When it said hello last.
    pub since: Instant,
    /// Whether its client has had the time to join again what it wants to be in.
    pub has_rejoined: bool,
}

/// A stream that a connection carries, and how far it is.
pub struct Subscription {
    pub name: Box<str>,
    pub position: u64,
    /// It gets events from the history, and not yet as they happen.
    pub behind: bool,
}

impl Ledger {
    pub fn new(hub: Arc<Hub>, metrics: Arc<dyn Metrics>, bounds: Bounds) -> Self {
        Self {
            hub,
            metrics,
            bounds,
            epoch: 0,
            process: String::new(),
            known: None,
            database_version: 0,
            owners: HashMap::new(),
            subscribers: HashMap::new(),
            outbox: Outbox::default(),
            notes: Vec::new(),
            handed: Vec::new(),
            advances: None,
            moves: Moves::default(),
            relays_more: false,
            ruinous: Vec::new(),
            failed: false,
        }
    }

    /// Reads the epoch; begins one with a new database, or a higher one if the application wants that.
    pub fn load(&mut self, database: &Database, process: u64) -> std::result::Result<(), StoreError> {
        self.process = format!("{process:016x}");
        let now = clock::epoch_ms().max(1);
        let is_new = database.execute("UPDATE everwire_memory SET epoch = ?1 WHERE epoch = 0", &[&now])? > 0;
        let stored: Option<i64> = database.query_row("SELECT epoch FROM everwire_memory", &[], |row| row.get(0))?;
        let stored = stored.ok_or(DatabaseError::Failed("everwire_memory has no row"))?;
        // One that no client could read is one that none has believed.
        let stored = readable(stored).ok_or(StoreError::EpochOutOfRange { given: None });
        self.epoch = match self.bounds.epoch {
            Some(given) => {
                let epoch = i64::try_from(given).ok().filter(|epoch| readable(*epoch).is_some());
                let epoch = epoch.ok_or(StoreError::EpochOutOfRange { given: Some(given) })?;
                // A database that is new has begun none that a client could know.
                if let Ok(stored) = stored
                    && given < stored
                    && !is_new
                {
                    return Err(StoreError::LowEpoch { stored });
                }
                database.execute("UPDATE everwire_memory SET epoch = ?1", &[&epoch])?;
                given
            }
            None => stored?,
        };
        self.look(database)?;
        Ok(self.relay(database)?)
    }

    /// Who is where, as the database has it within a transaction.
    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// A connection of this process in the rows of the database.
    pub(super) fn owner_name(&self, connection: &Connection) -> String {
        format!("{}-{}", self.process, connection.id)
    }

    /// Whether it is one of this process.
    pub(super) fn is_ours(&self, owner: &str) -> bool {
        owner.starts_with(&self.process)
    }

    /// Stores an event in a stream, for its subscribers to get after the commit. Says how many get it at once.
    pub fn append(
        &mut self,
        database: &Database,
        user: &str,
        name: &str,
        event: &Event,
        origin: Option<i64>,
    ) -> Result<usize> {
        let head = event.head_for(user);
        let parts = (event.kind(), &*head);
        let appended = streams::append(database, user, name, parts, origin, self.bounds.kept)?;
        let frame = Outgoing::text(event.kind(), appended.frame);
        let mut delivered = 0;
        for subscriber in self.subscribers.get_mut(user).into_iter().flatten() {
            let Some(subscription) = subscriber.streams.iter_mut().find(|subscription| &*subscription.name == name)
            else {
                continue;
            };
            if subscription.behind {
                continue;
            }
            delivered += 1;
            if let Some(advances) = &mut self.advances {
                advances.push(Advance::from(&subscriber.connection, name, subscription.position, subscription.behind));
            }
            // A stream may have been forgotten and have begun again since.
            if subscription.position == appended.before && self.outbox.has_room(&subscriber.connection, &frame) {
                subscription.position = appended.offset;
                self.outbox.frame(&subscriber.connection, frame.clone(), origin);
            } else {
                subscription.behind = true;
                self.outbox.catch_up(&subscriber.connection);
            }
        }
        if name == USER_STREAM {
            for connection in self.hub.connections(Some(user)) {
                if !connection.has_said_hello() && !event.is_from(&connection) {
                    delivered += 1;
                    self.outbox.frame(&connection, frame.clone(), origin);
                }
            }
        }
        Ok(delivered)
    }

    /// Tells a client that its message was delivered or read.
    pub(super) fn receipt(&mut self, database: &Database, sent: &Told, status: Status) -> Result<()> {
        let event = Event::new("receipt", &serde_json::json!({ "seq": sent.seq, "status": status.as_str() }));
        self.append(database, &sent.user, &client_stream(&sent.client_id), &event, None).map(drop)
    }

    /// Whether something is left to be stored although no job asks for it.
    pub fn has_chores(&self) -> bool {
        !self.handed.is_empty() || self.relays_more
    }

    /// Stores it.
    pub fn do_chores(&mut self, database: &Database) -> Result<()> {
        if self.relays_more {
            self.relay(database)?;
        }
        let handed = std::mem::take(&mut self.handed);
        if handed.is_empty() {
            return Ok(());
        }
        for told in receipts::delivered(database, &handed)? {
            self.receipt(database, &told, Status::Delivered)?;
        }
        Ok(())
    }

    /// A connection has ended.
    pub fn gone(&mut self, database: &Database, connection: &Connection) -> Result<()> {
        let Some(subscribers) = self.subscribers.get_mut(&connection.user) else { return Ok(()) };
        let Some(index) = subscribers.iter().position(|subscriber| subscriber.connection.id == connection.id) else {
            return Ok(());
        };
        let subscriber = subscribers.swap_remove(index);
        if subscribers.is_empty() {
            self.subscribers.remove(&connection.user);
        }
        self.disown(database, &subscriber.connection, &subscriber.client_id)
    }

    /// Whether a user has anything but the connection that an event comes from: another connection, or a client id that may come back.
    pub(super) fn has_other_devices(&self, database: &Database, author: &Author) -> Result<bool> {
        let user = &author.connection.user;
        Ok(self.hub.connections(Some(user)).len() > 1
            || clients::has_others(database, user, author.client_id.as_deref().unwrap_or_default())?)
    }

    /// The client id that a connection has said hello with last.
    pub(super) fn client_id_of(&self, connection: &Connection) -> Option<Arc<str>> {
        let subscribers = self.subscribers.get(&connection.user)?;
        let subscriber = subscribers.iter().find(|subscriber| subscriber.connection.id == connection.id)?;
        Some(subscriber.client_id.clone())
    }

    /// Whether a connection is the one that may send under a client id.
    pub(super) fn owns(&self, connection: &Connection, client_id: &Arc<str>) -> bool {
        let owner = self.owners.get(&(connection.user.clone(), client_id.clone()));
        owner.is_some_and(|owner| owner.id == connection.id)
    }

    /// A connection no longer sends under a client id.
    pub(super) fn disown(&mut self, database: &Database, connection: &Connection, client_id: &Arc<str>) -> Result<()> {
        if self.owns(connection, client_id) {
            self.owners.remove(&(connection.user.clone(), client_id.clone()));
        }
        let owner = self.owner_name(connection);
        clients::disown(database, &connection.user, client_id, &owner, clock::epoch_ms())
    }

    /// Another connection has taken over: this one sends no more, and is told so.
    pub(super) fn fence(&mut self, connection: &Connection, client_id: &Arc<str>) {
        if self.owns(connection, client_id) {
            self.owners.remove(&(connection.user.clone(), client_id.clone()));
        }
        self.hub.forget_joins(connection);
        connection.end(Ending::close(4410, "another connection uses this client id"));
    }

    /// Brings the memory of a user's memberships up to what is stored, and lets other processes know.
    pub(super) fn memberships_changed(&mut self, database: &Database, user: &Arc<str>, change: &Change) -> Result<()> {
        changes::note(database, user, change)?;
        self.read_memberships(database, user)
    }

    pub(super) fn read_memberships(&self, database: &Database, user: &Arc<str>) -> Result<()> {
        let rooms = if clients::exist(database, user)? { Some(members::rooms(database, user)?) } else { None };
        self.hub.set_stored(user, rooms);
        Ok(())
    }

    /// A job could not be carried out to its end, so its transaction must not be either.
    pub fn fail(&mut self) {
        self.failed = true;
    }

    pub fn has_failed(&self) -> bool {
        self.failed
    }

    /// The transaction is on the disk. What it has stored is no news to this process.
    pub fn committed(&mut self, highest: Highest) {
        let has_stored = self.known.replace(highest) != Some(highest);
        // First, because what is told to a room goes to those who are in it now.
        self.hub.apply(&mut self.moves);
        self.outbox.deliver(&mut self.handed);
        if let Some(bus) = self.hub.bus().filter(|_| has_stored) {
            bus.wake();
        }
        for note in self.notes.drain(..) {
            note.tell(&*self.metrics);
        }
    }

    /// The transaction is not on the disk, and memory may be ahead of it: all start over, after this.
    pub fn rolled_back(&mut self, ending: &Ending) {
        self.failed = false;
        self.known = None;
        self.notes.clear();
        self.moves.take();
        self.outbox.fail(ending);
        self.owners.clear();
        for subscriber in self.subscribers.drain().flat_map(|(_, subscribers)| subscribers) {
            subscriber.connection.end(ending.clone());
            // Its task may be waiting for messages that will not be processed.
            subscriber.connection.window.close();
        }
    }
}

/// An epoch as clients read it, if they can.
fn readable(epoch: i64) -> Option<u64> {
    u64::try_from(epoch).ok().filter(|epoch| (1..=MAX_NUMBER).contains(epoch))
}

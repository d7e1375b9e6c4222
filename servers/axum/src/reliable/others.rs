//! What other processes have stored in the same database.
//!
//! A process looks at the beginning of each transaction, so that within it memory and database agree: no other process can write
//! meanwhile. Between transactions it looks now and then.

use std::{collections::HashSet, sync::Arc};

use super::{
    changes::{self, Change},
    clients,
    ledger::Ledger,
    streams::{self, USER_STREAM},
};
use crate::{
    database::{Database, Result},
    outgoing::Outgoing,
};

impl Ledger {
    /// Whether there may be something to look at, asked between transactions.
    pub fn may_be_behind(&self, database: &Database) -> Result<bool> {
        match self.known {
            Some(known) => database.is_news(self.database_version, known),
            None => Ok(true),
        }
    }

    /// Whether there is, within a transaction.
    pub fn is_behind(&self, database: &Database) -> Result<bool> {
        let Some(known) = self.known else { return Ok(true) };
        Ok(database.version()? != self.database_version
            || database.outbox_waits()
            || database.postgres().is_some() && database.highest()? != known)
    }

    /// Takes up what others have stored since the last time.
    pub fn look(&mut self, database: &Database) -> Result<()> {
        self.database_version = database.version()?;
        let newest = database.highest()?;
        let Some(known) = self.known.replace(newest) else { return self.read_all_memberships(database) };
        match changes::since(database, known)? {
            Some(changes) => {
                for (user, change) in changes {
                    let user = Arc::<str>::from(user);
                    if let Some(postgres) = database.postgres() {
                        postgres.with_cache(|cache| cache.forget_user(&user));
                    }
                    match change {
                        Change::Memberships => self.read_memberships(database, &user)?,
                        Change::Left(room) => {
                            self.hub.expel(&user, &room);
                            self.read_memberships(database, &user)?;
                        }
                        Change::Moved(client_id) => self.may_have_moved(database, user, Arc::from(client_id))?,
                    }
                }
            }
            None => {
                if let Some(postgres) = database.postgres() {
                    postgres.with_cache(|cache| cache.forget_all());
                }
                self.read_all_memberships(database)?;
            }
        }
        if newest.event > known.event {
            self.forward_events(database, known.event)?;
        }
        Ok(())
    }

    fn read_all_memberships(&self, database: &Database) -> Result<()> {
        let users: HashSet<String> = clients::users(database)?.into_iter().collect();
        self.hub.keep_stored(|user| users.contains(user));
        users.iter().try_for_each(|user| self.read_memberships(database, &Arc::from(user.as_str())))
    }

    fn may_have_moved(&mut self, database: &Database, user: Arc<str>, client_id: Arc<str>) -> Result<()> {
        let Some(owner) = self.owners.get(&(user.clone(), client_id.clone())).cloned() else { return Ok(()) };
        if clients::last(database, &user, &client_id, &self.owner_name(&owner))?.is_none() {
            self.fence(&owner, &client_id);
        }
        Ok(())
    }

    /// Connections that carry a stream get its events from the history; others get them as they are.
    fn forward_events(&mut self, database: &Database, known: i64) -> Result<()> {
        for grown in streams::grown(database, known)? {
            if let Some(postgres) = database.postgres() {
                postgres.with_cache(|cache| cache.stream_has_grown(&grown.user, &grown.name, grown.newest));
            }
            for subscriber in self.subscribers.get_mut(grown.user.as_str()).into_iter().flatten() {
                for subscription in
                    subscriber.streams.iter_mut().filter(|subscription| *subscription.name == *grown.name)
                {
                    if !subscription.behind && subscription.position < grown.newest {
                        subscription.behind = true;
                        self.outbox.catch_up(&subscriber.connection);
                    }
                }
            }
            let connections = self.hub.connections(Some(&grown.user));
            let plain: Vec<_> = connections.into_iter().filter(|connection| !connection.has_said_hello()).collect();
            if grown.name == USER_STREAM && !plain.is_empty() {
                let stream = streams::open(database, &grown.user, USER_STREAM)?;
                for event in streams::stored_since(database, stream, known)? {
                    let frame = Outgoing::text(&event.kind, event.frame);
                    for connection in &plain {
                        self.outbox.frame(connection, frame.clone(), event.origin);
                    }
                }
            }
        }
        Ok(())
    }
}

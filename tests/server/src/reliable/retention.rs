//! Forgetting.

use std::{sync::Arc, time::Duration};

use rusqlite::Connection as Database;

use super::{
    clients,
    ledger::Ledger,
    members, receipts,
    streams::{self, USER_STREAM, client_stream},
};
use crate::{clock, hub::Room};

impl Ledger {
    /// Forgets what is old: events, messages that no receipt comes for, and clients that nobody has seen.
    pub fn forget_old(&mut self, database: &Database) -> rusqlite::Result<()> {
        let now = clock::epoch_ms();
        for (user, client_id) in self.owners.keys() {
            clients::seen(database, user, client_id, now)?;
        }
        let event_age = now.saturating_sub(self.bounds.event_age_ms);
        database.execute("DELETE FROM events WHERE stored_at < ?1", [event_age])?;
        receipts::forget(database, event_age)?;
        for (user, client_id) in clients::unseen_since(database, now.saturating_sub(self.bounds.client_age_ms))? {
            self.forget_client(database, &Arc::from(user), &client_id)?;
        }
        Ok(())
    }

    /// Forgets a client, and with a user's last one their events.
    pub(super) fn forget_client(&self, database: &Database, user: &Arc<str>, client_id: &str) -> rusqlite::Result<()> {
        streams::remove(database, user, &client_stream(client_id))?;
        if clients::forget(database, user, client_id)? {
            streams::remove(database, user, USER_STREAM)?;
            members::leave_all(database, user)?;
            self.hub.end_stream(user);
        }
        Ok(())
    }
}

impl Ledger {
    /// Ends the events of rooms that users who have been back for a while have not joined again.
    pub fn end_lapsed_memberships(&mut self, database: &Database) -> rusqlite::Result<()> {
        let lapsed = self.hub.take_lapsed(REJOINING_TIME);
        self.lapse_rooms(database, lapsed)
    }

    pub(super) fn lapse_rooms(&self, database: &Database, rooms: Vec<(Arc<str>, Room)>) -> rusqlite::Result<()> {
        rooms.iter().try_for_each(|(user, room)| members::lapse(database, user, room))
    }
}

/// Forgets a user's events in a stream up to an offset, and says how many.
pub fn forget_events(database: &Database, user: &str, name: &str, upto: u64) -> rusqlite::Result<usize> {
    let stream = streams::open(database, user, name)?;
    streams::forget(database, stream, upto)
}

/// By when a client that has come back has joined the rooms that it wants to be in.
const REJOINING_TIME: Duration = Duration::from_secs(60);

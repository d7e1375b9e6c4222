//! What transactions of the application's own publish. They leave it in a table, with a connection and a driver of their own, and it is moved
//! from there to the streams of its users: both in one transaction, so nothing is lost or comes twice.

use serde_json::value::RawValue;

use super::{context::Context, ledger::Ledger};
use crate::database::{Database, DatabaseError, Result};

/// Publishes an event for a user within whichever transaction it is part of: `user_id`, `type`, and `data`, a JSON object as text. It is
/// the same for SQLite and PostgreSQL.
///
/// The transaction may be one of sqlx, Diesel, `psql`, or another program. Users get the event once when it has committed, and never if it
/// has not: within 50 ms, or at once after [`Wire::look`](crate::Wire::look). Events of one transaction keep their order.
pub const PUBLISH: &str = "INSERT INTO everwire_outbox (user_id, type, data) VALUES ($1, $2, $3)";

impl Ledger {
    /// Moves some of what waits, and notes whether there may be more.
    pub fn relay(&mut self, database: &Database) -> Result<()> {
        if database.postgres().is_some() && !database.outbox_waits() && !self.relays_more {
            return Ok(());
        }
        let mut waiting = database.query(TAKE, &[&BATCH], |row| {
            Ok((row.get::<i64>(0)?, row.get::<String>(1)?, row.get::<String>(2)?, row.get::<String>(3)?))
        })?;
        waiting.sort_unstable_by_key(|(id, ..)| *id);
        self.relays_more = waiting.len() as i64 == BATCH;
        let mut context = Context::new(database, self);
        for (_, user, kind, data) in &waiting {
            let published = match serde_json::from_str::<&RawValue>(data) {
                Ok(data) => context.publish(user, kind, &data),
                Err(_) => Err(DatabaseError::Application("its data is no JSON")),
            };
            match published {
                Err(error) if error.is_of_storage() => return Err(error),
                // The table has checks, so it is not one that this version has made.
                Err(error) => tracing::error!(%error, kind, "a row of everwire_outbox is no event, and is dropped"),
                Ok(()) => {}
            }
        }
        Ok(())
    }
}

const TAKE: &str = "DELETE FROM everwire_outbox WHERE id IN (SELECT id FROM everwire_outbox ORDER BY id LIMIT ?1)
    RETURNING id, user_id, type, data";

/// Moved in one transaction, so that others have their turn.
const BATCH: i64 = 256;

//! What processes that have the same database tell each other: whose memberships have changed, and which client ids have moved.

use rusqlite::{Connection as Database, params};

use crate::clock;

/// How far a process knows what others have stored.
#[derive(Clone, Copy)]
pub struct Known {
    pub event: i64,
    pub change: i64,
}

/// One thing that another process should know.
pub struct Change {
    pub user: String,
    /// The client id that has moved; without one it is the user's memberships that have changed.
    pub client_id: Option<String>,
}

/// Notes a change and returns its id.
pub fn note(database: &Database, user: &str, client_id: Option<&str>) -> rusqlite::Result<i64> {
    database
        .prepare_cached("INSERT INTO changes (changed_at, user_id, client_id) VALUES (?1, ?2, ?3)")?
        .execute(params![clock::epoch_ms(), user, client_id])?;
    Ok(database.last_insert_rowid())
}

/// The last that there were.
pub fn newest(database: &Database) -> rusqlite::Result<Known> {
    let newest = |table: &str| {
        database
            .prepare_cached("SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = ?1), 0)")?
            .query_row([table], |row| row.get(0))
    };
    Ok(Known { event: newest("events")?, change: newest("changes")? })
}

/// The changes since then; `None` if some of them are forgotten.
pub fn since(database: &Database, known: i64) -> rusqlite::Result<Option<Vec<Change>>> {
    let newest = newest(database)?.change;
    let oldest: Option<i64> =
        database.prepare_cached("SELECT MIN(id) FROM changes")?.query_row([], |row| row.get(0))?;
    if newest > known && oldest.is_none_or(|oldest| oldest > known + 1) {
        return Ok(None);
    }
    database
        .prepare_cached("SELECT DISTINCT user_id, client_id FROM changes WHERE id > ?1")?
        .query_map([known], |row| Ok(Change { user: row.get(0)?, client_id: row.get(1)? }))?
        .collect::<rusqlite::Result<_>>()
        .map(Some)
}

/// Forgets changes that every process knows by now; one that was stopped for so long reads everything again.
pub fn forget(database: &Database, before_ms: i64) -> rusqlite::Result<()> {
    database.prepare_cached(FORGET)?.execute([before_ms]).map(drop)
}

pub const FORGET: &str = "DELETE FROM changes WHERE changed_at < ?1";

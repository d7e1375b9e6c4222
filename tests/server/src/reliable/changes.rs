//! What processes that have the same database tell each other: whose memberships have changed, and which client ids have moved.

use rusqlite::{Connection as Database, params};

use super::members;
use crate::{clock, hub::Room};

/// How far a process knows what others have stored.
#[derive(Clone, Copy)]
pub struct Known {
    pub event: i64,
    pub change: i64,
}

/// One thing about a user that another process should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// What is stored of their memberships is not what it was.
    Memberships,
    /// They have left a room, which ends what they have joined on any connection.
    Left(Room),
    /// A client id has moved to another process.
    Moved(String),
}

pub fn note(database: &Database, user: &str, change: &Change) -> rusqlite::Result<()> {
    let (room, client_id) = match change {
        Change::Memberships => (None, None),
        Change::Left(room) => (Some(members::spell(room)), None),
        Change::Moved(client_id) => (None, Some(client_id)),
    };
    database
        .prepare_cached("INSERT INTO changes (changed_at, user_id, room, client_id) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![clock::epoch_ms(), user, room, client_id])
        .map(drop)
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

/// The changes after one, by user and in order; `None` if some of them are forgotten.
pub fn since(database: &Database, known: Known) -> rusqlite::Result<Option<Vec<(String, Change)>>> {
    let oldest: Option<i64> =
        database.prepare_cached("SELECT MIN(id) FROM changes")?.query_row([], |row| row.get(0))?;
    if newest(database)?.change > known.change && oldest.is_none_or(|oldest| oldest > known.change + 1) {
        return Ok(None);
    }
    let mut statement =
        database.prepare_cached("SELECT user_id, room, client_id FROM changes WHERE id > ?1 ORDER BY id")?;
    let changes = statement.query_map([known.change], |row| {
        let change = match (row.get::<_, Option<String>>(1)?, row.get::<_, Option<String>>(2)?) {
            (_, Some(client_id)) => Change::Moved(client_id),
            (Some(room), None) => members::read(&room).map_or(Change::Memberships, Change::Left),
            (None, None) => Change::Memberships,
        };
        Ok((row.get(0)?, change))
    })?;
    changes.collect::<rusqlite::Result<_>>().map(Some)
}

/// Forgets changes that every process knows by now; one that was stopped for so long reads everything again.
pub fn forget(database: &Database, before_ms: i64) -> rusqlite::Result<()> {
    database.prepare_cached(FORGET)?.execute([before_ms]).map(drop)
}

pub const FORGET: &str = "DELETE FROM changes WHERE changed_at < ?1";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database;

    #[test]
    fn who_has_missed_changes_that_are_forgotten_is_told_so() {
        let database = database::open(None).unwrap();
        let begin = newest(&database).unwrap();
        let changes =
            [Change::Memberships, Change::Moved("tab".into()), Change::Left(Room::session("s1"))].map(|change| {
                note(&database, "ada", &change).unwrap();
                ("ada".to_owned(), change)
            });
        assert_eq!(since(&database, begin).unwrap().unwrap(), changes);
        database.execute("DELETE FROM changes WHERE id = 1", []).unwrap();
        assert!(since(&database, begin).unwrap().is_none());
        let later = Known { change: 1, ..begin };
        assert_eq!(since(&database, later).unwrap().unwrap(), changes[1..]);
        forget(&database, i64::MAX).unwrap();
        assert!(since(&database, later).unwrap().is_none());
        assert!(since(&database, newest(&database).unwrap()).unwrap().unwrap().is_empty());
    }
}

//! What processes that have the same database tell each other: whose memberships have changed, and which client ids have moved.

use crate::{
    clock,
    database::{Database, Highest, Result},
    room::Room,
};

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

pub fn note(database: &Database, user: &str, change: &Change) -> Result<()> {
    let (room, client_id) = match change {
        Change::Memberships => (None, None),
        Change::Left(room) => (Some(room.as_str()), None),
        Change::Moved(client_id) => (None, Some(client_id.as_str())),
    };
    database
        .execute(
            "INSERT INTO everwire_changes (changed_at, user_id, room, client_id) VALUES (?1, ?2, ?3, ?4)",
            &[&clock::epoch_ms(), &user, &room, &client_id],
        )
        .map(drop)
}

/// The changes after one, by user and in order; `None` if some of them are forgotten.
pub fn since(database: &Database, known: Highest) -> Result<Option<Vec<(String, Change)>>> {
    let oldest: Option<i64> =
        database.query_row("SELECT MIN(id) FROM everwire_changes", &[], |row| row.get(0))?.flatten();
    if database.highest()?.change > known.change && oldest.is_none_or(|oldest| oldest > known.change + 1) {
        return Ok(None);
    }
    let since = "SELECT user_id, room, client_id FROM everwire_changes WHERE id > ?1 ORDER BY id";
    let changes = database.query(since, &[&known.change], |row| {
        let change = match (row.get::<Option<String>>(1)?, row.get::<Option<String>>(2)?) {
            (_, Some(client_id)) => Change::Moved(client_id),
            (Some(room), None) => Change::Left(Room::new(&room)),
            (None, None) => Change::Memberships,
        };
        Ok((row.get(0)?, change))
    })?;
    Ok(Some(changes))
}

/// Forgets changes that every process knows by now; one that was stopped for so long reads everything again.
pub fn forget(database: &Database, before_ms: i64) -> Result<()> {
    database.execute(FORGET, &[&before_ms]).map(drop)
}

pub const FORGET: &str = "DELETE FROM everwire_changes WHERE changed_at < ?1";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn who_has_missed_changes_that_are_forgotten_is_told_so() {
        let database = testing::database();
        let begin = database.highest().unwrap();
        let changes =
            [Change::Memberships, Change::Moved("tab".into()), Change::Left(Room::new("session:s1"))].map(|change| {
                note(&database, "ada", &change).unwrap();
                ("ada".to_owned(), change)
            });
        assert_eq!(since(&database, begin).unwrap().unwrap(), changes);
        database.execute("DELETE FROM everwire_changes WHERE id = 1", &[]).unwrap();
        assert!(since(&database, begin).unwrap().is_none());
        let later = Highest { change: 1, ..begin };
        assert_eq!(since(&database, later).unwrap().unwrap(), changes[1..]);
        forget(&database, i64::MAX).unwrap();
        assert!(since(&database, later).unwrap().is_none());
        assert!(since(&database, database.highest().unwrap()).unwrap().unwrap().is_empty());
    }
}

//! What is remembered of each client id: how far its messages are processed, which connection may send under it, and when it
//! was last here.
//!
//! The rows decide, not anyone's memory: several processes may have the database.

use super::sequence::Sequence;
use crate::database::{Database, Postgres, Progress, Result, Take};

/// A client id that has said hello.
pub struct Seen {
    pub last: u64,
    /// The connection that owned it until now, and may not know yet that it no longer does.
    pub owner_before: Option<String>,
    /// Whether it is the user's first.
    pub is_first: bool,
    /// Whether it was not known before.
    pub is_new: bool,
}

/// A connection takes over a client id.
pub fn own(database: &Database, user: &str, client_id: &str, owner: &str, now_ms: i64) -> Result<Seen> {
    let is_first = !exist(database, user)?;
    let known = database.query_row(
        "SELECT last, owner FROM everwire_clients WHERE user_id = ?1 AND client_id = ?2",
        &[&user, &client_id],
        |row| Ok((row.get::<i64>(0)?, row.get::<Option<String>>(1)?)),
    )?;
    database.execute(
        "INSERT INTO everwire_clients (user_id, client_id, last, seen_at, owner) VALUES (?1, ?2, 0, ?3, ?4)
         ON CONFLICT (user_id, client_id) DO UPDATE SET seen_at = excluded.seen_at, owner = excluded.owner",
        &[&user, &client_id, &now_ms, &owner],
    )?;
    let is_new = known.is_none();
    let (last, owner_before) = known.unwrap_or_default();
    if let Some(postgres) = database.postgres() {
        let progress = Progress { last: last.cast_unsigned(), owner: Some(owner.to_owned()) };
        postgres.with_cache(|cache| {
            cache.forget_clients(user);
            cache.set_progress(user, client_id, progress);
        });
    }
    Ok(Seen { last: last.cast_unsigned(), owner_before, is_first, is_new })
}

/// Takes the next message of a client, if this connection may send it. This is the one place where it is decided that a message is
/// processed, so it is processed once, whoever has it.
pub fn take(database: &Database, user: &str, client_id: &str, sequence: Sequence, owner: &str) -> Result<bool> {
    if let Some(postgres) = database.postgres() {
        return take_later(postgres, database, (user, client_id), sequence, owner);
    }
    let taken = database.execute(
        "UPDATE everwire_clients SET last = ?3 WHERE user_id = ?1 AND client_id = ?2 AND last = ?4 AND owner = ?5",
        &[&user, &client_id, &sequence.seq.cast_signed(), &sequence.prev.cast_signed(), &owner],
    )?;
    Ok(taken == 1)
}

/// The same where it is written for many messages together. The row is checked again then.
fn take_later(
    postgres: &Postgres,
    database: &Database,
    (user, client_id): (&str, &str),
    sequence: Sequence,
    owner: &str,
) -> Result<bool> {
    let known = match postgres.with_cache(|cache| cache.progress(user, client_id)) {
        Some(progress) => Some(progress),
        None => database.query_row(
            "SELECT last, owner FROM everwire_clients WHERE user_id = ?1 AND client_id = ?2",
            &[&user, &client_id],
            |row| Ok(Progress { last: row.get::<i64>(0)?.cast_unsigned(), owner: row.get(1)? }),
        )?,
    };
    let Some(known) = known else { return Ok(false) };
    let taken = known.owner.as_deref() == Some(owner) && known.last == sequence.prev;
    postgres.with_cache(|cache| {
        cache.set_progress(user, client_id, known);
        if taken {
            cache.advance(user, client_id, sequence.seq);
        }
    });
    if taken {
        let (user, client_id, owner) = (user.to_owned(), client_id.to_owned(), owner.to_owned());
        postgres.take(Take { user, client_id, owner, prev: sequence.prev, seq: sequence.seq });
    }
    Ok(taken)
}

/// How far a client's messages are processed, if this connection owns it.
pub fn last(database: &Database, user: &str, client_id: &str, owner: &str) -> Result<Option<u64>> {
    database.query_row(
        "SELECT last FROM everwire_clients WHERE user_id = ?1 AND client_id = ?2 AND owner = ?3",
        &[&user, &client_id, &owner],
        |row| row.get(0).map(i64::cast_unsigned),
    )
}

/// Notes that a client is still here.
pub fn still_here(database: &Database, user: &str, client_id: &str, owner: &str, now_ms: i64) -> Result<()> {
    database
        .execute(
            "UPDATE everwire_clients SET seen_at = ?4 WHERE user_id = ?1 AND client_id = ?2 AND owner = ?3",
            &[&user, &client_id, &owner, &now_ms],
        )
        .map(drop)
}

/// A connection no longer sends under a client id.
pub fn disown(database: &Database, user: &str, client_id: &str, owner: &str, now_ms: i64) -> Result<()> {
    changed(database, user);
    database
        .execute(
            "UPDATE everwire_clients SET seen_at = ?4, owner = NULL
             WHERE user_id = ?1 AND client_id = ?2 AND owner = ?3",
            &[&user, &client_id, &owner, &now_ms],
        )
        .map(drop)
}

/// Everyone who has said hello and is not forgotten.
pub fn users(database: &Database) -> Result<Vec<String>> {
    database.query("SELECT DISTINCT user_id FROM everwire_clients", &[], |row| row.get(0))
}

/// Whether a user has another client id than this one.
pub fn has_others(database: &Database, user: &str, client_id: &str) -> Result<bool> {
    let postgres = database.postgres();
    if let Some(known) = postgres.and_then(|postgres| postgres.with_cache(|cache| cache.has_others(user, client_id))) {
        return Ok(known);
    }
    let has_others = database.exists(
        "SELECT 1 FROM everwire_clients WHERE user_id = ?1 AND client_id <> ?2 LIMIT 1",
        &[&user, &client_id],
    )?;
    if let Some(postgres) = postgres {
        postgres.with_cache(|cache| cache.set_has_others(user, client_id, has_others));
    }
    Ok(has_others)
}

/// Whether any client of a user is remembered.
pub fn exist(database: &Database, user: &str) -> Result<bool> {
    database.exists("SELECT 1 FROM everwire_clients WHERE user_id = ?1 LIMIT 1", &[&user])
}

/// Some of the clients that nobody has seen since a time.
pub fn unseen_since(database: &Database, time_ms: i64, max: u32) -> Result<Vec<(String, String)>> {
    database.query(UNSEEN, &[&time_ms, &i64::from(max)], |row| Ok((row.get(0)?, row.get(1)?)))
}

pub fn forget(database: &Database, user: &str, client_id: &str) -> Result<()> {
    changed(database, user);
    database
        .execute("DELETE FROM everwire_clients WHERE user_id = ?1 AND client_id = ?2", &[&user, &client_id])
        .map(drop)
}

/// Forgets a client of whom there is nothing to remember: one that has sent no message and is not here.
pub fn forget_unused(database: &Database, user: &str, client_id: &str) -> Result<()> {
    changed(database, user);
    database
        .execute(
            "DELETE FROM everwire_clients WHERE user_id = ?1 AND client_id = ?2 AND last = 0 AND owner IS NULL",
            &[&user, &client_id],
        )
        .map(drop)
}

/// What is known of a user's clients may not be so any more.
fn changed(database: &Database, user: &str) {
    if let Some(postgres) = database.postgres() {
        postgres.with_cache(|cache| cache.forget_clients(user));
    }
}

pub const UNSEEN: &str = "SELECT user_id, client_id FROM everwire_clients WHERE seen_at < ?1 LIMIT ?2";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn a_message_is_taken_once_and_only_by_the_connection_whose_hello_was_last() {
        let database = testing::database();
        let own = |owner| own(&database, "ada", "tab", owner, 7).unwrap();
        let take =
            |seq, prev, owner| take(&database, "ada", "tab", Sequence { seq, prev, request: false }, owner).unwrap();
        assert!(!take(1, 0, "first"));
        let seen = own("first");
        assert_eq!((seen.last, seen.owner_before, seen.is_first), (0, None, true));
        assert!(take(1, 0, "first"));
        assert!(!take(1, 0, "first"));
        assert!(!take(3, 2, "first"));
        let seen = own("second");
        assert_eq!((seen.last, seen.owner_before.as_deref(), seen.is_first), (1, Some("first"), false));
        assert!(!take(2, 1, "first"));
        assert!(take(2, 1, "second"));
        // A connection that has lost the client id cannot give it up either.
        disown(&database, "ada", "tab", "first", 8).unwrap();
        assert_eq!(last(&database, "ada", "tab", "second").unwrap(), Some(2));
        disown(&database, "ada", "tab", "second", 9).unwrap();
        assert!(!take(3, 2, "second"));
    }
}

//! What is remembered of each client id: how far its messages are processed, and when it was last here.

use rusqlite::{Connection as Database, OptionalExtension as _, params};

/// Notes that a client is here, and says how far its messages are processed.
pub fn seen(database: &Database, user: &str, client_id: &str, now_ms: i64) -> rusqlite::Result<u64> {
    database
        .prepare_cached(
            "INSERT INTO clients (user_id, client_id, last, seen_at) VALUES (?1, ?2, 0, ?3)
             ON CONFLICT DO UPDATE SET seen_at = ?3 RETURNING last",
        )?
        .query_row(params![user, client_id, now_ms], |row| row.get::<_, i64>(0))
        .map(i64::cast_unsigned)
}

/// Moves `last` on.
pub fn set_last(database: &Database, user: &str, client_id: &str, last: u64) -> rusqlite::Result<()> {
    database
        .prepare_cached("UPDATE clients SET last = ?3 WHERE user_id = ?1 AND client_id = ?2")?
        .execute(params![user, client_id, last.cast_signed()])
        .map(drop)
}

/// Everyone who has said hello and is not forgotten.
pub fn users(database: &Database) -> rusqlite::Result<Vec<String>> {
    database.prepare("SELECT DISTINCT user_id FROM clients")?.query_map([], |row| row.get(0))?.collect()
}

/// The clients that nobody has seen since a time.
pub fn unseen_since(database: &Database, time_ms: i64) -> rusqlite::Result<Vec<(String, String)>> {
    database
        .prepare("SELECT user_id, client_id FROM clients WHERE seen_at < ?1")?
        .query_map([time_ms], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// The clients of a user beyond the number of those that were seen last.
pub fn surplus(database: &Database, user: &str, max: u32) -> rusqlite::Result<Vec<String>> {
    database
        .prepare_cached("SELECT client_id FROM clients WHERE user_id = ?1 ORDER BY seen_at DESC LIMIT -1 OFFSET ?2")?
        .query_map(params![user, max], |row| row.get(0))?
        .collect()
}

/// Forgets a client, and says whether it was the user's last.
pub fn forget(database: &Database, user: &str, client_id: &str) -> rusqlite::Result<bool> {
    database
        .prepare_cached("DELETE FROM clients WHERE user_id = ?1 AND client_id = ?2")?
        .execute(params![user, client_id])?;
    let other = database
        .prepare_cached("SELECT 1 FROM clients WHERE user_id = ?1 LIMIT 1")?
        .query_row([user], |_| Ok(()))
        .optional()?;
    Ok(other.is_none())
}

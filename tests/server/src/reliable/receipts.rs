//! What has become of a message at other users: delivered, read.

use rusqlite::{Connection as Database, params};

use super::streams::Stream;
use crate::clock;

/// How far a message has come. It moves forward only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Delivered = 1,
    Read = 2,
}

/// A message that a client waits for news of.
#[derive(Debug, PartialEq, Eq)]
pub struct Sent {
    pub user: String,
    pub client_id: String,
    pub seq: u64,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Read => "read",
        }
    }
}

/// Remembers which client sent a message, and for a stored one its match and id.
pub fn note(
    database: &Database,
    user: &str,
    client_id: &str,
    seq: u64,
    stored: Option<(&str, i64)>,
) -> rusqlite::Result<i64> {
    let (match_id, message_id) = stored.unzip();
    database
        .prepare_cached(
            "INSERT INTO sent (user_id, client_id, seq, match_id, message_id, status, sent_at)
             VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6)",
        )?
        .execute(params![user, client_id, seq.cast_signed(), match_id, message_id, clock::epoch_ms()])?;
    Ok(database.last_insert_rowid())
}

/// A message has reached another user; `None` if that is no news.
pub fn delivered(database: &Database, origin: i64) -> rusqlite::Result<Option<Sent>> {
    let mut statement = database.prepare_cached(
        "UPDATE sent SET status = ?2 WHERE id = ?1 AND status < ?2 RETURNING user_id, client_id, seq",
    )?;
    let mut rows = statement.query_map(params![origin, Status::Delivered as i64], sent)?;
    rows.next().transpose()
}

/// A user has read a message of a match and all of the other user's before it; returns those for which that is news.
pub fn read(database: &Database, match_id: &str, reader: &str, message_id: i64) -> rusqlite::Result<Vec<Sent>> {
    let mut read = database
        .prepare_cached(
            "UPDATE sent SET status = ?4
             WHERE match_id = ?1 AND message_id <= ?3 AND user_id <> ?2 AND status < ?4
             RETURNING user_id, client_id, seq",
        )?
        .query_map(params![match_id, reader, message_id, Status::Read as i64], sent)?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    read.sort_by_key(|sent| sent.seq);
    Ok(read)
}

/// Forgets some of the messages that were sent before a time, and says how many.
pub fn forget(database: &Database, before_ms: i64, max: u32) -> rusqlite::Result<usize> {
    database.prepare_cached(FORGET)?.execute(params![before_ms, max])
}

pub const FORGET: &str = "DELETE FROM sent WHERE id IN (SELECT id FROM sent WHERE sent_at < ?1 LIMIT ?2)";

fn sent(row: &rusqlite::Row<'_>) -> rusqlite::Result<Sent> {
    Ok(Sent { user: row.get(0)?, client_id: row.get(1)?, seq: row.get::<_, i64>(2)?.cast_unsigned() })
}

/// The messages behind the last events up to a position whose senders do not know yet that they were delivered.
pub fn waiting(database: &Database, stream: Stream, position: u64) -> rusqlite::Result<Vec<i64>> {
    let mut statement = database.prepare_cached(
        "SELECT sent.id FROM events JOIN sent ON sent.id = events.origin
         WHERE events.stream = ?1 AND events.offset > ?2 AND events.offset <= ?3 AND sent.status = 0",
    )?;
    let (from, to) = (position.saturating_sub(CLAIMED_EVENTS), position);
    statement.query_map(params![stream.id(), from.cast_signed(), to.cast_signed()], |row| row.get(0))?.collect()
}

/// Looking at all of a long history would make every reconnect slow, for news that hardly anyone waits for.
const CLAIMED_EVENTS: u64 = 128;

//! Rows of stored events.

use rusqlite::{Connection as Database, OptionalExtension as _, Row, params};

use crate::clock;

/// The stream that all connections of a user carry. Streams belong to users, so the name is the same for all.
pub const USER_STREAM: &str = "user";

/// A stream as it is at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    id: i64,
    /// The offset of its last event, or the position at which it began.
    pub newest: u64,
}

impl Stream {
    pub fn id(self) -> i64 {
        self.id
    }
}

/// An event from the history.
#[derive(Debug, PartialEq)]
pub struct Stored {
    pub offset: u64,
    pub kind: String,
    pub frame: String,
    /// The row in `sent` of the message that made it, if a client waits for news of it.
    pub origin: Option<i64>,
}

/// The stream of one client id, for replies and receipts.
pub fn client_stream(client_id: &str) -> String {
    format!("client:{client_id}")
}

/// Whether events of a type are stored: not those that are only true for a moment, nor those about a connection.
pub fn is_stored(kind: &str) -> bool {
    !MOMENTARY.contains(&kind)
}

/// Finds a stream, or begins it beyond every offset that a stream of its name may have had: a client that still has a
/// position in that one would take offsets that come again for repetitions.
pub fn open(database: &Database, user: &str, name: &str) -> rusqlite::Result<Stream> {
    let known = database
        .prepare_cached("SELECT id, newest FROM streams WHERE user_id = ?1 AND name = ?2")?
        .query_row(params![user, name], stream)
        .optional()?;
    match known {
        Some(stream) => Ok(stream),
        None => database
            .prepare_cached(
                "INSERT INTO streams (user_id, name, newest)
                 VALUES (?1, ?2, (SELECT MAX(?3, highest_forgotten) FROM memory)) RETURNING id, newest",
            )?
            .query_row(params![user, name, clock::epoch_ms()], stream),
    }
}

fn stream(row: &Row<'_>) -> rusqlite::Result<Stream> {
    Ok(Stream { id: row.get(0)?, newest: row.get::<_, i64>(1)?.cast_unsigned() })
}

/// Stores an event under the next offset, forgets those that are too many, and returns the offset and the frame.
///
/// `head` is the frame's JSON without the closing brace. Names of streams need no escapes.
pub fn append(
    database: &Database,
    user: &str,
    name: &str,
    (kind, head): (&str, &str),
    origin: Option<i64>,
    max_events: u64,
) -> rusqlite::Result<(u64, String)> {
    let stream = open(database, user, name)?;
    let offset = stream.newest + 1;
    let frame = format!(r#"{head},"stream":"{name}","offset":{offset}}}"#);
    database
        .prepare_cached("UPDATE streams SET newest = ?2 WHERE id = ?1")?
        .execute(params![stream.id, offset.cast_signed()])?;
    database
        .prepare_cached(
            "INSERT INTO events (stream, offset, stored_at, type, frame, origin) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![stream.id, offset.cast_signed(), clock::epoch_ms(), kind, frame, origin])?;
    if let Some(too_old) = offset.checked_sub(max_events).filter(|too_old| *too_old > 0) {
        forget(database, stream, too_old)?;
    }
    Ok((offset, frame))
}

/// Forgets events up to an offset.
pub fn forget(database: &Database, stream: Stream, upto: u64) -> rusqlite::Result<usize> {
    database
        .prepare_cached("DELETE FROM events WHERE stream = ?1 AND offset <= ?2")?
        .execute(params![stream.id, i64::try_from(upto).unwrap_or(i64::MAX)])
}

/// The oldest position from which the history is whole.
pub fn floor(database: &Database, stream: Stream) -> rusqlite::Result<u64> {
    let oldest: Option<i64> = database
        .prepare_cached("SELECT MIN(offset) FROM events WHERE stream = ?1")?
        .query_row([stream.id], |row| row.get(0))?;
    Ok(oldest.map_or(stream.newest, |oldest| oldest.cast_unsigned().saturating_sub(1)))
}

/// Events after a position, oldest first, of not many more bytes than `max_bytes` in all.
pub fn page(
    database: &Database,
    stream: Stream,
    position: u64,
    max_events: usize,
    max_bytes: usize,
) -> rusqlite::Result<Vec<Stored>> {
    let mut statement = database.prepare_cached(
        "SELECT offset, type, frame, origin FROM events WHERE stream = ?1 AND offset > ?2 ORDER BY offset",
    )?;
    let mut rows = statement.query(params![stream.id, position.cast_signed()])?;
    let mut events = Vec::new();
    let mut bytes = 0;
    while events.len() < max_events
        && bytes < max_bytes
        && let Some(row) = rows.next()?
    {
        let frame: String = row.get(2)?;
        bytes += frame.len();
        events.push(Stored {
            offset: row.get::<_, i64>(0)?.cast_unsigned(),
            kind: row.get(1)?,
            frame,
            origin: row.get(3)?,
        });
    }
    Ok(events)
}

/// Forgets a stream and its events.
pub fn remove(database: &Database, user: &str, name: &str) -> rusqlite::Result<()> {
    database
        .prepare_cached(
            "UPDATE memory SET highest_forgotten = streams.newest FROM streams
             WHERE streams.user_id = ?1 AND streams.name = ?2 AND streams.newest > highest_forgotten",
        )?
        .execute(params![user, name])?;
    database
        .prepare_cached("DELETE FROM streams WHERE user_id = ?1 AND name = ?2")?
        .execute(params![user, name])
        .map(drop)
}

const MOMENTARY: [&str; 14] = [
    "typing_indicator",
    "user_typing",
    "typing_stopped",
    "user_online_status",
    "connected",
    "ping",
    "pong",
    "error",
    "hello",
    "welcome",
    "ack",
    "stream",
    "reply",
    "receipt",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reliable::SCHEMA;

    #[test]
    fn a_stream_begins_at_the_time_and_never_before_the_highest_offset_that_is_forgotten() {
        let database = Database::open_in_memory().unwrap();
        database.execute_batch(SCHEMA).unwrap();
        database.execute("INSERT INTO memory (only_row, epoch) VALUES (1, 1)", []).unwrap();
        let begun = open(&database, "ada", USER_STREAM).unwrap();
        assert!((clock::epoch_ms() - 60_000..=clock::epoch_ms()).contains(&begun.newest.cast_signed()));
        // Its events have come faster than one in a millisecond, or the clock was set back since.
        let ahead = begun.newest + 1_000_000;
        database.execute("UPDATE streams SET newest = ?1", [ahead.cast_signed()]).unwrap();
        assert_eq!(open(&database, "ada", USER_STREAM).unwrap().newest, ahead);
        remove(&database, "ada", USER_STREAM).unwrap();
        assert_eq!(open(&database, "ben", USER_STREAM).unwrap().newest, ahead);
        assert_eq!(open(&database, "ada", USER_STREAM).unwrap().newest, ahead);
    }
}

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
    format!("{CLIENT_STREAM}{client_id}")
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

/// An event that has its place.
pub struct Appended {
    pub offset: u64,
    /// The newest offset before it.
    pub before: u64,
    pub frame: String,
}

/// How much of the history is kept.
#[derive(Clone, Copy, Debug)]
pub struct Kept {
    /// Events of one stream.
    pub events: u64,
    /// Bytes of all events of a user.
    pub bytes: u64,
}

/// Stores an event under the next offset, and forgets those that are too many.
///
/// `head` is the frame's JSON without the closing brace. Names of streams need no escapes.
pub fn append(
    database: &Database,
    user: &str,
    name: &str,
    (kind, head): (&str, &str),
    origin: Option<i64>,
    kept: Kept,
) -> rusqlite::Result<Appended> {
    let stream = open(database, user, name)?;
    let offset = stream.newest + 1;
    let frame = format!(r#"{head},"stream":"{name}","offset":{offset}}}"#);
    database
        .prepare_cached("UPDATE streams SET newest = ?2 WHERE id = ?1")?
        .execute(params![stream.id, offset.cast_signed()])?;
    let id = database
        .prepare_cached(
            "INSERT INTO events (stream, offset, stored_at, type, frame, origin) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .insert(params![stream.id, offset.cast_signed(), clock::epoch_ms(), kind, frame, origin])?;
    if let Some(too_old) = offset.checked_sub(kept.events).filter(|too_old| *too_old > 0) {
        forget(database, stream, too_old)?;
    }
    make_room(database, user, id, kept.bytes)?;
    Ok(Appended { offset, before: stream.newest, frame })
}

/// Forgets the oldest events of the user's largest streams, so that a small one is not lost to a large one. `newest` stays, for
/// it is yet to be sent. An eighth more goes than has to, so that this is not done for each event.
fn make_room(database: &Database, user: &str, newest: i64, max_bytes: u64) -> rusqlite::Result<()> {
    let max_bytes = i64::try_from(max_bytes).unwrap_or(i64::MAX);
    let used = || -> rusqlite::Result<i64> {
        database
            .prepare_cached("SELECT bytes FROM usage WHERE user_id = ?1")?
            .query_row([user], |row| row.get(0))
            .optional()
            .map(Option::unwrap_or_default)
    };
    if used()? <= max_bytes {
        return Ok(());
    }
    loop {
        let excess = used()? - (max_bytes - max_bytes / 8);
        let largest: i64 = database
            .prepare_cached("SELECT id FROM streams WHERE user_id = ?1 ORDER BY bytes DESC LIMIT 1")?
            .query_row([user], |row| row.get(0))?;
        let mut freed = 0;
        let mut upto = None;
        let mut statement = database.prepare_cached(
            "SELECT offset, octet_length(frame) FROM events WHERE stream = ?1 AND id <> ?2 ORDER BY offset",
        )?;
        let mut rows = statement.query(params![largest, newest])?;
        while freed < excess
            && let Some(row) = rows.next()?
        {
            upto = Some(row.get::<_, i64>(0)?);
            freed += row.get::<_, i64>(1)?;
        }
        drop(rows);
        let Some(upto) = upto else { return Ok(()) };
        database
            .prepare_cached("DELETE FROM events WHERE stream = ?1 AND offset <= ?2")?
            .execute(params![largest, upto])?;
        if freed >= excess {
            return Ok(());
        }
    }
}

/// Forgets events up to an offset.
pub fn forget(database: &Database, stream: Stream, upto: u64) -> rusqlite::Result<usize> {
    database
        .prepare_cached("DELETE FROM events WHERE stream = ?1 AND offset <= ?2")?
        .execute(params![stream.id, i64::try_from(upto).unwrap_or(i64::MAX)])
}

/// The offset of the last of so many of the oldest events, 0 if there are none.
pub fn oldest(database: &Database, stream: Stream, events: u32) -> rusqlite::Result<u64> {
    let last: Option<i64> = database
        .prepare_cached(
            "SELECT MAX(offset) FROM (SELECT offset FROM events WHERE stream = ?1 ORDER BY offset LIMIT ?2)",
        )?
        .query_row(params![stream.id, events], |row| row.get(0))?;
    Ok(last.unwrap_or_default().cast_unsigned())
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
        let event = stored(row)?;
        bytes += event.frame.len();
        events.push(event);
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

/// Forgets some of the events that were stored before a time, and says how many.
pub fn forget_older(database: &Database, time_ms: i64, max: u32) -> rusqlite::Result<usize> {
    database.prepare_cached(FORGET_OLDER)?.execute(params![time_ms, max])
}

pub const FORGET_OLDER: &str = "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE stored_at < ?1 LIMIT ?2)";

/// The client ids whose streams a user has beyond a number, those that were seen longest ago first.
///
/// A tenth more than that is named when there are too many, so that not each `hello` has to look for them.
pub fn surplus(database: &Database, user: &str, max: i64) -> rusqlite::Result<Vec<String>> {
    let streams: i64 = database
        .prepare_cached("SELECT COUNT(*) FROM streams WHERE user_id = ?1")?
        .query_row([user], |row| row.get(0))?;
    if streams <= max {
        return Ok(Vec::new());
    }
    database
        .prepare_cached(
            "SELECT substr(streams.name, ?2) AS id FROM streams
             LEFT JOIN clients ON clients.user_id = streams.user_id AND clients.client_id = substr(streams.name, ?2)
             WHERE streams.user_id = ?1 AND streams.name <> ?3 ORDER BY clients.seen_at LIMIT ?4",
        )?
        .query_map(params![user, CLIENT_STREAM.len() as i64 + 1, USER_STREAM, streams - max + max / 10], |row| {
            row.get(0)
        })?
        .collect()
}

/// A stream that has events which this process does not know.
pub struct Grown {
    pub user: String,
    pub name: String,
    pub newest: u64,
}

/// The streams with events after one.
pub fn grown(database: &Database, known: i64) -> rusqlite::Result<Vec<Grown>> {
    database
        .prepare_cached(
            "SELECT user_id, name, newest FROM streams WHERE id IN (SELECT stream FROM events WHERE id > ?1)",
        )?
        .query_map([known], |row| {
            Ok(Grown { user: row.get(0)?, name: row.get(1)?, newest: row.get::<_, i64>(2)?.cast_unsigned() })
        })?
        .collect()
}

/// Events of a stream after one that need not be in it, oldest first.
pub fn stored_since(database: &Database, stream: Stream, known: i64) -> rusqlite::Result<Vec<Stored>> {
    database
        .prepare_cached("SELECT offset, type, frame, origin FROM events WHERE stream = ?1 AND id > ?2 ORDER BY offset")?
        .query_map(params![stream.id, known], stored)?
        .collect()
}

fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    Ok(Stored {
        offset: row.get::<_, i64>(0)?.cast_unsigned(),
        kind: row.get(1)?,
        frame: row.get(2)?,
        origin: row.get(3)?,
    })
}

const CLIENT_STREAM: &str = "client:";

const MOMENTARY: [&str; 16] = [
    "message_delta",
    "session_members",
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
    use crate::{
        database,
        reliable::{changes, clients, receipts},
    };

    fn database() -> Database {
        let database = database::open(None).unwrap();
        database.execute("INSERT INTO memory (only_row, epoch) VALUES (1, 1)", []).unwrap();
        database
    }

    #[test]
    fn a_stream_begins_at_the_time_and_never_before_the_highest_offset_that_is_forgotten() {
        let database = database();
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

    #[test]
    fn what_is_old_is_found_without_looking_at_what_is_not() {
        let database = database();
        for sql in [FORGET_OLDER, receipts::FORGET, clients::UNSEEN, changes::FORGET] {
            let mut plan = database.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let nulls = vec![rusqlite::types::Null; plan.parameter_count()];
            let steps: Vec<String> = plan
                .query_map(rusqlite::params_from_iter(nulls), |row| row.get(3))
                .unwrap()
                .collect::<rusqlite::Result<_>>()
                .unwrap();
            assert!(steps.iter().any(|step| step.starts_with("SEARCH")), "{sql}: {steps:?}");
            assert!(!steps.iter().any(|step| step.starts_with("SCAN")), "{sql}: {steps:?}");
        }
    }

    #[test]
    fn a_users_events_take_no_more_bytes_than_they_may_and_the_largest_stream_gives_way() {
        let database = database();
        let kept = Kept { events: 1000, bytes: 10_000 };
        let say = |name: &str, head: &str| append(&database, "ada", name, ("notification", head), None, kept).unwrap();
        let used = || -> i64 {
            let counted = "SELECT COALESCE(SUM(octet_length(frame)), 0) FROM events";
            let counted = database.query_row(counted, [], |row| row.get(0)).unwrap();
            let noted = "SELECT COALESCE(SUM(bytes), 0) FROM usage";
            assert_eq!(database.query_row(noted, [], |row| row.get::<_, i64>(0)).unwrap(), counted);
            counted
        };
        let small = say("client:small", "{");
        let mut last = 0;
        for _ in 0..200 {
            last = say(USER_STREAM, &"x".repeat(500)).offset;
            assert!(used() <= 10_000);
        }
        assert!(used() > 8_000);
        let floor_of = |name| floor(&database, open(&database, "ada", name).unwrap()).unwrap();
        assert_eq!(floor_of("client:small"), small.before);
        assert!((last - 20..last).contains(&floor_of(USER_STREAM)));
        // An event that is longer than that stays until the next one, for it is yet to be sent.
        assert_eq!(say(USER_STREAM, &"x".repeat(20_000)).offset, floor_of(USER_STREAM) + 1);
        say(USER_STREAM, "{");
        assert!(used() < 10_000);
        forget_older(&database, i64::MAX, 1).unwrap();
        remove(&database, "ada", "client:small").unwrap();
        remove(&database, "ada", USER_STREAM).unwrap();
        assert_eq!(used(), 0);
    }
}

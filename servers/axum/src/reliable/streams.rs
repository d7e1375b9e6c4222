//! Rows of stored events.

use crate::{
    clock,
    database::{Database, DatabaseError, NewEvent, Result, Row},
};

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
pub fn open(database: &Database, user: &str, name: &str) -> Result<Stream> {
    let postgres = database.postgres();
    if let Some((id, newest)) = postgres.and_then(|postgres| postgres.with_cache(|cache| cache.stream(user, name))) {
        return Ok(Stream { id, newest });
    }
    let stream = find_or_begin(database, user, name)?;
    if let Some(postgres) = postgres {
        postgres.with_cache(|cache| cache.set_stream(user, name, stream.id, stream.newest));
    }
    Ok(stream)
}

fn find_or_begin(database: &Database, user: &str, name: &str) -> Result<Stream> {
    let known = "SELECT id, newest FROM everwire_streams WHERE user_id = ?1 AND name = ?2";
    if let Some(stream) = database.query_row(known, &[&user, &name], stream)? {
        return Ok(stream);
    }
    database.execute(
        "INSERT INTO everwire_streams (user_id, name, newest)
         SELECT ?1, ?2, CASE WHEN highest_forgotten > ?3 THEN highest_forgotten ELSE ?3 END FROM everwire_memory",
        &[&user, &name, &clock::epoch_ms()],
    )?;
    database.query_row(known, &[&user, &name], stream)?.ok_or(DatabaseError::Failed("a stream is not where it was put"))
}

fn stream(row: &Row<'_>) -> Result<Stream> {
    Ok(Stream { id: row.get(0)?, newest: row.get::<i64>(1)?.cast_unsigned() })
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
) -> Result<Appended> {
    let stream = open(database, user, name)?;
    let offset = stream.newest + 1;
    let frame = format!(r#"{head},"stream":"{name}","offset":{offset}}}"#);
    if let Some(postgres) = database.postgres() {
        let event = NewEvent {
            stream: stream.id,
            offset,
            stored_at: clock::epoch_ms(),
            // The one character that JSON and SQLite have, and PostgreSQL has not; in the frame it is an escape.
            kind: kind.replace('\0', "\u{fffd}"),
            frame: frame.clone(),
            origin,
            kept: kept.events,
        };
        postgres.append(event);
        let much = postgres.with_cache(|cache| {
            cache.set_stream(user, name, stream.id, offset);
            cache.count(user, frame.len(), kept.bytes / UNCHECKED_SHARE)
        });
        if much {
            make_room(database, user, (stream, offset), kept.bytes)?;
        }
        return Ok(Appended { offset, before: stream.newest, frame });
    }
    database.execute("UPDATE everwire_streams SET newest = ?2 WHERE id = ?1", &[&stream.id, &offset.cast_signed()])?;
    database.execute(
        "INSERT INTO everwire_events (stream, \"offset\", stored_at, type, frame, origin)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        &[&stream.id, &offset.cast_signed(), &clock::epoch_ms(), &kind, &frame, &origin],
    )?;
    if let Some(too_old) = offset.checked_sub(kept.events).filter(|too_old| *too_old > 0) {
        forget(database, stream, too_old)?;
    }
    make_room(database, user, (stream, offset), kept.bytes)?;
    Ok(Appended { offset, before: stream.newest, frame })
}

/// Forgets the oldest events of the user's largest streams, so that a small one is not lost to a large one. `newest` stays, for
/// it is yet to be sent. An eighth more goes than has to, so that this is not done for each event.
fn make_room(database: &Database, user: &str, newest: (Stream, u64), max_bytes: u64) -> Result<()> {
    let max_bytes = i64::try_from(max_bytes).unwrap_or(i64::MAX);
    let used = || -> Result<i64> {
        let used =
            database.query_row("SELECT bytes FROM everwire_usage WHERE user_id = ?1", &[&user], |row| row.get(0))?;
        Ok(used.unwrap_or_default())
    };
    if used()? <= max_bytes {
        return Ok(());
    }
    loop {
        let excess = used()? - (max_bytes - max_bytes / 8);
        let largest: Option<i64> = database.query_row(
            "SELECT id FROM everwire_streams WHERE user_id = ?1 ORDER BY bytes DESC LIMIT 1",
            &[&user],
            |row| row.get(0),
        )?;
        let Some(largest) = largest else { return Ok(()) };
        let kept = if largest == newest.0.id { newest.1.cast_signed() } else { i64::MAX };
        let mut freed = 0;
        let mut upto = None;
        database.each_while(
            "SELECT \"offset\", octet_length(frame) FROM everwire_events
             WHERE stream = ?1 AND \"offset\" < ?2 ORDER BY \"offset\"",
            &[&largest, &kept],
            |row| {
                upto = Some(row.get::<i64>(0)?);
                freed += i64::from(row.get::<i32>(1)?);
                Ok(freed < excess)
            },
        )?;
        let Some(upto) = upto else { return Ok(()) };
        database.execute("DELETE FROM everwire_events WHERE stream = ?1 AND \"offset\" <= ?2", &[&largest, &upto])?;
        if freed >= excess {
            return Ok(());
        }
    }
}

/// Forgets events up to an offset.
pub fn forget(database: &Database, stream: Stream, upto: u64) -> Result<usize> {
    let upto = i64::try_from(upto).unwrap_or(i64::MAX);
    database.execute("DELETE FROM everwire_events WHERE stream = ?1 AND \"offset\" <= ?2", &[&stream.id, &upto])
}

/// The offset of the last of so many of the oldest events, 0 if there are none.
pub fn oldest(database: &Database, stream: Stream, events: u32) -> Result<u64> {
    let last: Option<Option<i64>> = database.query_row(
        "SELECT MAX(\"offset\") FROM (SELECT \"offset\" FROM everwire_events WHERE stream = ?1
         ORDER BY \"offset\" LIMIT ?2) AS oldest",
        &[&stream.id, &i64::from(events)],
        |row| row.get(0),
    )?;
    Ok(last.flatten().unwrap_or_default().cast_unsigned())
}

/// The oldest position from which the history is whole.
pub fn floor(database: &Database, stream: Stream) -> Result<u64> {
    let oldest: Option<Option<i64>> =
        database.query_row("SELECT MIN(\"offset\") FROM everwire_events WHERE stream = ?1", &[&stream.id], |row| {
            row.get(0)
        })?;
    Ok(oldest.flatten().map_or(stream.newest, |oldest| oldest.cast_unsigned().saturating_sub(1)))
}

/// Events after a position, oldest first, of not many more bytes than `max_bytes` in all.
pub fn page(
    database: &Database,
    stream: Stream,
    position: u64,
    max_events: usize,
    max_bytes: usize,
) -> Result<Vec<Stored>> {
    let mut events = Vec::new();
    let mut bytes = 0;
    let max_events = i64::try_from(max_events).unwrap_or(i64::MAX);
    database.each_while(
        "SELECT \"offset\", type, frame, origin FROM everwire_events
         WHERE stream = ?1 AND \"offset\" > ?2 ORDER BY \"offset\" LIMIT ?3",
        &[&stream.id, &position.cast_signed(), &max_events],
        |row| {
            let event = stored(row)?;
            bytes += event.frame.len();
            events.push(event);
            Ok(bytes < max_bytes)
        },
    )?;
    Ok(events)
}

/// Forgets a stream and its events.
pub fn remove(database: &Database, user: &str, name: &str) -> Result<()> {
    if let Some(postgres) = database.postgres() {
        postgres.with_cache(|cache| cache.forget_stream(user, name));
    }
    database.execute(
        "UPDATE everwire_memory SET highest_forgotten = streams.newest FROM everwire_streams AS streams
         WHERE streams.user_id = ?1 AND streams.name = ?2 AND streams.newest > highest_forgotten",
        &[&user, &name],
    )?;
    database.execute("DELETE FROM everwire_streams WHERE user_id = ?1 AND name = ?2", &[&user, &name]).map(drop)
}

/// Forgets some of the events that were stored before a time, and says how many.
pub fn forget_older(database: &Database, time_ms: i64, max: u32) -> Result<usize> {
    database.execute(FORGET_OLDER, &[&time_ms, &i64::from(max)])
}

pub const FORGET_OLDER: &str =
    "DELETE FROM everwire_events WHERE id IN (SELECT id FROM everwire_events WHERE stored_at < ?1 LIMIT ?2)";

/// The client ids whose streams a user has beyond a number, those that were seen longest ago first.
///
/// A tenth more than that is named when there are too many, so that not each `hello` has to look for them.
pub fn surplus(database: &Database, user: &str, max: i64) -> Result<Vec<String>> {
    let counted = "SELECT COUNT(*) FROM everwire_streams WHERE user_id = ?1";
    let streams: i64 = database.query_row(counted, &[&user], |row| row.get(0))?.unwrap_or_default();
    if streams <= max {
        return Ok(Vec::new());
    }
    database.query(
        "SELECT substr(streams.name, 8) AS id FROM everwire_streams AS streams
         LEFT JOIN everwire_clients AS clients
         ON clients.user_id = streams.user_id AND clients.client_id = substr(streams.name, 8)
         WHERE streams.user_id = ?1 AND streams.name <> ?2 ORDER BY clients.seen_at LIMIT ?3",
        &[&user, &USER_STREAM, &(streams - max + max / 10)],
        |row| row.get(0),
    )
}

/// A stream that has events which this process does not know.
pub struct Grown {
    pub user: String,
    pub name: String,
    pub newest: u64,
}

/// The streams with events after one.
pub fn grown(database: &Database, known: i64) -> Result<Vec<Grown>> {
    database.query(
        "SELECT user_id, name, newest FROM everwire_streams
         WHERE id IN (SELECT stream FROM everwire_events WHERE id > ?1)",
        &[&known],
        |row| Ok(Grown { user: row.get(0)?, name: row.get(1)?, newest: row.get::<i64>(2)?.cast_unsigned() }),
    )
}

/// Events of a stream after one that need not be in it, oldest first.
pub fn stored_since(database: &Database, stream: Stream, known: i64) -> Result<Vec<Stored>> {
    database.query(
        "SELECT \"offset\", type, frame, origin FROM everwire_events
         WHERE stream = ?1 AND id > ?2 ORDER BY \"offset\"",
        &[&stream.id, &known],
        stored,
    )
}

fn stored(row: &Row<'_>) -> Result<Stored> {
    Ok(Stored {
        offset: row.get::<i64>(0)?.cast_unsigned(),
        kind: row.get(1)?,
        frame: row.get(2)?,
        origin: row.get(3)?,
    })
}

/// On PostgreSQL a user's bytes are counted after so much of what they may be was stored by this node.
const UNCHECKED_SHARE: u64 = 16;

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
        reliable::{changes, clients, receipts},
        testing,
    };

    fn database() -> Database {
        testing::database()
    }

    #[test]
    fn a_stream_begins_at_the_time_and_never_before_the_highest_offset_that_is_forgotten() {
        let database = database();
        let begun = open(&database, "ada", USER_STREAM).unwrap();
        assert!((clock::epoch_ms() - 60_000..=clock::epoch_ms()).contains(&begun.newest.cast_signed()));
        // Its events have come faster than one in a millisecond, or the clock was set back since.
        let ahead = begun.newest + 1_000_000;
        database.execute("UPDATE everwire_streams SET newest = ?1", &[&ahead.cast_signed()]).unwrap();
        assert_eq!(open(&database, "ada", USER_STREAM).unwrap().newest, ahead);
        remove(&database, "ada", USER_STREAM).unwrap();
        assert_eq!(open(&database, "ben", USER_STREAM).unwrap().newest, ahead);
        assert_eq!(open(&database, "ada", USER_STREAM).unwrap().newest, ahead);
    }

    #[test]
    fn what_is_old_is_found_without_looking_at_what_is_not() {
        let opened = database();
        let database = opened.sqlite().unwrap();
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
            let number = |sql| database.query_row(sql, &[], |row| row.get::<i64>(0)).unwrap().unwrap();
            let counted = number("SELECT COALESCE(SUM(octet_length(frame)), 0) FROM everwire_events");
            assert_eq!(number("SELECT COALESCE(SUM(bytes), 0) FROM everwire_usage"), counted);
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

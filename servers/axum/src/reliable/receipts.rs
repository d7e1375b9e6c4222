//! What has become of a message at other users: delivered, read.

use super::streams::Stream;
use crate::{
    clock,
    database::{Database, Ids, Result, Row, Sent},
};

/// How far a message has come. It moves forward only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Delivered = 1,
    Read = 2,
}

/// A message that a client waits for news of.
#[derive(Debug, PartialEq, Eq)]
pub struct Told {
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

/// Remembers which client sent a message, and for one that can be read its room and id there.
pub fn note(database: &Database, user: &str, client_id: &str, seq: u64, stored: Option<(&str, i64)>) -> Result<i64> {
    let (room, message_id) = stored.unzip();
    if let Some(postgres) = database.postgres() {
        let (user, client_id, room) = (user.to_owned(), client_id.to_owned(), room.map(str::to_owned));
        return postgres.note_sent(Sent { user, client_id, seq, room, message_id, sent_at: clock::epoch_ms() });
    }
    let id = database.query_row(
        "INSERT INTO everwire_sent (user_id, client_id, seq, room, message_id, status, sent_at)
         VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6) RETURNING id",
        &[&user, &client_id, &seq.cast_signed(), &room, &message_id, &clock::epoch_ms()],
        |row| row.get(0),
    )?;
    Ok(id.unwrap_or_default())
}

/// Messages have reached another user; those for which that is news.
pub fn delivered(database: &Database, origins: &[i64]) -> Result<Vec<Told>> {
    if database.postgres().is_some() {
        let mut told = database.query(
            "UPDATE everwire_sent SET status = ?2 WHERE id = ANY (?1::bigint[]) AND status < ?2
             RETURNING user_id, client_id, seq",
            &[&Ids(origins), &(Status::Delivered as i64)],
            sent,
        )?;
        told.sort_by_key(|told| told.seq);
        return Ok(told);
    }
    let mut told = Vec::new();
    for origin in origins {
        told.extend(delivered_one(database, *origin)?);
    }
    Ok(told)
}

fn delivered_one(database: &Database, origin: i64) -> Result<Option<Told>> {
    database.query_row(
        "UPDATE everwire_sent SET status = ?2 WHERE id = ?1 AND status < ?2 RETURNING user_id, client_id, seq",
        &[&origin, &(Status::Delivered as i64)],
        sent,
    )
}

/// A user has read a message of a room and all of the others' before it; returns those for which that is news.
pub fn read(database: &Database, room: &str, reader: &str, message_id: i64) -> Result<Vec<Told>> {
    let mut read = database.query(
        "UPDATE everwire_sent SET status = ?4
         WHERE room = ?1 AND message_id <= ?3 AND user_id <> ?2 AND status < ?4
         RETURNING user_id, client_id, seq",
        &[&room, &reader, &message_id, &(Status::Read as i64)],
        sent,
    )?;
    read.sort_by_key(|sent| sent.seq);
    Ok(read)
}

/// Forgets some of the messages that were sent before a time, and says how many.
pub fn forget(database: &Database, before_ms: i64, max: u32) -> Result<usize> {
    database.execute(FORGET, &[&before_ms, &i64::from(max)])
}

pub const FORGET: &str =
    "DELETE FROM everwire_sent WHERE id IN (SELECT id FROM everwire_sent WHERE sent_at < ?1 LIMIT ?2)";

fn sent(row: &Row<'_>) -> Result<Told> {
    Ok(Told { user: row.get(0)?, client_id: row.get(1)?, seq: row.get::<i64>(2)?.cast_unsigned() })
}

/// The messages behind the last events up to a position whose senders do not know yet that they were delivered.
pub fn waiting(database: &Database, stream: Stream, position: u64) -> Result<Vec<i64>> {
    let (from, to) = (position.saturating_sub(CLAIMED_EVENTS), position);
    database.query(
        "SELECT sent.id FROM everwire_events AS events JOIN everwire_sent AS sent ON sent.id = events.origin
         WHERE events.stream = ?1 AND events.\"offset\" > ?2 AND events.\"offset\" <= ?3 AND sent.status = 0",
        &[&stream.id(), &from.cast_signed(), &to.cast_signed()],
        |row| row.get(0),
    )
}

/// Looking at all of a long history would make every reconnect slow, for news that hardly anyone waits for.
const CLAIMED_EVENTS: u64 = 128;

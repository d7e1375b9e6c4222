//! Matches and messages as they are stored.

use everwire_axum::{Database, DatabaseError, DatabaseResult, Refusal, Row, clock};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A stored message in the spelling of `new_message`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredMessage {
    pub id: String,
    pub match_id: String,
    pub sender_id: String,
    pub content: String,
    pub created_at: String,
    pub read_at: Option<String>,
    /// The id that the sender gave it, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
}

/// What became of a message that was to be stored.
#[derive(Debug, PartialEq)]
pub enum Inserted {
    New(StoredMessage),
    /// The sender has sent it before, under the same id of their own.
    Again(StoredMessage),
    /// Its match is not active.
    NotActive,
}

/// What became of a read receipt.
#[derive(Debug, PartialEq)]
pub enum Read {
    /// The receipt moved forward, at this time.
    Now(String),
    /// It was there already, or further.
    Already,
    /// There is no such message of the other user in the match.
    NoSuchMessage,
}

/// A message to be stored.
pub struct Draft {
    pub match_id: String,
    pub sender_id: String,
    pub content: String,
    pub client_id: Option<String>,
}

/// Whether a match can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchStatus {
    /// Not yet.
    Pending,
    Active,
    /// No more.
    Ended,
}

impl MatchStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Ended => "ended",
        }
    }

    fn named(name: &str) -> Self {
        [Self::Pending, Self::Active].into_iter().find(|status| status.as_str() == name).unwrap_or(Self::Ended)
    }
}

/// A match as it is stored.
pub struct StoredMatch {
    pub id: String,
    pub users: [String; 2],
    pub status: MatchStatus,
    /// Grows with every match that is made or changed.
    pub revision: i64,
}

/// The matches that were made or changed after a revision.
pub fn matches_since(database: &Database, revision: i64) -> DatabaseResult<Vec<StoredMatch>> {
    database.query(
        "SELECT id, first_user, second_user, status, revision FROM matches
         WHERE revision > ?1 ORDER BY revision",
        &[&revision],
        stored_match,
    )
}

/// Stores a match, unless there is one of its id, and returns the one that is stored.
pub fn insert_match(
    database: &Database,
    id: &str,
    users: &[String; 2],
    status: MatchStatus,
) -> DatabaseResult<StoredMatch> {
    let [first, second] = users;
    database.execute(
        "INSERT INTO matches (id, first_user, second_user, status, revision)
         VALUES (?1, ?2, ?3, ?4, (SELECT COALESCE(MAX(revision), 0) + 1 FROM matches)) ON CONFLICT (id) DO NOTHING",
        &[&id, first, second, &status.as_str()],
    )?;
    let stored = database.query_row(
        "SELECT id, first_user, second_user, status, revision FROM matches WHERE id = ?1",
        &[&id],
        stored_match,
    )?;
    stored.ok_or(DatabaseError::Failed("a match is not where it was put"))
}

/// Changes the status of a match and returns its users; `None` if that is its status already, or there is no such match.
pub fn set_status(database: &Database, id: &str, status: MatchStatus) -> DatabaseResult<Option<[String; 2]>> {
    database.query_row(
        "UPDATE matches SET status = ?2, revision = (SELECT MAX(revision) + 1 FROM matches)
         WHERE id = ?1 AND status <> ?2 RETURNING first_user, second_user",
        &[&id, &status.as_str()],
        |row| Ok([row.get(0)?, row.get(1)?]),
    )
}

fn stored_match(row: &Row<'_>) -> DatabaseResult<StoredMatch> {
    let status = MatchStatus::named(&row.get::<String>(3)?);
    Ok(StoredMatch { id: row.get(0)?, users: [row.get(1)?, row.get(2)?], status, revision: row.get(4)? })
}

/// Whether there is a match.
pub fn exists(database: &Database, id: &str) -> DatabaseResult<bool> {
    database.exists("SELECT 1 FROM matches WHERE id = ?1", &[&id])
}

pub fn insert(database: &Database, draft: Draft) -> DatabaseResult<Inserted> {
    let Draft { match_id, sender_id, content, client_id } = draft;
    // What is in memory may be older.
    if !database.exists("SELECT 1 FROM matches WHERE id = ?1 AND status = 'active'", &[&match_id])? {
        return Ok(Inserted::NotActive);
    }
    if let Some(client_id) = &client_id {
        let before = database.query_row(
            "SELECT id, match_id, sender_id, content, created_at, read_at, client_id FROM messages
             WHERE match_id = ?1 AND sender_id = ?2 AND client_id = ?3",
            &[&match_id, &sender_id, client_id],
            message,
        )?;
        if let Some(before) = before {
            return Ok(Inserted::Again(before));
        }
    }
    let created_at = clock::epoch_ms();
    let id: Option<i64> = database.query_row(
        "INSERT INTO messages (match_id, sender_id, client_id, content, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5) RETURNING id",
        &[&match_id, &sender_id, &client_id, &content, &created_at],
        |row| row.get(0),
    )?;
    Ok(Inserted::New(StoredMessage {
        id: id.unwrap_or_default().to_string(),
        match_id,
        sender_id,
        content,
        created_at: clock::iso_at(created_at),
        read_at: None,
        client_id,
    }))
}

/// Marks a message of the other user, and all of theirs before it, as read.
pub fn read(database: &Database, match_id: &str, reader: &str, message_id: i64) -> DatabaseResult<Read> {
    let known = database.exists(
        "SELECT 1 FROM messages WHERE id = ?1 AND match_id = ?2 AND sender_id <> ?3",
        &[&message_id, &match_id, &reader],
    )?;
    if !known {
        return Ok(Read::NoSuchMessage);
    }
    let now = clock::epoch_ms();
    let changed = database.execute(
        "UPDATE messages SET read_at = ?4 WHERE match_id = ?2 AND sender_id <> ?3 AND id <= ?1 AND read_at IS NULL",
        &[&message_id, &match_id, &reader, &now],
    )?;
    Ok(if changed == 0 { Read::Already } else { Read::Now(clock::iso_at(now)) })
}

/// The payload of `message_read`.
pub fn read_event(match_id: &str, message_id: i64, read_at: &str) -> Value {
    json!({ "message_id": message_id.to_string(), "match_id": match_id, "readAt": read_at, "up_to": true })
}

/// What anything in a match that is not active is answered with.
pub fn not_active() -> Refusal {
    Refusal::new("not_active", "This match is not active")
}

/// What a read receipt for something else is answered with.
pub fn no_such_message() -> Refusal {
    Refusal::new("not_found", "no such message of the other user in this match")
}

/// The last messages of a match before an id, in the order in which they were stored.
pub fn history(
    database: &Database,
    match_id: &str,
    before: Option<i64>,
    limit: u32,
) -> DatabaseResult<Vec<StoredMessage>> {
    let mut messages = database.query(
        "SELECT id, match_id, sender_id, content, created_at, read_at, client_id FROM messages
         WHERE match_id = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3",
        &[&match_id, &before.unwrap_or(i64::MAX), &i64::from(limit)],
        message,
    )?;
    messages.reverse();
    Ok(messages)
}

/// One message.
pub fn by_id(database: &Database, id: i64) -> DatabaseResult<Option<StoredMessage>> {
    database.query_row(
        "SELECT id, match_id, sender_id, content, created_at, read_at, client_id FROM messages WHERE id = ?1",
        &[&id],
        message,
    )
}

fn message(row: &Row<'_>) -> DatabaseResult<StoredMessage> {
    Ok(StoredMessage {
        id: row.get::<i64>(0)?.to_string(),
        match_id: row.get(1)?,
        sender_id: row.get(2)?,
        content: row.get(3)?,
        created_at: clock::iso_at(row.get(4)?),
        read_at: row.get::<Option<i64>>(5)?.map(clock::iso_at),
        client_id: row.get(6)?,
    })
}

/// Carried out at every start.
pub const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS matches (
        id TEXT PRIMARY KEY,
        first_user TEXT NOT NULL,
        second_user TEXT NOT NULL,
        status TEXT NOT NULL,
        revision INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS matches_by_first_user ON matches (first_user);
    CREATE INDEX IF NOT EXISTS matches_by_second_user ON matches (second_user);
    CREATE INDEX IF NOT EXISTS matches_by_revision ON matches (revision);
    CREATE TABLE IF NOT EXISTS messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        match_id TEXT NOT NULL REFERENCES matches (id),
        sender_id TEXT NOT NULL,
        client_id TEXT,
        content TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        read_at INTEGER
    ) STRICT;
    CREATE INDEX IF NOT EXISTS messages_by_match ON messages (match_id, id);
    CREATE INDEX IF NOT EXISTS messages_unread ON messages (match_id, sender_id) WHERE read_at IS NULL;
    CREATE UNIQUE INDEX IF NOT EXISTS messages_once ON messages (match_id, sender_id, client_id)
        WHERE client_id IS NOT NULL;
";

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use everwire_axum::{Limits, Shared, SqliteStore, Store};

    use super::*;
    use crate::{metrics::Metrics, trail::Trail};

    async fn store_with_match() -> Store {
        let trail = Arc::new(Trail::new(None, Arc::new(Metrics::new())));
        let sqlite = SqliteStore::in_memory().setup(TABLES);
        let store = Shared::open(sqlite, Limits::default(), trail).await.unwrap().store;
        let users = ["ada".to_owned(), "ben".to_owned()];
        store.run(move |database| insert_match(database, "m1", &users, MatchStatus::Active)).await.unwrap();
        store
    }

    async fn say(store: &Store, sender: &str, content: &str, client_id: Option<&str>) -> Inserted {
        let draft = Draft {
            match_id: "m1".into(),
            sender_id: sender.into(),
            content: content.into(),
            client_id: client_id.map(Into::into),
        };
        store.run(|database| insert(database, draft)).await.unwrap()
    }

    #[tokio::test]
    async fn a_read_receipt_covers_what_came_before_and_never_moves_back() {
        let store = store_with_match().await;
        for n in 0..3 {
            say(&store, "ada", &n.to_string(), None).await;
        }
        let read = async |id| store.run(move |database| read(database, "m1", "ben", id)).await.unwrap();
        assert!(matches!(read(2).await, Read::Now(_)));
        assert_eq!(read(2).await, Read::Already);
        assert_eq!(read(1).await, Read::Already);
        assert!(matches!(read(3).await, Read::Now(_)));
        assert_eq!(read(4).await, Read::NoSuchMessage);
    }

    #[tokio::test]
    async fn nobody_reads_their_own_message() {
        let store = store_with_match().await;
        say(&store, "ada", "hi", None).await;
        let own = store.run(|database| read(database, "m1", "ada", 1)).await.unwrap();
        assert_eq!(own, Read::NoSuchMessage);
    }

    #[tokio::test]
    async fn a_message_sent_again_under_the_same_client_id_is_stored_once() {
        let store = store_with_match().await;
        let Inserted::New(first) = say(&store, "ada", "hi", Some("c1")).await else { panic!() };
        assert_eq!(say(&store, "ada", "hi", Some("c1")).await, Inserted::Again(first));
        assert!(matches!(say(&store, "ben", "hi", Some("c1")).await, Inserted::New(_)));
    }

    #[tokio::test]
    async fn history_pages_backwards_in_stored_order() {
        let store = store_with_match().await;
        for n in 0..5 {
            say(&store, "ada", &n.to_string(), None).await;
        }
        let page = async |before| {
            let page = store.run(move |database| history(database, "m1", before, 2)).await.unwrap();
            page.into_iter().map(|message| message.content).collect::<Vec<_>>()
        };
        assert_eq!(page(None).await, ["3", "4"]);
        assert_eq!(page(Some(4)).await, ["1", "2"]);
        assert_eq!(page(Some(2)).await, ["0"]);
    }
}

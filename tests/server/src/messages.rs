//! Matches and messages as they are stored.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{clock, reply::Refusal};

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

/// The matches stored after a row: row, id and users.
pub fn matches_since(database: &Connection, row: i64) -> rusqlite::Result<Vec<(i64, String, [String; 2])>> {
    database
        .prepare_cached("SELECT rowid, id, first_user, second_user FROM matches WHERE rowid > ?1 ORDER BY rowid")?
        .query_map([row], |row| Ok((row.get(0)?, row.get(1)?, [row.get(2)?, row.get(3)?])))?
        .collect()
}

/// Stores a match, unless there is one of its id, and returns the users of the one that is stored.
pub fn insert_match(database: &Connection, id: &str, users: &[String; 2]) -> rusqlite::Result<[String; 2]> {
    let [first, second] = users;
    database
        .prepare_cached("INSERT OR IGNORE INTO matches (id, first_user, second_user) VALUES (?1, ?2, ?3)")?
        .execute(params![id, first, second])?;
    database
        .prepare_cached("SELECT first_user, second_user FROM matches WHERE id = ?1")?
        .query_row([id], |row| Ok([row.get(0)?, row.get(1)?]))
}

pub fn insert(database: &Connection, draft: Draft) -> rusqlite::Result<Inserted> {
    let Draft { match_id, sender_id, content, client_id } = draft;
    if let Some(client_id) = &client_id {
        let before = database
            .prepare_cached(&select("match_id = ?1 AND sender_id = ?2 AND client_id = ?3"))?
            .query_row(params![match_id, sender_id, client_id], message)
            .optional()?;
        if let Some(before) = before {
            return Ok(Inserted::Again(before));
        }
    }
    let created_at = clock::epoch_ms();
    database
        .prepare_cached(
            "INSERT INTO messages (match_id, sender_id, client_id, content, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![match_id, sender_id, client_id, content, created_at])?;
    Ok(Inserted::New(StoredMessage {
        id: database.last_insert_rowid().to_string(),
        match_id,
        sender_id,
        content,
        created_at: clock::iso_at(created_at),
        read_at: None,
        client_id,
    }))
}

/// Marks a message of the other user, and all of theirs before it, as read.
pub fn read(database: &Connection, match_id: &str, reader: &str, message_id: i64) -> rusqlite::Result<Read> {
    let known = database
        .prepare_cached("SELECT 1 FROM messages WHERE id = ?1 AND match_id = ?2 AND sender_id <> ?3")?
        .exists(params![message_id, match_id, reader])?;
    if !known {
        return Ok(Read::NoSuchMessage);
    }
    let now = clock::epoch_ms();
    let changed = database
        .prepare_cached(
            "UPDATE messages SET read_at = ?4
             WHERE match_id = ?2 AND sender_id <> ?3 AND id <= ?1 AND read_at IS NULL",
        )?
        .execute(params![message_id, match_id, reader, now])?;
    Ok(if changed == 0 { Read::Already } else { Read::Now(clock::iso_at(now)) })
}

/// The payload of `message_read`.
pub fn read_event(match_id: &str, message_id: i64, read_at: &str) -> Value {
    json!({ "message_id": message_id.to_string(), "match_id": match_id, "readAt": read_at })
}

/// What a read receipt for something else is answered with.
pub fn no_such_message() -> Refusal {
    Refusal::new("not_found", "no such message of the other user in this match")
}

/// The last messages of a match before an id, in the order in which they were stored.
pub fn history(
    database: &Connection,
    match_id: &str,
    before: Option<i64>,
    limit: u32,
) -> rusqlite::Result<Vec<StoredMessage>> {
    let newest_first = select("match_id = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3");
    let mut messages = database
        .prepare_cached(&newest_first)?
        .query_map(params![match_id, before.unwrap_or(i64::MAX), limit], message)?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    messages.reverse();
    Ok(messages)
}

fn select(which: &str) -> String {
    format!("SELECT id, match_id, sender_id, content, created_at, read_at, client_id FROM messages WHERE {which}")
}

fn message(row: &Row<'_>) -> rusqlite::Result<StoredMessage> {
    Ok(StoredMessage {
        id: row.get::<_, i64>(0)?.to_string(),
        match_id: row.get(1)?,
        sender_id: row.get(2)?,
        content: row.get(3)?,
        created_at: clock::iso_at(row.get(4)?),
        read_at: row.get::<_, Option<i64>>(5)?.map(clock::iso_at),
        client_id: row.get(6)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    async fn store_with_match() -> Store {
        let store = Store::in_memory();
        let users = ["ada".to_owned(), "ben".to_owned()];
        store.run(move |database| insert_match(database, "m1", &users)).await.unwrap();
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

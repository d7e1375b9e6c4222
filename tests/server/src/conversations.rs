//! What a user's matches look like in a list: the other user, the last message, and how many are unread.

use everwire_axum::{Database, DatabaseResult};
use serde::Serialize;

use crate::messages::{self, StoredMessage};

/// One match of a user.
#[derive(Debug, Serialize)]
pub struct Conversation {
    pub match_id: String,
    /// The other user.
    pub user_id: String,
    pub status: String,
    /// Whether the other user is connected, which the database does not know.
    pub online: bool,
    pub last_message: Option<StoredMessage>,
    pub unread: i64,
}

/// The matches of a user, those with the newest message first.
pub fn of_user(database: &Database, user: &str, limit: u32) -> DatabaseResult<Vec<Conversation>> {
    let mut conversations = database.query(
        "SELECT id, CASE first_user WHEN ?1 THEN second_user ELSE first_user END, status,
            (SELECT COUNT(*) FROM messages WHERE match_id = matches.id AND sender_id <> ?1 AND read_at IS NULL),
            (SELECT MAX(id) FROM messages WHERE match_id = matches.id) AS newest
         FROM matches WHERE first_user = ?1 OR second_user = ?1
         ORDER BY newest DESC NULLS LAST, id LIMIT ?2",
        &[&user, &i64::from(limit)],
        |row| {
            let conversation = Conversation {
                match_id: row.get(0)?,
                user_id: row.get(1)?,
                status: row.get(2)?,
                online: false,
                last_message: None,
                unread: row.get(3)?,
            };
            Ok((conversation, row.get::<Option<i64>>(4)?))
        },
    )?;
    for (conversation, newest) in &mut conversations {
        conversation.last_message = newest.map(|id| messages::by_id(database, id)).transpose()?.flatten();
    }
    Ok(conversations.into_iter().map(|(conversation, _)| conversation).collect())
}

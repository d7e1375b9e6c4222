//! The messages that were processed, in order, for the tests that count them.

use serde::Serialize;
use serde_json::Value;

use crate::database::{Database, ProcessedRow, Result};

/// One message that was processed.
#[derive(Serialize)]
pub struct Processed {
    /// Under which it was sent.
    pub client_id: String,
    /// Its number.
    pub seq: u64,
    /// Its type.
    pub r#type: String,
    /// Its payload.
    pub data: Value,
    /// The code of the refusal, if it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// Notes a message. `data` is JSON.
pub fn note(
    database: &Database,
    user: &str,
    client_id: &str,
    seq: u64,
    (kind, data): (&str, &str),
    refused: Option<&str>,
) -> Result<()> {
    if let Some(postgres) = database.postgres() {
        let (user, client_id, refused) = (user.to_owned(), client_id.to_owned(), refused.map(str::to_owned));
        // The one character that JSON and SQLite have, and PostgreSQL has not.
        let kind = kind.replace('\0', "\u{fffd}");
        postgres.note_processed(ProcessedRow { user, client_id, seq, kind, data: data.to_owned(), refused });
        return Ok(());
    }
    database
        .execute(
            "INSERT INTO everwire_processed (user_id, client_id, seq, type, data, refused)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            &[&user, &client_id, &seq.cast_signed(), &kind, &data, &refused],
        )
        .map(drop)
}

/// The messages of a user in the order in which they were processed.
pub fn processed(database: &Database, user: &str) -> Result<Vec<Processed>> {
    let all = "SELECT client_id, seq, type, data, refused FROM everwire_processed WHERE user_id = ?1 ORDER BY id";
    database.query(all, &[&user], |row| {
        let data: String = row.get(3)?;
        Ok(Processed {
            client_id: row.get(0)?,
            seq: row.get::<i64>(1)?.cast_unsigned(),
            r#type: row.get(2)?,
            data: serde_json::from_str(&data).unwrap_or_default(),
            refused: row.get(4)?,
        })
    })
}

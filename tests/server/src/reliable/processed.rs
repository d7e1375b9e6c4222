//! The messages that were processed, in order, for the tests that count them.

use rusqlite::{Connection as Database, params};
use serde::Serialize;
use serde_json::Value;

/// One message as `GET /dev/processed` shows it.
#[derive(Serialize)]
pub struct Processed {
    pub client_id: String,
    pub seq: u64,
    pub r#type: String,
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
) -> rusqlite::Result<()> {
    database
        .prepare_cached(
            "INSERT INTO processed (user_id, client_id, seq, type, data, refused) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![user, client_id, seq.cast_signed(), kind, data, refused])
        .map(drop)
}

/// The messages of a user in the order in which they were processed.
pub fn processed(database: &Database, user: &str) -> rusqlite::Result<Vec<Processed>> {
    database
        .prepare("SELECT client_id, seq, type, data, refused FROM processed WHERE user_id = ?1 ORDER BY id")?
        .query_map([user], |row| {
            let data: String = row.get(3)?;
            Ok(Processed {
                client_id: row.get(0)?,
                seq: row.get::<_, i64>(1)?.cast_unsigned(),
                r#type: row.get(2)?,
                data: serde_json::from_str(&data).unwrap_or_default(),
                refused: row.get(4)?,
            })
        })?
        .collect()
}

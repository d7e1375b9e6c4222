//! The SQLite file: opened, its tables made, and shared with other processes.

use std::{path::Path, thread, time::Duration};

use rusqlite::{Connection as Database, ErrorCode, TransactionBehavior};

use crate::{reliable, store::StoreError};

/// Opens a database file, or one in memory, and makes its tables if it is new.
///
/// Other processes may have the file as well: during a rolling restart there are two.
pub fn open(path: Option<&Path>) -> Result<Database, StoreError> {
    let mut database = match path {
        Some(path) => Database::open(path)?,
        None => Database::open_in_memory()?,
    };
    database.set_prepared_statement_cache_capacity(PREPARED_STATEMENTS);
    database.busy_handler(Some(wait_for_others))?;
    use_wal(&database)?;
    database.execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")?;
    make_tables(&mut database)?;
    Ok(database)
}

/// A number that changes when another process has stored something.
pub fn version(database: &Database) -> rusqlite::Result<i64> {
    database.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
}

/// Transactions of another process are short, and it lets go of the file for a moment only, so a long sleep would miss it.
fn wait_for_others(times: i32) -> bool {
    thread::sleep(BUSY_PAUSE);
    BUSY_PAUSE.saturating_mul(times.unsigned_abs()) < BUSY_DEADLINE
}

/// SQLite does not call the busy handler where two processes change the journal of a new file at the same time.
fn use_wal(database: &Database) -> rusqlite::Result<()> {
    let mut times = 0;
    loop {
        let done = database.execute_batch("PRAGMA journal_mode = WAL;");
        let busy = done.as_ref().is_err_and(|error| error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy));
        if !busy || !wait_for_others(times) {
            return done;
        }
        times += 1;
    }
}

fn make_tables(database: &mut Database) -> Result<(), StoreError> {
    let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let tables: i64 = transaction.query_row("SELECT COUNT(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let version: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if tables > 0 && version != SCHEMA_VERSION {
        return Err(StoreError::OtherSchema(version));
    }
    if tables == 0 {
        transaction.execute_batch(SCHEMA)?;
        transaction.execute_batch(reliable::SCHEMA)?;
        transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    }
    Ok(transaction.commit()?)
}

const SCHEMA: &str = "
    CREATE TABLE matches (
        id TEXT PRIMARY KEY,
        first_user TEXT NOT NULL,
        second_user TEXT NOT NULL,
        status TEXT NOT NULL,
        revision INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX matches_by_first_user ON matches (first_user);
    CREATE INDEX matches_by_second_user ON matches (second_user);
    CREATE INDEX matches_by_revision ON matches (revision);
    CREATE TABLE messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        match_id TEXT NOT NULL REFERENCES matches (id),
        sender_id TEXT NOT NULL,
        client_id TEXT,
        content TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        read_at INTEGER
    ) STRICT;
    CREATE INDEX messages_by_match ON messages (match_id, id);
    CREATE INDEX messages_unread ON messages (match_id, sender_id) WHERE read_at IS NULL;
    CREATE UNIQUE INDEX messages_once ON messages (match_id, sender_id, client_id) WHERE client_id IS NOT NULL;
";

/// Grows with every change of the tables, here or in the reliable mode.
pub const SCHEMA_VERSION: i64 = 3;

/// More than there are statements.
const PREPARED_STATEMENTS: usize = 128;

const BUSY_PAUSE: Duration = Duration::from_micros(500);
const BUSY_DEADLINE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_of_another_version_is_refused_and_named() {
        let file = std::env::temp_dir().join(format!("everwire-schema-{}.sqlite3", std::process::id()));
        for version in [0, SCHEMA_VERSION + 1] {
            let other = Database::open(&file).unwrap();
            other.execute_batch("CREATE TABLE IF NOT EXISTS clients (id INTEGER)").unwrap();
            other.pragma_update(None, "user_version", version).unwrap();
            let error = open(Some(&file)).unwrap_err();
            assert!(matches!(error, StoreError::OtherSchema(found) if found == version), "{error}");
        }
        std::fs::remove_file(&file).unwrap();
        open(Some(&file)).unwrap();
        open(Some(&file)).unwrap();
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", file.display()));
        }
    }
}

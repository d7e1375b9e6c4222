//! The SQLite file: opened, its tables made, and shared with other processes.

use std::{path::Path, thread, time::Duration};

use rusqlite::{Connection, ErrorCode, ParamsFromIter, ToSql, params_from_iter};

use super::{Database, Param};
use crate::{store::StoreError, tables::Tables};

/// Opens a database file, or one in memory, and makes its tables if it is new.
///
/// Other processes may have the file as well: during a rolling restart there are two.
pub fn open(path: Option<&Path>, tables: &Tables) -> Result<Database, StoreError> {
    let mut connection = match path {
        Some(path) => Connection::open(path),
        None => Connection::open_in_memory(),
    }
    .map_err(super::DatabaseError::from)?;
    connection.set_prepared_statement_cache_capacity(PREPARED_STATEMENTS);
    connection.busy_handler(Some(wait_for_others)).map_err(super::DatabaseError::from)?;
    use_wal(&connection).map_err(super::DatabaseError::from)?;
    let database = Database::sqlite_from(connection);
    database.define("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")?;
    database.begin()?;
    tables.make(&database)?;
    database.commit()?;
    Ok(database)
}

pub fn params<'a>(given: &'a [&'a dyn Param]) -> ParamsFromIter<impl Iterator<Item = &'a dyn ToSql>> {
    params_from_iter(given.iter().map(|param| param.for_sqlite()))
}

/// Transactions of another process are short, and it lets go of the file for a moment only, so a long sleep would miss it.
fn wait_for_others(times: i32) -> bool {
    thread::sleep(BUSY_PAUSE);
    BUSY_PAUSE.saturating_mul(times.unsigned_abs()) < BUSY_DEADLINE
}

/// SQLite does not call the busy handler where two processes change the journal of a new file at the same time.
fn use_wal(database: &Connection) -> rusqlite::Result<()> {
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

/// Whether SQLite could not do its work.
pub fn is_of_storage(error: &rusqlite::Error) -> bool {
    use ErrorCode::{
        CannotOpen, DatabaseBusy, DatabaseCorrupt, DatabaseLocked, DiskFull, FileLockingProtocolFailed,
        InternalMalfunction, NoLargeFileSupport, NotADatabase, OperationAborted, OperationInterrupted, OutOfMemory,
        PermissionDenied, ReadOnly, SchemaChanged, SystemIoFailure,
    };
    matches!(
        error.sqlite_error_code(),
        Some(
            CannotOpen
                | DatabaseBusy
                | DatabaseCorrupt
                | DatabaseLocked
                | DiskFull
                | FileLockingProtocolFailed
                | InternalMalfunction
                | NoLargeFileSupport
                | NotADatabase
                | OperationAborted
                | OperationInterrupted
                | OutOfMemory
                | PermissionDenied
                | ReadOnly
                | SchemaChanged
                | SystemIoFailure
        )
    )
}

/// Whether another process has the file for too long.
pub fn may_pass(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// More than there are statements.
const PREPARED_STATEMENTS: usize = 128;

const BUSY_PAUSE: Duration = Duration::from_micros(500);
const BUSY_DEADLINE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(kind: &str, code: i32) -> rusqlite::Error {
        rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), Some(kind.to_owned()))
    }

    #[test]
    fn only_what_the_database_cannot_do_is_a_failure_of_the_storage() {
        for code in [rusqlite::ffi::SQLITE_FULL, rusqlite::ffi::SQLITE_IOERR, rusqlite::ffi::SQLITE_BUSY] {
            assert!(is_of_storage(&failed("storage", code)), "{code}");
        }
        for code in [rusqlite::ffi::SQLITE_CONSTRAINT, rusqlite::ffi::SQLITE_TOOBIG, rusqlite::ffi::SQLITE_MISMATCH] {
            assert!(!is_of_storage(&failed("content", code)), "{code}");
        }
        assert!(!is_of_storage(&rusqlite::Error::QueryReturnedNoRows));
    }

    #[test]
    fn a_database_of_another_version_is_refused_and_named() {
        let file = std::env::temp_dir().join(format!("everwire-schema-{}.sqlite3", std::process::id()));
        let remove = || {
            for suffix in ["", "-wal", "-shm"] {
                let _ = std::fs::remove_file(format!("{}{suffix}", file.display()));
            }
        };
        remove();
        let tables = Tables::default();
        // Tables of something else that have our names.
        Connection::open(&file).unwrap().execute_batch("CREATE TABLE everwire_clients (client_id TEXT)").unwrap();
        let error = open(Some(&file), &tables).map(drop).unwrap_err();
        assert!(matches!(error, StoreError::OtherSchema { found: 0, .. }), "{error}");
        remove();
        open(Some(&file), &tables).unwrap();
        open(Some(&file), &tables).unwrap().define("UPDATE everwire_memory SET version = 77").unwrap();
        let error = open(Some(&file), &tables).map(drop).unwrap_err();
        assert!(matches!(error, StoreError::OtherSchema { found: 77, .. }), "{error}");
        remove();
    }
}

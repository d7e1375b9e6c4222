//! The kinds of databases.

use std::{fmt, path::PathBuf};

use super::StoreError;
use crate::{
    database::{Database, open_postgres, open_sqlite},
    tables::Tables,
};

/// Where everything is stored that has to be.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Backend {
    /// A file, or memory.
    Sqlite(SqliteStore),
    /// A database that several nodes share.
    Postgres(PostgresStore),
}

/// SQLite, which needs no set-up. Several processes of one machine may have the file.
#[derive(Clone, Debug, Default)]
pub struct SqliteStore {
    path: Option<PathBuf>,
    tables: Tables,
}

impl SqliteStore {
    /// A file, made if it is not there.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: Some(path.into()), tables: Tables::default() }
    }

    /// In memory, to be forgotten with the process.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::default()
    }

    /// Statements for the application's own tables, carried out at every start: `CREATE TABLE IF NOT EXISTS …`.
    #[must_use]
    pub fn setup(mut self, sql: impl Into<String>) -> Self {
        self.tables.setup.push(sql.into());
        self
    }
}

/// PostgreSQL, for several nodes: a client may come back to any of them, and gets its events from all.
///
/// Transactions of all nodes come one after the other, so nodes share connections and not the work of the database. There is no TLS. A database
/// belongs to servers of one kind: that of the Python library has other tables.
#[derive(Clone)]
pub struct PostgresStore {
    url: String,
    tables: Tables,
}

impl PostgresStore {
    /// `postgres://user:password@host:port/database`, or the words of libpq.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), tables: Tables::default() }
    }

    /// Statements for the application's own tables, carried out at every start: `CREATE TABLE IF NOT EXISTS …`, in the SQL of SQLite, whose
    /// `INTEGER` becomes `BIGINT`.
    #[must_use]
    pub fn setup(mut self, sql: impl Into<String>) -> Self {
        self.tables.setup.push(sql.into());
        self
    }
}

impl fmt::Debug for PostgresStore {
    /// Without the URL, which may have a password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}

impl From<PostgresStore> for Backend {
    fn from(store: PostgresStore) -> Self {
        Self::Postgres(store)
    }
}

impl From<SqliteStore> for Backend {
    fn from(store: SqliteStore) -> Self {
        Self::Sqlite(store)
    }
}

impl Backend {
    pub(super) fn open(&self) -> std::result::Result<Database, StoreError> {
        match self {
            Self::Sqlite(SqliteStore { path, tables }) => open_sqlite(path.as_deref(), tables),
            Self::Postgres(PostgresStore { url, tables }) => open_postgres(url, tables),
        }
    }

    /// Whether other processes may have it too.
    pub(super) fn is_shared(&self) -> bool {
        match self {
            Self::Sqlite(store) => store.path.is_some(),
            Self::Postgres(_) => true,
        }
    }
}

//! One way to talk to each of the databases.
//!
//! Statements are written once, in the SQL that the databases have in common, with `?1`, `?2` … for what is given.

mod sqlite;

use std::fmt;

use rusqlite::types::FromSql;

pub(crate) use sqlite::open as open_sqlite;

/// A database within a transaction, as handlers and jobs are given it.
///
/// Statements are prepared once. Begin and commit are the library's.
pub struct Database {
    kind: Kind,
}

enum Kind {
    Sqlite(rusqlite::Connection),
}

/// The result of a statement.
pub type Result<T> = std::result::Result<T, DatabaseError>;

/// Why a statement has no result.
#[derive(Debug)]
#[non_exhaustive]
pub enum DatabaseError {
    /// SQLite refused.
    Sqlite(rusqlite::Error),
    /// A handler of the library's user, or a test, wants the whole transaction to fail.
    Failed(&'static str),
}

impl DatabaseError {
    /// Whether the database could not do its work. Everything else is about what it was asked to do, and would fail the next time
    /// as well.
    #[must_use]
    pub fn is_of_storage(&self) -> bool {
        match self {
            Self::Sqlite(error) => sqlite::is_of_storage(error),
            Self::Failed(_) => true,
        }
    }
}

impl Database {
    pub(crate) fn sqlite_from(connection: rusqlite::Connection) -> Self {
        Self { kind: Kind::Sqlite(connection) }
    }

    /// Carries a statement out and says how many rows it has changed.
    ///
    /// # Errors
    /// The database does not take the statement, or what is given with it.
    pub fn execute(&self, sql: &str, given: &[&dyn Param]) -> Result<usize> {
        match &self.kind {
            Kind::Sqlite(database) => Ok(database.prepare_cached(sql)?.execute(sqlite::params(given))?),
        }
    }

    /// The first row of an answer, read by `read`; `None` if there is none.
    ///
    /// # Errors
    /// As [`Database::execute`], and what `read` fails with.
    pub fn query_row<T>(
        &self,
        sql: &str,
        given: &[&dyn Param],
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        match &self.kind {
            Kind::Sqlite(database) => {
                let mut statement = database.prepare_cached(sql)?;
                let mut rows = statement.query(sqlite::params(given))?;
                rows.next()?.map(|row| read(&Row(RowKind::Sqlite(row)))).transpose()
            }
        }
    }

    /// All rows of an answer, each read by `read`.
    ///
    /// # Errors
    /// As [`Database::query_row`].
    pub fn query<T>(
        &self,
        sql: &str,
        given: &[&dyn Param],
        mut read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut all = Vec::new();
        self.each_while(sql, given, |row| {
            all.push(read(row)?);
            Ok(true)
        })?;
        Ok(all)
    }

    /// Reads rows for as long as `read` says to go on.
    ///
    /// # Errors
    /// As [`Database::query_row`].
    pub fn each_while(
        &self,
        sql: &str,
        given: &[&dyn Param],
        mut read: impl FnMut(&Row<'_>) -> Result<bool>,
    ) -> Result<()> {
        match &self.kind {
            Kind::Sqlite(database) => {
                let mut statement = database.prepare_cached(sql)?;
                let mut rows = statement.query(sqlite::params(given))?;
                while let Some(row) = rows.next()? {
                    if !read(&Row(RowKind::Sqlite(row)))? {
                        break;
                    }
                }
                Ok(())
            }
        }
    }

    /// Whether a query has any row.
    ///
    /// # Errors
    /// As [`Database::execute`].
    pub fn exists(&self, sql: &str, given: &[&dyn Param]) -> Result<bool> {
        Ok(self.query_row(sql, given, |_| Ok(()))?.is_some())
    }

    /// The driver's connection, on SQLite. Its statements are part of the transaction, which is not to be ended.
    #[must_use]
    pub fn sqlite(&self) -> Option<&rusqlite::Connection> {
        match &self.kind {
            Kind::Sqlite(database) => Some(database),
        }
    }

    /// Whether there is a table.
    pub(crate) fn has_table(&self, name: &str) -> Result<bool> {
        match &self.kind {
            Kind::Sqlite(_) => self.exists("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1", &[&name]),
        }
    }

    /// Definitions of tables, as SQLite spells them.
    pub(crate) fn define(&self, sql: &str) -> Result<()> {
        match &self.kind {
            Kind::Sqlite(_) => self.batch(sql),
        }
    }

    /// Several statements without parameters or results.
    pub(crate) fn batch(&self, sql: &str) -> Result<()> {
        match &self.kind {
            Kind::Sqlite(database) => Ok(database.execute_batch(sql)?),
        }
    }

    /// From here on, what the rows say is true until the end of the transaction.
    pub(crate) fn begin(&self) -> Result<()> {
        self.execute("BEGIN IMMEDIATE", &[]).map(drop)
    }

    pub(crate) fn commit(&self) -> Result<()> {
        self.execute("COMMIT", &[]).map(drop)
    }

    pub(crate) fn rollback(&self) -> Result<()> {
        self.execute("ROLLBACK", &[]).map(drop)
    }

    /// Whether a statement that fails ends the transaction.
    pub(crate) fn ends_with_errors(&self) -> bool {
        match &self.kind {
            Kind::Sqlite(_) => false,
        }
    }

    /// A number that changes when another process has stored something.
    pub(crate) fn version(&self) -> Result<i64> {
        match &self.kind {
            Kind::Sqlite(_) => Ok(self.query_row("PRAGMA data_version", &[], |row| row.get(0))?.unwrap_or_default()),
        }
    }

    /// The highest id that a table has ever given.
    pub(crate) fn highest_id(&self, table: &str) -> Result<i64> {
        match &self.kind {
            Kind::Sqlite(_) => {
                let found =
                    self.query_row("SELECT seq FROM sqlite_sequence WHERE name = ?1", &[&table], |row| row.get(0))?;
                Ok(found.unwrap_or_default())
            }
        }
    }
}

/// What can be given with a statement: text, integers of 64 bits, and `None` for NULL.
pub trait Param: Sync {
    #[doc(hidden)]
    fn for_sqlite(&self) -> &dyn rusqlite::ToSql;
}

impl<T: rusqlite::ToSql + Sync> Param for T {
    fn for_sqlite(&self) -> &dyn rusqlite::ToSql {
        self
    }
}

/// What can be read from a column: `String`, `i64`, `bool`, and `Option` of these.
pub trait Column: FromSql {}

impl<T: FromSql> Column for T {}

/// One row of an answer.
pub struct Row<'a>(RowKind<'a>);

enum RowKind<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
}

impl Row<'_> {
    /// A column by its place, from 0.
    ///
    /// # Errors
    /// There is no such column, or it has another type.
    pub fn get<T: Column>(&self, index: usize) -> Result<T> {
        match self.0 {
            RowKind::Sqlite(row) => Ok(row.get(index)?),
        }
    }
}

impl fmt::Display for DatabaseError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(error) => error.fmt(formatter),
            Self::Failed(why) => formatter.write_str(why),
        }
    }
}

impl std::error::Error for DatabaseError {}

impl From<rusqlite::Error> for DatabaseError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

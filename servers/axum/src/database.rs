//! One way to talk to each of the databases.
//!
//! Statements are written once, in the SQL that the databases have in common, with `?1`, `?2` … for what is given.

mod error;
mod param;
mod postgres;
mod row;
mod sqlite;
mod statement;

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use self::row::RowKind;

pub use error::DatabaseError;
pub(crate) use param::Ids;
pub use param::Param;
pub(crate) use postgres::{Highest, NewEvent, Postgres, ProcessedRow, Progress, Sent, Take, open as open_postgres};
pub use row::{Column, Row};
pub(crate) use sqlite::open as open_sqlite;

/// A database within a transaction, as handlers and jobs are given it.
///
/// Statements are prepared once. Begin and commit are the library's.
pub struct Database {
    kind: Kind,
    /// Whether a transaction has begun, and neither was committed nor rolled back.
    has_begun: Cell<bool>,
    /// When it could last not store something, for a reason that does not pass by itself.
    unstored_at: Cell<Option<Instant>>,
}

enum Kind {
    Sqlite(rusqlite::Connection),
    Postgres(Box<Postgres>),
}

/// The result of a statement.
pub type Result<T> = std::result::Result<T, DatabaseError>;

impl Database {
    pub(crate) fn sqlite_from(connection: rusqlite::Connection) -> Self {
        Self::of(Kind::Sqlite(connection))
    }

    fn of(kind: Kind) -> Self {
        Self { kind, has_begun: Cell::new(false), unstored_at: Cell::new(None) }
    }

    /// Carries a statement out and says how many rows it has changed.
    ///
    /// # Errors
    /// The database does not take the statement, or what is given with it.
    pub fn execute(&self, sql: &str, given: &[&dyn Param]) -> Result<usize> {
        self.check(sql)?;
        let changed = match &self.kind {
            Kind::Sqlite(database) => {
                let statement = database.prepare_cached(sql);
                statement.and_then(|mut statement| statement.execute(sqlite::params(given))).map_err(Into::into)
            }
            Kind::Postgres(database) => database.execute(sql, given),
        };
        self.noted(changed)
    }

    /// Remembers that something could not be stored.
    fn noted<T>(&self, result: Result<T>) -> Result<T> {
        if result.as_ref().is_err_and(DatabaseError::is_lasting) {
            self.unstored_at.set(Some(Instant::now()));
        }
        result
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
        self.check(sql)?;
        self.noted(self.first_row(sql, given, read))
    }

    fn first_row<T>(
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
            Kind::Postgres(database) => {
                let rows = database.query(sql, given)?;
                rows.first().map(|row| read(&Row(RowKind::Postgres(row)))).transpose()
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
        read: impl FnMut(&Row<'_>) -> Result<bool>,
    ) -> Result<()> {
        self.check(sql)?;
        self.noted(self.rows_while(sql, given, read))
    }

    fn rows_while(
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
            Kind::Postgres(database) => {
                for row in &database.query(sql, given)? {
                    if !read(&Row(RowKind::Postgres(row)))? {
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
            Kind::Postgres(_) => None,
        }
    }

    /// Whether its disk was full a moment ago, or it could only be read. One that is full may have room for the little that a question could write.
    pub(crate) fn stores_nothing(&self) -> bool {
        self.unstored_at.get().is_some_and(|at| at.elapsed() < UNSTORED_FOR)
    }

    /// Whether it takes more than questions: it is no standby of PostgreSQL, and has stored what it was given.
    pub(crate) fn is_writable(&self) -> Result<bool> {
        if self.stores_nothing() {
            return Ok(false);
        }
        let sql = match &self.kind {
            Kind::Sqlite(_) => return Ok(true),
            Kind::Postgres(_) => "SELECT current_setting('transaction_read_only') = 'off'",
        };
        Ok(self.query_row(sql, &[], |row| row.get(0))?.unwrap_or_default())
    }

    /// Whether there is a table with this column.
    pub(crate) fn has_column(&self, table: &str, column: &str) -> Result<bool> {
        let sql = match &self.kind {
            Kind::Sqlite(_) => "SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2",
            Kind::Postgres(_) => {
                "SELECT 1 FROM information_schema.columns
                 WHERE table_schema = current_schema() AND table_name = ?1 AND column_name = ?2"
            }
        };
        self.exists(sql, &[&table, &column])
    }

    /// Definitions of tables, as SQLite spells them.
    pub(crate) fn define(&self, sql: &str) -> Result<()> {
        match &self.kind {
            Kind::Sqlite(database) => Ok(database.execute_batch(sql)?),
            Kind::Postgres(database) => database.simple(&postgres::translate(sql)),
        }
    }

    /// Definitions that the databases have not in common.
    pub(crate) fn define_own(&self, for_sqlite: &str, for_postgres: &str) -> Result<()> {
        match &self.kind {
            Kind::Sqlite(database) => Ok(database.execute_batch(for_sqlite)?),
            Kind::Postgres(database) => database.simple(for_postgres),
        }
    }

    /// PostgreSQL, for what is worth doing for many messages together.
    pub(crate) fn postgres(&self) -> Option<&Postgres> {
        match &self.kind {
            Kind::Sqlite(_) => None,
            Kind::Postgres(database) => Some(database),
        }
    }

    /// From here on, what the rows say is true until the end of the transaction.
    pub(crate) fn begin(&self) -> Result<()> {
        match &self.kind {
            Kind::Sqlite(database) => control(database, "BEGIN IMMEDIATE"),
            Kind::Postgres(database) => database.begin(),
        }?;
        self.has_begun.set(true);
        Ok(())
    }

    /// Whether the transaction is still there: SQLite ends it where a statement such as `INSERT OR ROLLBACK` fails.
    pub(crate) fn check_transaction(&self) -> Result<()> {
        match &self.kind {
            Kind::Sqlite(database) if self.has_begun.get() && database.is_autocommit() => {
                Err(DatabaseError::RolledBack)
            }
            _ => Ok(()),
        }
    }

    /// What is carried out is part of a transaction that the library ends: the messages of others are in the same.
    fn check(&self, sql: &str) -> Result<()> {
        statement::check(sql)?;
        self.check_transaction()
    }

    /// Stores everything, and says which ids were the highest then.
    pub(crate) fn commit(&self) -> Result<Highest> {
        let highest = self.noted(self.committed())?;
        self.has_begun.set(false);
        Ok(highest)
    }

    fn committed(&self) -> Result<Highest> {
        match &self.kind {
            Kind::Sqlite(database) => {
                let highest = self.highest()?;
                control(database, "COMMIT")?;
                Ok(highest)
            }
            Kind::Postgres(database) => {
                database.commit()?;
                Ok(database.highest())
            }
        }
    }

    pub(crate) fn rollback(&self) -> Result<()> {
        self.has_begun.set(false);
        match &self.kind {
            Kind::Sqlite(database) => control(database, "ROLLBACK"),
            Kind::Postgres(database) => database.rollback(),
        }
    }

    /// A place in the transaction that can be returned to.
    pub(crate) fn savepoint(&self) -> Result<()> {
        match &self.kind {
            Kind::Sqlite(database) => control(database, "SAVEPOINT effects"),
            Kind::Postgres(database) => {
                database.savepoint();
                Ok(())
            }
        }
    }

    /// Undoes what has come since, and forgets the place.
    pub(crate) fn roll_back_to_savepoint(&self) -> Result<()> {
        match &self.kind {
            Kind::Sqlite(database) => {
                control(database, "ROLLBACK TO effects")?;
                control(database, "RELEASE effects")
            }
            Kind::Postgres(database) => database.roll_back_to_savepoint(),
        }
    }

    /// Forgets the place. Says whether what has come since can stay; if not, it has to be returned to.
    pub(crate) fn release_savepoint(&self) -> Result<bool> {
        match &self.kind {
            Kind::Sqlite(database) => control(database, "RELEASE effects").map(|()| true),
            Kind::Postgres(database) => database.release_savepoint(),
        }
    }

    /// Whether a statement that fails ends the transaction.
    pub(crate) fn ends_with_errors(&self) -> bool {
        self.postgres().is_some()
    }

    /// Whether another process may have stored something since `version`, which is brought up to date, or beyond what is known. Asked
    /// between transactions.
    pub(crate) fn is_news(&self, version: i64, known: Highest) -> Result<bool> {
        match &self.kind {
            Kind::Sqlite(_) => Ok(self.version()? != version),
            Kind::Postgres(database) => {
                let (highest, outbox_waits) = database.ask_news()?;
                Ok(outbox_waits || highest != known)
            }
        }
    }

    /// A number that changes when another process has stored something; always 0 where the highest ids say so.
    pub(crate) fn version(&self) -> Result<i64> {
        match &self.kind {
            Kind::Sqlite(_) => {
                let sql = "SELECT data_version FROM pragma_data_version";
                Ok(self.query_row(sql, &[], |row| row.get(0))?.unwrap_or_default())
            }
            Kind::Postgres(_) => Ok(0),
        }
    }

    /// Whether a transaction of the application's own has published something, as it was at the beginning of this one. On SQLite the
    /// version says so.
    pub(crate) fn outbox_waits(&self) -> bool {
        self.postgres().is_some_and(Postgres::outbox_waits)
    }

    /// The highest ids of events and changes, within a transaction.
    pub(crate) fn highest(&self) -> Result<Highest> {
        match &self.kind {
            Kind::Sqlite(_) => {
                let highest = |table: &str| -> Result<i64> {
                    let sql = "SELECT seq FROM sqlite_sequence WHERE name = ?1";
                    Ok(self.query_row(sql, &[&table], |row| row.get(0))?.unwrap_or_default())
                };
                Ok(Highest { event: highest("everwire_events")?, change: highest("everwire_changes")? })
            }
            Kind::Postgres(database) => Ok(database.highest()),
        }
    }
}

/// A statement about the transaction itself.
fn control(database: &rusqlite::Connection, sql: &str) -> Result<()> {
    database.prepare_cached(sql)?.execute([])?;
    Ok(())
}

/// How long a database counts as one that cannot store, after it could not.
const UNSTORED_FOR: Duration = Duration::from_secs(10);

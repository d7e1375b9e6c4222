//! One way to talk to each of the databases.
//!
//! Statements are written once, in the SQL that the databases have in common, with `?1`, `?2` … for what is given.

mod postgres;
mod sqlite;

use std::{
    cell::Cell,
    fmt,
    time::{Duration, Instant},
};

use rusqlite::types::FromSql;
use tokio_postgres::types::{FromSql as FromPostgres, ToSql as ToPostgres};

pub(crate) use postgres::{Highest, NewEvent, Postgres, ProcessedRow, Progress, Sent, Take, open as open_postgres};
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

/// Why a statement has no result.
#[derive(Debug)]
#[non_exhaustive]
pub enum DatabaseError {
    /// SQLite refused.
    Sqlite(rusqlite::Error),
    /// PostgreSQL refused, or the connection to it was lost.
    Postgres(tokio_postgres::Error),
    /// PostgreSQL is away; it is tried again every second.
    Away,
    /// PostgreSQL does not answer, or the system has no threads or files left.
    Io(std::io::Error),
    /// A statement of the application's has made SQLite roll back the whole transaction (`INSERT OR ROLLBACK`).
    RolledBack,
    /// A handler of the library's user, or a test, wants the whole transaction to fail. From a closure of [`Wire::transact`](crate::Wire::transact) it undoes that closure.
    Failed(&'static str),
    /// The application has published what no client could take for an event, has tried to end the transaction, has gone on
    /// after a statement that failed, or its closure has panicked.
    Application(&'static str),
}

impl DatabaseError {
    /// Whether the database could not do its work. Everything else is about what it was asked to do, and would fail the next time
    /// as well.
    #[must_use]
    pub fn is_of_storage(&self) -> bool {
        match self {
            Self::Sqlite(error) => sqlite::is_of_storage(error),
            Self::Postgres(error) => postgres::is_of_storage(error),
            Self::RolledBack | Self::Failed(_) | Self::Away | Self::Io(_) => true,
            Self::Application(_) => false,
        }
    }

    /// Whether the database could not do its work, and will not until somebody has seen to its disk or its rights.
    fn is_lasting(&self) -> bool {
        match self {
            Self::Sqlite(error) => sqlite::is_of_storage(error) && !sqlite::may_pass(error),
            Self::Postgres(error) => postgres::is_lasting(error),
            _ => false,
        }
    }

    /// Whether the database can be reached later, as things are.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Sqlite(error) => sqlite::may_pass(error),
            Self::Postgres(error) => postgres::may_pass(error),
            Self::Away => true,
            Self::Io(error) => error.kind() == std::io::ErrorKind::TimedOut,
            Self::RolledBack | Self::Failed(_) | Self::Application(_) => false,
        }
    }
}

/// How long a database counts as one that cannot store, after it could not.
const UNSTORED_FOR: Duration = Duration::from_secs(10);

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
        refuse_to_end(sql)?;
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
            Kind::Sqlite(_) => Ok(self.query_row("PRAGMA data_version", &[], |row| row.get(0))?.unwrap_or_default()),
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

fn refuse_to_end(sql: &str) -> Result<()> {
    let first = behind_comments(sql).split(|letter: char| !letter.is_ascii_alphabetic()).next().unwrap_or_default();
    if OF_TRANSACTIONS.iter().any(|word| word.eq_ignore_ascii_case(first)) {
        return Err(DatabaseError::Application("the transaction is the library's to begin and to end"));
    }
    Ok(())
}

/// The statement from its first word on. Only one is taken at a time, but empty ones before it are.
fn behind_comments(mut sql: &str) -> &str {
    loop {
        sql = sql.trim_start_matches(|letter: char| letter.is_whitespace() || letter == ';');
        let end = if sql.starts_with("--") {
            sql.find('\n')
        } else if sql.starts_with("/*") {
            sql.find("*/").map(|start| start + 1)
        } else {
            return sql;
        };
        sql = end.and_then(|end| sql.get(end + 1..)).unwrap_or_default();
    }
}

const OF_TRANSACTIONS: [&str; 8] = ["BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE"];

/// What can be given with a statement: text, integers of 64 bits, and `None` for NULL.
pub trait Param: Sync {
    #[doc(hidden)]
    fn for_sqlite(&self) -> &dyn rusqlite::ToSql;

    #[doc(hidden)]
    fn for_postgres(&self) -> &(dyn ToPostgres + Sync);
}

impl<T: rusqlite::ToSql + ToPostgres + Sync> Param for T {
    fn for_sqlite(&self) -> &dyn rusqlite::ToSql {
        self
    }

    fn for_postgres(&self) -> &(dyn ToPostgres + Sync) {
        self
    }
}

/// Several ids at once, which only PostgreSQL can be given.
#[derive(Debug)]
pub(crate) struct Ids<'a>(pub &'a [i64]);

impl Param for Ids<'_> {
    fn for_sqlite(&self) -> &dyn rusqlite::ToSql {
        &rusqlite::types::Null
    }

    fn for_postgres(&self) -> &(dyn ToPostgres + Sync) {
        &self.0
    }
}

/// What can be read from a column: `String`, `i64`, `bool`, and `Option` of these.
pub trait Column: FromSql + for<'a> FromPostgres<'a> {}

impl<T: FromSql + for<'a> FromPostgres<'a>> Column for T {}

/// One row of an answer.
pub struct Row<'a>(RowKind<'a>);

enum RowKind<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a tokio_postgres::Row),
}

impl Row<'_> {
    /// A column by its place, from 0.
    ///
    /// # Errors
    /// There is no such column, or it has another type.
    pub fn get<T: Column>(&self, index: usize) -> Result<T> {
        match self.0 {
            RowKind::Sqlite(row) => Ok(row.get(index)?),
            RowKind::Postgres(row) => Ok(row.try_get(index)?),
        }
    }
}

impl fmt::Display for DatabaseError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(error) => error.fmt(formatter),
            Self::Postgres(error) => match error.as_db_error() {
                // Without its detail, which may quote what was to be stored.
                Some(refused) => write!(formatter, "PostgreSQL: {} ({})", refused.message(), refused.code().code()),
                // Only what the system says: other causes may quote the URL.
                None => match postgres::cause_of_system(error) {
                    Some(cause) => write!(formatter, "PostgreSQL: {error}: {cause}"),
                    None => write!(formatter, "PostgreSQL: {error}"),
                },
            },
            Self::Away => formatter.write_str("PostgreSQL is away"),
            Self::Io(error) => error.fmt(formatter),
            Self::RolledBack => {
                formatter.write_str("a statement of the application's has made SQLite roll back the whole transaction")
            }
            Self::Failed(why) | Self::Application(why) => formatter.write_str(why),
        }
    }
}

impl std::error::Error for DatabaseError {}

impl From<rusqlite::Error> for DatabaseError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<tokio_postgres::Error> for DatabaseError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Postgres(error)
    }
}

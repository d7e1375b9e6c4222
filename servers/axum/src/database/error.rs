//! What can go wrong with a statement.

use std::fmt;

use super::{postgres::error_codes, sqlite};

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
            Self::Postgres(error) => error_codes::is_of_storage(error),
            Self::RolledBack | Self::Failed(_) | Self::Away | Self::Io(_) => true,
            Self::Application(_) => false,
        }
    }

    /// Whether the database could not do its work, and will not until somebody has seen to its disk or its rights.
    pub(super) fn is_lasting(&self) -> bool {
        match self {
            Self::Sqlite(error) => sqlite::is_of_storage(error) && !sqlite::may_pass(error),
            Self::Postgres(error) => error_codes::is_lasting(error),
            _ => false,
        }
    }

    /// Whether the database can be reached later, as things are.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Sqlite(error) => sqlite::may_pass(error),
            Self::Postgres(error) => error_codes::may_pass(error),
            Self::Away => true,
            Self::Io(error) => error.kind() == std::io::ErrorKind::TimedOut,
            Self::RolledBack | Self::Failed(_) | Self::Application(_) => false,
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
                None => match error_codes::cause_of_system(error) {
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

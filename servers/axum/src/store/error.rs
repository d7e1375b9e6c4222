//! What can go wrong with the database, or with a job.

use std::fmt;

use crate::{bus::BusError, database::DatabaseError, reliable::MAX_NUMBER, tables::SCHEMA_VERSION};

/// Why a job has no result.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// The database does not take it.
    Database(DatabaseError),
    /// Its transaction could not be stored.
    NotStored,
    /// The database thread is gone.
    Stopped,
    /// Its tables are those of another version, or of another server.
    OtherSchema {
        /// The version that was found, 0 if there is none.
        found: i64,
    },
    /// The epoch that was asked for is lower than that of the database, and clients would not believe it.
    LowEpoch {
        /// The epoch of the database.
        stored: u64,
    },
    /// The epoch is none of 1 to [`MAX_NUMBER`], which clients can read: another has to be given with [`Limits::epoch`](crate::Limits::epoch).
    EpochOutOfRange {
        /// The epoch that was asked for; `None` if it is that of the database.
        given: Option<u64>,
    },
    /// The way to other nodes cannot be opened.
    Bus(BusError),
    /// There is no randomness.
    Random(getrandom::Error),
}

impl StoreError {
    /// Whether it is worth trying again, unlike a wrong password or a file that is no database.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Database(error) => error.may_pass(),
            Self::NotStored => true,
            Self::Stopped
            | Self::OtherSchema { .. }
            | Self::LowEpoch { .. }
            | Self::EpochOutOfRange { .. }
            | Self::Bus(_)
            | Self::Random(_) => false,
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database(error) => write!(formatter, "database: {error}"),
            Self::NotStored => formatter.write_str("database: the transaction could not be stored"),
            Self::Stopped => formatter.write_str("database: not running"),
            Self::OtherSchema { found: 0 } => {
                formatter.write_str("database: it has tables of another server; give this one a database of its own")
            }
            Self::OtherSchema { found } => {
                write!(formatter, "database: its tables have version {found}, and this server needs {SCHEMA_VERSION}")
            }
            Self::LowEpoch { stored } => {
                write!(formatter, "database: it is in epoch {stored} already; give a higher one, or none")
            }
            Self::EpochOutOfRange { given: Some(given) } => {
                write!(
                    formatter,
                    "database: clients cannot read the epoch {given}; give one of 1 to {MAX_NUMBER}, or none"
                )
            }
            Self::EpochOutOfRange { given: None } => {
                write!(formatter, "database: clients cannot read its epoch; give one of 1 to {MAX_NUMBER}")
            }
            Self::Bus(error) => error.fmt(formatter),
            Self::Random(error) => write!(formatter, "database: {error}"),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<DatabaseError> for StoreError {
    fn from(error: DatabaseError) -> Self {
        Self::Database(error)
    }
}

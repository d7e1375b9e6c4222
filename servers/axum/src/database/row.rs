//! What an answer consists of.

use rusqlite::types::FromSql;
use tokio_postgres::types::FromSql as FromPostgres;

use super::Result;

/// What can be read from a column: `String`, `i64`, `bool`, and `Option` of these.
pub trait Column: FromSql + for<'a> FromPostgres<'a> {}

impl<T: FromSql + for<'a> FromPostgres<'a>> Column for T {}

/// One row of an answer.
pub struct Row<'a>(pub(super) RowKind<'a>);

pub(super) enum RowKind<'a> {
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

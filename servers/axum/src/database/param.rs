//! What is given with a statement.

use tokio_postgres::types::ToSql as ToPostgres;

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

//! The tables, made with the database.

use crate::{
    database::{Database, Result},
    reliable,
    store::StoreError,
};

/// What there is to be made: the library's tables, and those of the application.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// Statements of the application, carried out at every start.
    pub setup: Vec<String>,
}

impl Tables {
    /// Makes what is not there. Tables of another version are refused, and not changed.
    pub fn make(&self, database: &Database) -> std::result::Result<(), StoreError> {
        if database.has_column("everwire_memory", "version")? {
            let found = database.query_row("SELECT version FROM everwire_memory", &[], |row| row.get(0))?.unwrap_or(0);
            if found != SCHEMA_VERSION {
                return Err(StoreError::OtherSchema { found });
            }
        } else if has_others(database)? {
            return Err(StoreError::OtherSchema { found: 0 });
        } else {
            database.define(reliable::SCHEMA)?;
            database.define_own(reliable::SCHEMA_OF_SQLITE, reliable::SCHEMA_OF_POSTGRES)?;
            database.execute(
                "INSERT INTO everwire_memory (only_row, version, epoch) VALUES (1, ?1, 0)",
                &[&SCHEMA_VERSION],
            )?;
        }
        database.define_own(reliable::OUTBOX_OF_SQLITE, reliable::OUTBOX_OF_POSTGRES)?;
        for sql in &self.setup {
            database.define(sql)?;
        }
        Ok(())
    }
}

/// Tables of another server: of versions before 4, which had no prefix, or with our names and without a version.
fn has_others(database: &Database) -> Result<bool> {
    let has = |table, column| database.has_column(table, column);
    Ok(has("everwire_clients", "client_id")? || (has("memory", "epoch")? && has("streams", "newest")?))
}

/// Grows with every change of the tables.
pub const SCHEMA_VERSION: i64 = 4;

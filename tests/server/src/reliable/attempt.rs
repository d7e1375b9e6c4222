//! What a message does, all of it or nothing.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use rusqlite::{Connection as Database, ErrorCode};

use super::{
    ledger::Ledger,
    outbox::Mark,
    work::{Outcome, Source},
};
use crate::{action::Action, connection::Connection, reply};

/// How far a connection had a stream.
pub struct Advance {
    user: Arc<str>,
    connection: u64,
    stream: Box<str>,
    position: u64,
    behind: bool,
}

impl Advance {
    pub fn from(connection: &Connection, stream: &str, position: u64, behind: bool) -> Self {
        Self { user: connection.user.clone(), connection: connection.id, stream: stream.into(), position, behind }
    }
}

impl Ledger {
    /// Carries out what a message does. If that panics, or the database does not take its content, nothing of it has happened, and
    /// the message is refused: it would fail the next time as well. An error is one of the storage itself.
    pub fn attempt(
        &mut self,
        database: &Database,
        from: &Arc<Connection>,
        source: &Source,
        action: Action,
    ) -> rusqlite::Result<Outcome> {
        self.undoable(database, |ledger| ledger.perform(database, from, Some(source), action))
    }

    fn undoable(
        &mut self,
        database: &Database,
        effects: impl FnOnce(&mut Self) -> rusqlite::Result<Outcome>,
    ) -> rusqlite::Result<Outcome> {
        database.prepare_cached("SAVEPOINT effects")?.execute([])?;
        self.advances = Some(Vec::new());
        let mark = self.outbox.mark();
        let result = catch_unwind(AssertUnwindSafe(|| effects(self)));
        let advances = self.advances.take();
        let outcome = match result {
            Ok(Err(error)) if is_of_storage(&error) => return Err(error),
            Ok(Err(error)) => {
                tracing::error!(%error, "the content of a message cannot be stored");
                Err(())
            }
            Ok(Ok(outcome)) => Ok(outcome),
            Err(_) => {
                tracing::error!("processing a message panicked");
                Err(())
            }
        };
        if outcome.is_err() {
            database.prepare_cached("ROLLBACK TO effects")?.execute([])?;
            self.undo(mark, advances.unwrap_or_default());
        }
        database.prepare_cached("RELEASE effects")?.execute([])?;
        Ok(outcome.unwrap_or_else(|()| Err(reply::internal())))
    }

    /// What memory has of effects that are no longer in the database.
    fn undo(&mut self, mark: Mark, advances: Vec<Advance>) {
        self.outbox.undo(mark);
        for advance in advances.into_iter().rev() {
            let carriers = self.carriers.get_mut(&advance.user).into_iter().flatten();
            let of_connection = carriers.filter(|carrier| carrier.connection.id == advance.connection);
            for carried in of_connection.flat_map(|carrier| &mut carrier.streams) {
                if carried.name == advance.stream {
                    (carried.position, carried.behind) = (advance.position, advance.behind);
                }
            }
        }
    }
}

/// Whether the database could not do its work. Everything else is about what it was asked to do.
fn is_of_storage(error: &rusqlite::Error) -> bool {
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

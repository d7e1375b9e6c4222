//! What runs in the thread of the database.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::sync::{Notify, mpsc, oneshot};

use super::{
    Backend, StoreError, Wanted,
    transaction::{ending, transact_or_undo},
};
use crate::{database::Database, reliable::Ledger};

/// The database thread, and whether it is to end.
#[derive(Default)]
pub(super) struct StoreThread {
    is_closing: AtomicBool,
    pub(super) ended: Mutex<Option<oneshot::Receiver<()>>>,
}

impl StoreThread {
    /// Does what is wanted, until it is to end.
    pub(super) fn serve(
        &self,
        database: &Database,
        ledger: &mut Ledger,
        news: &Notify,
        queue: &mut mpsc::Receiver<Wanted>,
    ) {
        while let Some(wanted) = self.next(queue) {
            let first = match wanted {
                Wanted::Job(job) => Some(job),
                // An error is for the transaction to find.
                Wanted::Look if ledger.may_be_behind(database).unwrap_or(true) => None,
                Wanted::Look => continue,
            };
            let mut has_begun = transact_or_undo(database, ledger, news, first, queue);
            // A database that is away must not keep jobs from hearing of it.
            while has_begun && ledger.has_chores() {
                has_begun = transact_or_undo(database, ledger, news, None, queue);
            }
        }
    }

    pub(super) fn close(&self) {
        self.is_closing.store(true, Ordering::Release);
    }

    fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::Acquire)
    }

    /// What is wanted next: none when it is to end and has done everything, or when nobody can want anything any more.
    fn next(&self, queue: &mut mpsc::Receiver<Wanted>) -> Option<Wanted> {
        if self.is_closing() { queue.try_recv().ok() } else { queue.blocking_recv() }
    }
}

/// Opens a database that was away, when somebody asks for it and it is back. Until then every job fails: dropping it closes the channel of
/// its result. `None` if nobody can ask any more.
pub(super) fn await_database(
    mut open: impl FnMut() -> std::result::Result<Database, StoreError>,
    thread: &StoreThread,
    queue: &mut mpsc::Receiver<Wanted>,
) -> Option<Database> {
    let mut tried_at = Instant::now();
    loop {
        drop(queue.blocking_recv()?);
        if thread.is_closing() {
            return None;
        }
        if tried_at.elapsed() < AWAY_PAUSE {
            continue;
        }
        match open() {
            Ok(database) => return Some(database),
            Err(error) => tracing::error!(%error, "the database is away"),
        }
        tried_at = Instant::now();
    }
}

/// Opens the database for a process.
pub(super) fn begin(backend: &Backend, ledger: &mut Ledger, process: u64) -> std::result::Result<Database, StoreError> {
    let database = backend.open()?;
    database.begin()?;
    let loaded = ledger.load(&database, process).and_then(|()| Ok(database.commit()?));
    loaded.inspect_err(|_| ledger.rolled_back(&ending(&database)))?;
    Ok(database)
}

const AWAY_PAUSE: Duration = Duration::from_secs(1);

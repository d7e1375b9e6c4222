//! SQLite behind a thread of its own.
//!
//! Jobs that arrive while a transaction is being written go into the next one together, so the disk is waited for
//! once for many messages. A job's result is handed back after its transaction is on the disk.

#[cfg(test)]
use std::sync::Arc;
use std::{fmt, path::Path, thread};

use rusqlite::Connection as Database;
use tokio::sync::{mpsc, oneshot};

use crate::reliable::{self, Ledger};
#[cfg(test)]
use crate::{
    hub::{Capacity, Hub},
    metrics::Metrics,
    reliable::Bounds,
};

/// A handle to the database thread, which ends when the last handle is dropped.
#[derive(Clone)]
pub struct Store {
    jobs: mpsc::Sender<Job>,
}

type Job = Box<dyn FnOnce(&Database, &mut Ledger) -> Answer + Send>;
type Answer = Box<dyn FnOnce(Result<(), rusqlite::Error>) + Send>;

/// Why a job has no result.
#[derive(Debug)]
pub enum StoreError {
    /// SQLite refused.
    Sqlite(rusqlite::Error),
    /// The database thread is gone.
    Stopped,
}

impl Store {
    /// Opens a database file, or one in memory, brings its tables up, and reads the ledger's part.
    pub fn open(path: Option<&Path>, mut ledger: Ledger) -> Result<Self, StoreError> {
        let mut database = match path {
            Some(path) => Database::open(path),
            None => Database::open_in_memory(),
        }
        .map_err(StoreError::Sqlite)?;
        database.set_prepared_statement_cache_capacity(PREPARED_STATEMENTS);
        database
            .execute_batch(SCHEMA)
            .and_then(|()| database.execute_batch(reliable::SCHEMA))
            .and_then(|()| ledger.load(&database))
            .map_err(StoreError::Sqlite)?;
        let (jobs, mut queue) = mpsc::channel::<Job>(QUEUE_LEN);
        let run = move || {
            while let Some(job) = queue.blocking_recv() {
                transact(&mut database, &mut ledger, Some(job), &mut queue);
                while ledger.has_chores() {
                    transact(&mut database, &mut ledger, None, &mut queue);
                }
            }
        };
        thread::Builder::new().name("store".into()).spawn(run).map_err(|_| StoreError::Stopped)?;
        Ok(Self { jobs })
    }

    #[cfg(test)]
    pub(crate) fn in_memory() -> Self {
        let hub = Arc::new(Hub::new(Capacity { total: 1, per_user: 1 }));
        let bounds =
            Bounds { events: 10, event_age_ms: 1000, client_age_ms: 1000, epoch: None, max_message_bytes: 1000 };
        Self::open(None, Ledger::new(hub, Arc::new(Metrics::new()), bounds)).unwrap()
    }

    /// Runs a job in a transaction and waits until that is on the disk.
    pub async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Database) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move |database, _| {
            let result = job(database);
            Box::new(move |committed| {
                let _ = sender.send(committed.and(result));
            })
        });
        self.jobs.send(job).await.map_err(|_| StoreError::Stopped)?;
        receiver.await.map_err(|_| StoreError::Stopped)?.map_err(StoreError::Sqlite)
    }

    /// Runs a job that has to do with streams. If it fails, so does its whole transaction.
    pub async fn run_with_ledger<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Database, &mut Ledger) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move |database, ledger| {
            let result = job(database, ledger).inspect_err(|_| ledger.fail());
            Box::new(move |committed| {
                let _ = sender.send(committed.and(result));
            })
        });
        self.jobs.send(job).await.map_err(|_| StoreError::Stopped)?;
        receiver.await.map_err(|_| StoreError::Stopped)?.map_err(StoreError::Sqlite)
    }

    /// The same for a job whose end nobody waits for. Waits only while too many are waiting already.
    pub async fn post(
        &self,
        job: impl FnOnce(&Database, &mut Ledger) -> rusqlite::Result<()> + Send + 'static,
    ) -> Result<(), StoreError> {
        let job: Job = Box::new(move |database, ledger| {
            if let Err(error) = job(database, ledger) {
                tracing::error!(%error, "a job failed");
                ledger.fail();
            }
            Box::new(|_| {})
        });
        self.jobs.send(job).await.map_err(|_| StoreError::Stopped)
    }
}

/// One transaction: what the ledger has left to do, the first job, and those that wait behind it.
fn transact(database: &mut Database, ledger: &mut Ledger, first: Option<Job>, queue: &mut mpsc::Receiver<Job>) {
    let transaction = match database.transaction() {
        Ok(transaction) => transaction,
        Err(error) => {
            tracing::error!(%error, "the database takes no transaction");
            ledger.rolled_back();
            // The job's result is an error then: dropping the job closes its channel.
            return;
        }
    };
    if ledger.do_chores(&transaction).is_err() {
        ledger.fail();
    }
    let mut answers = Vec::new();
    let mut next = first.or_else(|| queue.try_recv().ok());
    while let Some(job) = next {
        answers.push(job(&transaction, ledger));
        let full = answers.len() >= MAX_JOBS_PER_TRANSACTION || ledger.has_failed();
        next = if full { None } else { queue.try_recv().ok() };
    }
    let committed = if ledger.has_failed() {
        transaction.rollback().and(Err(rusqlite::Error::InvalidQuery))
    } else {
        transaction.commit()
    };
    match &committed {
        Ok(()) => ledger.committed(),
        Err(error) => {
            tracing::error!(%error, "a transaction was not stored");
            ledger.rolled_back();
        }
    }
    for answer in answers {
        answer(match &committed {
            Ok(()) => Ok(()),
            Err(_) => Err(rusqlite::Error::InvalidQuery),
        });
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(error) => write!(formatter, "database: {error}"),
            Self::Stopped => formatter.write_str("database: not running"),
        }
    }
}

impl std::error::Error for StoreError {}

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA busy_timeout = 5000;
    PRAGMA foreign_keys = ON;
    CREATE TABLE IF NOT EXISTS matches (
        id TEXT PRIMARY KEY,
        first_user TEXT NOT NULL,
        second_user TEXT NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        match_id TEXT NOT NULL REFERENCES matches (id),
        sender_id TEXT NOT NULL,
        client_id TEXT,
        content TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        read_at INTEGER
    ) STRICT;
    CREATE INDEX IF NOT EXISTS messages_by_match ON messages (match_id, id);
    CREATE UNIQUE INDEX IF NOT EXISTS messages_once ON messages (match_id, sender_id, client_id)
        WHERE client_id IS NOT NULL;
";

const QUEUE_LEN: usize = 1024;
const MAX_JOBS_PER_TRANSACTION: usize = 1024;

/// More than there are statements.
const PREPARED_STATEMENTS: usize = 64;

//! SQLite behind a thread of its own.
//!
//! Jobs that arrive while a transaction is being written go into the next one together, so the disk is waited for
//! once for many messages. A job's result is handed back after its transaction is on the disk.

use std::{fmt, path::Path, thread};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

/// A handle to the database thread, which ends when the last handle is dropped.
#[derive(Clone)]
pub struct Store {
    jobs: mpsc::Sender<Job>,
}

type Job = Box<dyn FnOnce(&Connection) -> Answer + Send>;
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
    /// Opens a database file, or one in memory, and brings its tables up.
    pub fn open(path: Option<&Path>) -> Result<Self, StoreError> {
        let mut database = match path {
            Some(path) => Connection::open(path),
            None => Connection::open_in_memory(),
        }
        .map_err(StoreError::Sqlite)?;
        database.execute_batch(SCHEMA).map_err(StoreError::Sqlite)?;
        let (jobs, mut queue) = mpsc::channel::<Job>(QUEUE_LEN);
        let run = move || {
            while let Some(job) = queue.blocking_recv() {
                transact(&mut database, job, &mut queue);
            }
        };
        thread::Builder::new().name("store".into()).spawn(run).map_err(|_| StoreError::Stopped)?;
        Ok(Self { jobs })
    }

    /// Runs a job in a transaction and waits until that is on the disk.
    pub async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move |database| {
            let result = job(database);
            Box::new(move |committed| {
                let _ = sender.send(committed.and(result));
            })
        });
        self.jobs.send(job).await.map_err(|_| StoreError::Stopped)?;
        receiver.await.map_err(|_| StoreError::Stopped)?.map_err(StoreError::Sqlite)
    }
}

fn transact(database: &mut Connection, first: Job, queue: &mut mpsc::Receiver<Job>) {
    let transaction = match database.transaction() {
        Ok(transaction) => transaction,
        Err(error) => {
            tracing::error!(%error, "the database takes no transaction");
            // The job's result is an error then: dropping the job closes its channel.
            return;
        }
    };
    let mut answers = vec![first(&transaction)];
    while answers.len() < MAX_JOBS_PER_TRANSACTION
        && let Ok(job) = queue.try_recv()
    {
        answers.push(job(&transaction));
    }
    let committed = transaction.commit();
    if let Err(error) = &committed {
        tracing::error!(%error, "a transaction was not stored");
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
const MAX_JOBS_PER_TRANSACTION: usize = 256;

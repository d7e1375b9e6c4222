//! SQLite behind a thread of its own.
//!
//! Jobs that arrive while a transaction is being written go into the next one together, so the disk is waited for
//! once for many messages. A job's result is handed back after its transaction is on the disk.

use std::{fmt, path::Path, sync::Arc, thread, time::Duration};

use rusqlite::{Connection as Database, TransactionBehavior};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::{
    database::{self, SCHEMA_VERSION},
    reliable::Ledger,
};
#[cfg(test)]
use crate::{
    hub::{Capacity, Hub},
    metrics::Metrics,
    reliable::{Bounds, Kept},
    trail::Trail,
};

/// A handle to the database thread, which ends when the last handle is dropped.
#[derive(Clone)]
pub struct Store {
    jobs: mpsc::Sender<Wanted>,
    /// Told when another process has stored something.
    others: Arc<Notify>,
}

enum Wanted {
    Job(Job),
    /// To see whether another process has stored something.
    Look,
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
    /// Its tables are those of another version of this server.
    OtherSchema(i64),
    /// There is no randomness.
    Random(getrandom::Error),
}

impl Store {
    /// Opens a database file, or one in memory, makes its tables, and reads the ledger's part.
    pub fn open(path: Option<&Path>, mut ledger: Ledger) -> Result<Self, StoreError> {
        let mut database = database::open(path)?;
        let process = getrandom::u64().map_err(StoreError::Random)?;
        let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        ledger.load(&transaction, process)?;
        transaction.commit()?;
        let (jobs, mut queue) = mpsc::channel::<Wanted>(QUEUE_LEN);
        let others = Arc::new(Notify::new());
        let news = others.clone();
        let run = move || {
            while let Some(wanted) = queue.blocking_recv() {
                let first = match wanted {
                    Wanted::Job(job) => Some(job),
                    // An error is for the transaction to find.
                    Wanted::Look if ledger.is_behind(&database).unwrap_or(true) => None,
                    Wanted::Look => continue,
                };
                transact(&mut database, &mut ledger, &news, first, &mut queue);
                while ledger.has_chores() {
                    transact(&mut database, &mut ledger, &news, None, &mut queue);
                }
            }
        };
        thread::Builder::new().name("store".into()).spawn(run).map_err(|_| StoreError::Stopped)?;
        Ok(Self { jobs, others })
    }

    /// Looks now and then whether another process has stored something, for as long as the server runs.
    pub async fn watch(self) {
        loop {
            tokio::time::sleep(WATCH_PAUSE).await;
            // A full queue is full of transactions, each of which begins with looking.
            let _ = self.jobs.try_send(Wanted::Look);
        }
    }

    /// Waits until another process has stored something.
    pub async fn others_have_stored(&self) {
        self.others.notified().await;
    }

    #[cfg(test)]
    pub(crate) fn in_memory() -> Self {
        let hub = Arc::new(Hub::new(Capacity { total: 1, per_user: 1 }));
        let bounds = Bounds {
            kept: Kept { events: 10, bytes: 10_000 },
            event_age_ms: 1000,
            client_age_ms: 1000,
            epoch: None,
            max_message_bytes: 1000,
        };
        let metrics = Arc::new(Metrics::new());
        let trail = Arc::new(Trail::new(None, metrics.clone()));
        Self::open(None, Ledger::new(hub, metrics, trail, bounds)).unwrap()
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
        self.jobs.send(Wanted::Job(job)).await.map_err(|_| StoreError::Stopped)?;
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
        self.jobs.send(Wanted::Job(job)).await.map_err(|_| StoreError::Stopped)?;
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
        self.jobs.send(Wanted::Job(job)).await.map_err(|_| StoreError::Stopped)
    }
}

/// One transaction: what the ledger has left to do, the first job, and those that wait behind it.
fn transact(
    database: &mut Database,
    ledger: &mut Ledger,
    news: &Notify,
    first: Option<Job>,
    queue: &mut mpsc::Receiver<Wanted>,
) {
    // Immediate, so that what the rows say at its beginning is true until its end.
    let transaction = match database.transaction_with_behavior(TransactionBehavior::Immediate) {
        Ok(transaction) => transaction,
        Err(error) => {
            tracing::error!(%error, "the database takes no transaction");
            ledger.rolled_back();
            // The job's result is an error then: dropping the job closes its channel.
            return;
        }
    };
    let looked = ledger.is_behind(&transaction).and_then(|behind| {
        if behind {
            news.notify_one();
            ledger.look(&transaction)?;
        }
        ledger.do_chores(&transaction)
    });
    if let Err(error) = looked {
        tracing::error!(%error, "the database cannot be read");
        ledger.fail();
    }
    let mut answers = Vec::new();
    let mut next_job = || loop {
        if let Wanted::Job(job) = queue.try_recv().ok()? {
            return Some(job);
        }
    };
    let mut next = first.or_else(&mut next_job);
    while let Some(job) = next {
        answers.push(job(&transaction, ledger));
        let full = answers.len() >= MAX_JOBS_PER_TRANSACTION || ledger.has_failed();
        next = if full { None } else { next_job() };
    }
    let committed = if ledger.has_failed() {
        transaction.rollback().and(Err(rusqlite::Error::InvalidQuery))
    } else {
        ledger.note_own(&transaction).and_then(|()| transaction.commit())
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
            Self::OtherSchema(version) => {
                write!(formatter, "database: its tables have version {version}, and this server needs {SCHEMA_VERSION}")
            }
            Self::Random(error) => write!(formatter, "database: {error}"),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

const QUEUE_LEN: usize = 1024;
const MAX_JOBS_PER_TRANSACTION: usize = 1024;

/// How long an event that one process has stored may take to be noticed by another.
const WATCH_PAUSE: Duration = Duration::from_millis(20);

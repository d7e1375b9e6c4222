//! The database behind a thread of its own.
//!
//! Jobs that arrive while a transaction is being written go into the next one together, so the disk is waited for
//! once for many messages. A job's result is handed back after its transaction is on the disk.

mod backend;
mod error;
mod thread;
mod transaction;

use std::{sync::Arc, time::Duration};

use tokio::{
    runtime::Handle,
    sync::{Notify, mpsc, oneshot},
};

use self::{
    thread::{StoreThread, await_database, begin},
    transaction::{Job, Wanted},
};
use crate::{
    database::{Database, DatabaseError, Result},
    hub::Hub,
    reliable::{Context, Ledger},
};

pub use backend::{Backend, PostgresStore, SqliteStore};
pub use error::StoreError;

/// A handle to the database thread, which ends when the last handle is dropped.
#[derive(Clone)]
pub struct Store {
    jobs: mpsc::Sender<Wanted>,
    /// Told when another process has stored something.
    others: Arc<Notify>,
    is_shared: bool,
    /// Whether each look is a question to another process.
    is_remote: bool,
    thread: Arc<StoreThread>,
}

impl Store {
    /// Opens a database, makes its tables, and reads the ledger's part.
    pub(crate) async fn open(backend: Backend, mut ledger: Ledger) -> std::result::Result<Self, StoreError> {
        let process = getrandom::u64().map_err(StoreError::Random)?;
        let is_shared = backend.is_shared();
        let is_remote = matches!(backend, Backend::Postgres(_));
        let (jobs, mut queue) = mpsc::channel::<Wanted>(QUEUE_LEN);
        let others = Arc::new(Notify::new());
        let news = others.clone();
        let thread = Arc::<StoreThread>::default();
        let own = thread.clone();
        let (opened, opening) = oneshot::channel();
        let (ends, ended) = oneshot::channel::<()>();
        *thread.ended.lock() = Some(ended);
        let runtime = Handle::current();
        let run = move || {
            // Dropped after everything else, the database included.
            let _ends = ends;
            // What is done after a commit may spawn tasks.
            let _entered = runtime.enter();
            let database = match begin(&backend, &mut ledger, process) {
                Ok(database) => Some(database),
                Err(error) if error.may_pass() => {
                    tracing::error!(%error, "the database is away; it is tried again every second");
                    None
                }
                Err(error) => return drop(opened.send(Err(error))),
            };
            let _ = opened.send(Ok(()));
            let again = || begin(&backend, &mut ledger, process).inspect(|_| news.notify_one());
            let Some(database) = database.or_else(|| await_database(again, &own, &mut queue)) else { return };
            own.serve(&database, &mut ledger, &news, &mut queue);
        };
        std::thread::Builder::new().name("store".into()).spawn(run).map_err(|_| StoreError::Stopped)?;
        opening.await.map_err(|_| StoreError::Stopped)??;
        Ok(Self { jobs, others, is_shared, is_remote, thread })
    }

    /// Whether other processes may have the database too.
    pub(crate) fn is_shared(&self) -> bool {
        self.is_shared
    }

    /// Looks now and then whether another process has stored something, for as long as the server runs.
    pub(crate) async fn watch(self, hub: Arc<Hub>) {
        loop {
            // Those who have stored something say so where there is a way to.
            let pause = match (hub.bus(), self.is_remote) {
                (Some(bus), _) if bus.is_up() => WOKEN_PAUSE,
                (_, true) => REMOTE_PAUSE,
                (_, false) => WATCH_PAUSE,
            };
            tokio::time::sleep(pause).await;
            self.look();
        }
    }

    /// Looks whether another process has stored something.
    pub(crate) fn look(&self) {
        // A full queue is full of transactions, each of which begins with looking.
        let _ = self.jobs.try_send(Wanted::Look);
    }

    /// Waits until another process has stored something.
    pub async fn others_have_stored(&self) {
        self.others.notified().await;
    }

    /// Whether the database takes a transaction that writes within a second, for a health check.
    pub async fn is_healthy(&self) -> bool {
        let writes = self.run(Database::is_writable);
        matches!(tokio::time::timeout(HEALTHY_WITHIN, writes).await, Ok(Ok(true)))
    }

    /// Ends the thread of the database when it has done what was asked of it before, so that an SQLite file is whole by itself. Jobs fail from then on.
    pub async fn close(&self) {
        self.thread.close();
        // So that it does not wait for a job. A full queue is full of transactions, after each of which it looks whether it is to end.
        self.look();
        let ended = self.thread.ended.lock().take();
        if let Some(ended) = ended {
            // The thread drops the other half, and sends nothing.
            let _ = ended.await;
        }
    }

    /// Runs a job in a transaction and waits until that is on the disk.
    ///
    /// # Errors
    /// The job has failed, or its transaction.
    pub async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Database) -> Result<T> + Send + 'static,
    ) -> std::result::Result<T, StoreError> {
        self.ask(move |database, ledger| {
            let result = job(database);
            if result.is_err() && database.ends_with_errors() {
                ledger.fail();
            }
            result
        })
        .await
    }

    /// Runs a job that has to do with streams. If it fails, so does its whole transaction.
    pub(crate) async fn run_with_ledger<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Database, &mut Ledger) -> Result<T> + Send + 'static,
    ) -> std::result::Result<T, StoreError> {
        self.ask(move |database, ledger| job(database, ledger).inspect_err(|_| ledger.fail())).await
    }

    /// Runs a closure in a transaction, for statements and events that belong together, and returns when it is on the disk. What it
    /// publishes goes out then.
    ///
    /// # Errors
    /// The closure has failed, or the database: then nothing of it has happened.
    pub async fn transact<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Context<'_>) -> Result<T> + Send + 'static,
    ) -> std::result::Result<T, StoreError> {
        self.ask(move |database, ledger| {
            let result = ledger.job(database, job);
            if result.as_ref().is_err_and(DatabaseError::is_of_storage) {
                ledger.fail();
            }
            result
        })
        .await
    }

    async fn ask<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Database, &mut Ledger) -> Result<T> + Send + 'static,
    ) -> std::result::Result<T, StoreError> {
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move |database, ledger| {
            let result = job(database, ledger);
            Box::new(move |committed| {
                let _ = sender.send(match result {
                    Ok(_) if !committed => Err(StoreError::NotStored),
                    result => result.map_err(StoreError::Database),
                });
            })
        });
        self.jobs.send(Wanted::Job(job)).await.map_err(|_| StoreError::Stopped)?;
        receiver.await.map_err(|_| StoreError::NotStored)?
    }

    /// The same for a job whose end nobody waits for. Waits only while too many are waiting already.
    pub(crate) async fn post(
        &self,
        job: impl FnOnce(&Database, &mut Ledger) -> Result<()> + Send + 'static,
    ) -> std::result::Result<(), StoreError> {
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

const HEALTHY_WITHIN: Duration = Duration::from_secs(1);

const QUEUE_LEN: usize = 1024;

/// How long an event that one process has stored may take to be noticed by another.
const WATCH_PAUSE: Duration = Duration::from_millis(20);
const REMOTE_PAUSE: Duration = Duration::from_millis(50);
const WOKEN_PAUSE: Duration = Duration::from_millis(500);

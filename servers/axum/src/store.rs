//! The database behind a thread of its own.
//!
//! Jobs that arrive while a transaction is being written go into the next one together, so the disk is waited for
//! once for many messages. A job's result is handed back after its transaction is on the disk.

use std::{
    fmt,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::{
    runtime::Handle,
    sync::{Notify, mpsc, oneshot},
};

use crate::{
    bus::BusError,
    database::{Database, DatabaseError, Result, open_postgres, open_sqlite},
    ending::Ending,
    hub::Hub,
    panics,
    reliable::{Context, Ledger},
    tables::{SCHEMA_VERSION, Tables},
};

/// Where everything is stored that has to be.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Backend {
    /// A file, or memory.
    Sqlite(SqliteStore),
    /// A database that several nodes share.
    Postgres(PostgresStore),
}

/// SQLite, which needs no set-up. Several processes of one machine may have the file.
#[derive(Clone, Debug, Default)]
pub struct SqliteStore {
    path: Option<PathBuf>,
    tables: Tables,
}

impl SqliteStore {
    /// A file, made if it is not there.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: Some(path.into()), tables: Tables::default() }
    }

    /// In memory, to be forgotten with the process.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::default()
    }

    /// Statements for the application's own tables, carried out at every start: `CREATE TABLE IF NOT EXISTS …`.
    #[must_use]
    pub fn setup(mut self, sql: impl Into<String>) -> Self {
        self.tables.setup.push(sql.into());
        self
    }
}

/// PostgreSQL, for several nodes: a client may come back to any of them, and gets its events from all.
///
/// Transactions of all nodes come one after the other, so nodes share connections and not the work of the database. There is no TLS. A database
/// belongs to servers of one kind: that of the Python library has other tables.
#[derive(Clone)]
pub struct PostgresStore {
    url: String,
    tables: Tables,
}

impl PostgresStore {
    /// `postgres://user:password@host:port/database`, or the words of libpq.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), tables: Tables::default() }
    }

    /// Statements for the application's own tables, carried out at every start: `CREATE TABLE IF NOT EXISTS …`, in the SQL of SQLite, whose
    /// `INTEGER` becomes `BIGINT`.
    #[must_use]
    pub fn setup(mut self, sql: impl Into<String>) -> Self {
        self.tables.setup.push(sql.into());
        self
    }
}

impl fmt::Debug for PostgresStore {
    /// Without the URL, which may have a password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}

impl From<PostgresStore> for Backend {
    fn from(store: PostgresStore) -> Self {
        Self::Postgres(store)
    }
}

impl From<SqliteStore> for Backend {
    fn from(store: SqliteStore) -> Self {
        Self::Sqlite(store)
    }
}

impl Backend {
    fn open(&self) -> std::result::Result<Database, StoreError> {
        match self {
            Self::Sqlite(SqliteStore { path, tables }) => open_sqlite(path.as_deref(), tables),
            Self::Postgres(PostgresStore { url, tables }) => open_postgres(url, tables),
        }
    }

    /// Whether other processes may have it too.
    fn is_shared(&self) -> bool {
        match self {
            Self::Sqlite(store) => store.path.is_some(),
            Self::Postgres(_) => true,
        }
    }
}

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

/// The database thread, and whether it is to end.
#[derive(Default)]
struct StoreThread {
    is_closing: AtomicBool,
    ended: Mutex<Option<oneshot::Receiver<()>>>,
}

impl StoreThread {
    fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::Acquire)
    }

    /// What is wanted next: none when it is to end and has done everything, or when nobody can want anything any more.
    fn next(&self, queue: &mut mpsc::Receiver<Wanted>) -> Option<Wanted> {
        if self.is_closing() { queue.try_recv().ok() } else { queue.blocking_recv() }
    }
}

enum Wanted {
    Job(Job),
    /// To see whether another process has stored something.
    Look,
}

type Job = Box<dyn FnOnce(&Database, &mut Ledger) -> Answer + Send>;
type Answer = Box<dyn FnOnce(bool) + Send>;

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
    /// The way to other nodes cannot be opened.
    Bus(BusError),
    /// There is no randomness.
    Random(getrandom::Error),
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
            while let Some(wanted) = own.next(&mut queue) {
                let first = match wanted {
                    Wanted::Job(job) => Some(job),
                    // An error is for the transaction to find.
                    Wanted::Look if ledger.may_be_behind(&database).unwrap_or(true) => None,
                    Wanted::Look => continue,
                };
                let mut has_begun = transact_or_undo(&database, &mut ledger, &news, first, &mut queue);
                // A database that is away must not keep jobs from hearing of it.
                while has_begun && ledger.has_chores() {
                    has_begun = transact_or_undo(&database, &mut ledger, &news, None, &mut queue);
                }
            }
        };
        thread::Builder::new().name("store".into()).spawn(run).map_err(|_| StoreError::Stopped)?;
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
        self.thread.is_closing.store(true, Ordering::Release);
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

/// Opens a database that was away, when somebody asks for it and it is back. Until then every job fails: dropping it closes the channel of
/// its result. `None` if nobody can ask any more.
fn await_database(
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
fn begin(backend: &Backend, ledger: &mut Ledger, process: u64) -> std::result::Result<Database, StoreError> {
    let database = backend.open()?;
    database.begin()?;
    let loaded = ledger.load(&database, process).and_then(|()| Ok(database.commit()?));
    loaded.inspect_err(|_| ledger.rolled_back(&ending(&database)))?;
    Ok(database)
}

/// A transaction that panics is undone like one that fails, so that the thread, which everybody needs, goes on.
fn transact_or_undo(
    database: &Database,
    ledger: &mut Ledger,
    news: &Notify,
    first: Option<Job>,
    queue: &mut mpsc::Receiver<Wanted>,
) -> bool {
    panics::caught(|| transact(database, ledger, news, first, queue)).unwrap_or_else(|| {
        tracing::error!("a transaction panicked");
        let _ = database.rollback();
        ledger.rolled_back(&ending(database));
        false
    })
}

/// One transaction: what the ledger has left to do, the first job, and those that wait behind it. Says whether it could begin.
fn transact(
    database: &Database,
    ledger: &mut Ledger,
    news: &Notify,
    first: Option<Job>,
    queue: &mut mpsc::Receiver<Wanted>,
) -> bool {
    if let Err(error) = database.begin() {
        // Said once for each attempt to reach it.
        if !matches!(error, DatabaseError::Away) {
            tracing::error!(%error, "the database takes no transaction");
        }
        ledger.rolled_back(&ending(database));
        // The job's result is an error then: dropping the job closes its channel. Those behind it would wait for as long, one after the other.
        while queue.try_recv().is_ok() {}
        return false;
    }
    let looked = ledger.is_behind(database).and_then(|behind| {
        if behind {
            news.notify_one();
            ledger.look(database)?;
            ledger.relay(database)?;
        }
        ledger.do_chores(database)
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
        match panics::caught(|| job(database, ledger)) {
            Some(answer) => answers.push(answer),
            None => {
                tracing::error!("a job panicked");
                ledger.fail();
            }
        }
        let full = answers.len() >= MAX_JOBS_PER_TRANSACTION || ledger.has_failed();
        next = if full { None } else { next_job() };
    }
    let committed = if ledger.has_failed() { Err(DatabaseError::Failed("a job failed")) } else { database.commit() };
    match &committed {
        Ok(highest) => ledger.committed(*highest),
        Err(error) => {
            tracing::error!(%error, "a transaction was not stored");
            if let Err(error) = database.rollback() {
                tracing::debug!(%error, "nothing to roll back");
            }
            ledger.rolled_back(&ending(database));
        }
    }
    for answer in answers {
        answer(committed.is_ok());
    }
    true
}

/// How connections end whose transaction has failed.
fn ending(database: &Database) -> Ending {
    Ending::not_stored(database.stores_nothing())
}

impl StoreError {
    /// Whether it is worth trying again, unlike a wrong password or a file that is no database.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Database(error) => error.may_pass(),
            Self::NotStored => true,
            Self::Stopped | Self::OtherSchema { .. } | Self::LowEpoch { .. } | Self::Bus(_) | Self::Random(_) => false,
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

const AWAY_PAUSE: Duration = Duration::from_secs(1);
const HEALTHY_WITHIN: Duration = Duration::from_secs(1);

const QUEUE_LEN: usize = 1024;
const MAX_JOBS_PER_TRANSACTION: usize = 1024;

/// How long an event that one process has stored may take to be noticed by another.
const WATCH_PAUSE: Duration = Duration::from_millis(20);
const REMOTE_PAUSE: Duration = Duration::from_millis(50);
const WOKEN_PAUSE: Duration = Duration::from_millis(500);

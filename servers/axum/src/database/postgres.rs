//! PostgreSQL, spoken to from the thread of the database.
//!
//! Each transaction holds a lock that all nodes take, so it is the only one that writes, as a transaction of SQLite is. What would wait for
//! an answer for each message is kept back instead and written for all of them together: see [`Pending`]. So a transaction is two round
//! trips, however many messages it has.

mod cache;
pub mod error_codes;
mod pending;

use std::{
    cell::RefCell,
    collections::HashMap,
    future::Future,
    io,
    time::{Duration, Instant},
};

use futures_util::future::try_join3;
use tokio::{runtime::Runtime, time::timeout};
use tokio_postgres::{Client, Config, NoTls, Row, Statement, types::ToSql};

use self::{cache::Cache, pending::Pending};
pub use self::{
    cache::Progress,
    pending::{NewEvent, Processed as ProcessedRow, Sent, Take},
};
use super::{Database, DatabaseError, Kind, Param, Result};
use crate::{store::StoreError, tables::Tables};

/// A connection, which is made again when it is lost.
pub struct Postgres {
    runtime: Runtime,
    config: Config,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    client: Option<Client>,
    statements: HashMap<String, Statement>,
    cache: Cache,
    pending: Pending,
    savepoint: Option<Savepoint>,
    /// The highest ids of events and changes, as the last transaction has found or left them.
    highest: Highest,
    /// Whether something waited in the outbox when the last transaction began.
    outbox_waits: bool,
    tried_at: Option<Instant>,
}

/// A place in the transaction that can be returned to.
struct Savepoint {
    pending: pending::Mark,
    /// Whether the database knows of it; it need not while nothing was written since.
    is_real: bool,
}

/// The highest ids that were given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Highest {
    pub event: i64,
    pub change: i64,
}

/// Opens a database, and makes its tables if it is new.
pub fn open(url: &str, tables: &Tables) -> std::result::Result<Database, StoreError> {
    let mut config: Config = url.parse().map_err(DatabaseError::from)?;
    config
        .application_name("everwire")
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_user_timeout(STATEMENT_TIMEOUT)
        .keepalives_idle(STATEMENT_TIMEOUT);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(DatabaseError::Io)?;
    let database = Database::of(Kind::Postgres(Box::new(Postgres { runtime, config, state: RefCell::default() })));
    // The sequences that a transaction begins with looking at are not there yet.
    if let Kind::Postgres(postgres) = &database.kind {
        postgres.connect()?;
        postgres.simple(&format!("BEGIN; SELECT pg_advisory_xact_lock({LOCK})"))?;
    }
    tables.make(&database)?;
    if let Kind::Postgres(postgres) = &database.kind {
        postgres.simple("COMMIT")?;
    }
    Ok(database)
}

impl Postgres {
    pub fn execute(&self, sql: &str, given: &[&dyn Param]) -> Result<usize> {
        self.flush()?;
        let statement = self.prepare(sql)?;
        let params = params(given);
        let changed = self.wait(async |client: &Client| client.execute(&statement, &params).await)?;
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    pub fn query(&self, sql: &str, given: &[&dyn Param]) -> Result<Vec<Row>> {
        self.flush()?;
        let statement = self.prepare(sql)?;
        let params = params(given);
        self.wait(async |client: &Client| client.query(&statement, &params).await)
    }

    /// Several statements without parameters or results.
    pub fn simple(&self, sql: &str) -> Result<()> {
        self.wait(async |client: &Client| client.batch_execute(sql).await)
    }

    pub fn begin(&self) -> Result<()> {
        self.connect()?;
        let highest = self.prepare(HIGHEST)?;
        let lock = self.prepare(&format!("SELECT pg_advisory_xact_lock({LOCK})"))?;
        let begun = self.wait(async |client: &Client| {
            try_join3(client.batch_execute("BEGIN"), client.query(&lock, &[]), client.query_one(&highest, &[])).await
        });
        let (_, _, row) = begun.inspect_err(|_| drop(self.rollback()))?;
        let mut state = self.state.borrow_mut();
        state.highest = read_highest(&row)?;
        state.outbox_waits = row.try_get(2)?;
        Ok(())
    }

    /// Writes what was kept back, and says what the highest ids are then.
    pub fn commit(&self) -> Result<()> {
        let row = self.write(Then::Commit)?;
        if let Some(row) = row {
            self.state.borrow_mut().highest = read_highest(&row)?;
        }
        Ok(())
    }

    /// Undoes the transaction, and leaves the session: what a statement of the application's has changed about it may be why the transaction has failed.
    pub fn rollback(&self) -> Result<()> {
        let rolled_back = self.simple("ROLLBACK");
        let mut state = self.state.borrow_mut();
        *state = State { tried_at: state.tried_at, ..State::default() };
        rolled_back
    }

    pub fn savepoint(&self) {
        let mut state = self.state.borrow_mut();
        let pending = state.pending.mark();
        state.savepoint = Some(Savepoint { pending, is_real: false });
    }

    pub fn roll_back_to_savepoint(&self) -> Result<()> {
        let savepoint = {
            let mut state = self.state.borrow_mut();
            let state = &mut *state;
            // What has come since is not so; where it was that is not known is read again.
            state.cache.forget_all();
            let savepoint = state.savepoint.take();
            match &savepoint {
                Some(Savepoint { is_real: true, .. }) => state.pending.clear(),
                Some(Savepoint { pending, .. }) => state.pending.undo(pending),
                None => {}
            }
            savepoint
        };
        match savepoint {
            Some(Savepoint { is_real: true, .. }) => {
                self.simple("ROLLBACK TO SAVEPOINT effects; RELEASE SAVEPOINT effects")
            }
            _ => Ok(()),
        }
    }

    /// Says whether it could be: a statement that has failed ends everything that came since the savepoint, also if nobody heeds the error, and so does
    /// a deferred constraint that is violated.
    pub fn release_savepoint(&self) -> Result<bool> {
        let savepoint = self.state.borrow_mut().savepoint.take();
        let Some(Savepoint { is_real: true, .. }) = savepoint else { return Ok(true) };
        // What is pending belongs into it, and goes out with the next statement or the commit all the same. Constraints that the commit would check are
        // checked here, where it is known whose they are.
        let released = "SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED; RELEASE SAVEPOINT effects";
        let is_released = self.simple(released).is_ok();
        if !is_released {
            self.state.borrow_mut().savepoint = savepoint;
        }
        Ok(is_released)
    }

    /// The highest ids that the last transaction has found or left.
    pub fn highest(&self) -> Highest {
        self.state.borrow().highest
    }

    pub fn outbox_waits(&self) -> bool {
        self.state.borrow().outbox_waits
    }

    /// The highest ids now, and whether something waits in the outbox, asked for outside of a transaction.
    pub fn ask_news(&self) -> Result<(Highest, bool)> {
        self.connect()?;
        let statement = self.prepare(HIGHEST)?;
        let row = self.wait(async |client: &Client| client.query_one(&statement, &[]).await)?;
        Ok((read_highest(&row)?, row.try_get(2)?))
    }

    pub fn with_cache<T>(&self, work: impl FnOnce(&mut Cache) -> T) -> T {
        work(&mut self.state.borrow_mut().cache)
    }

    /// Keeps the progress of a client back.
    pub fn take(&self, take: Take) {
        self.state.borrow_mut().pending.take(take);
    }

    /// Keeps an event back.
    pub fn append(&self, event: NewEvent) {
        self.state.borrow_mut().pending.append(event);
    }

    /// Keeps back that a message was processed.
    pub fn note_processed(&self, processed: pending::Processed) {
        self.state.borrow_mut().pending.note_processed(processed);
    }

    /// Keeps back what receipts may come for, and says its id.
    pub fn note_sent(&self, sent: Sent) -> Result<i64> {
        if self.with_cache(|cache| cache.sent_ids.is_empty()) {
            let sql = "SELECT nextval('everwire_sent_id_seq') FROM generate_series(1, 1000)";
            let statement = self.prepare(sql)?;
            let rows = self.wait(async |client: &Client| client.query(&statement, &[]).await)?;
            let ids = rows.iter().rev().map(|row| row.try_get(0)).collect::<std::result::Result<Vec<i64>, _>>()?;
            self.with_cache(|cache| cache.sent_ids = ids);
        }
        let id = self.with_cache(|cache| cache.sent_ids.pop()).ok_or(DatabaseError::Failed("no ids"))?;
        self.state.borrow_mut().pending.note_sent(id, sent);
        Ok(id)
    }

    /// Writes what was kept back, because what follows may depend on it. Within a savepoint, that is made first.
    fn flush(&self) -> Result<()> {
        let begins = self.state.borrow().savepoint.as_ref().is_some_and(|savepoint| !savepoint.is_real);
        if begins {
            // What was kept back before the savepoint must not be undone with it.
            let later = {
                let mut state = self.state.borrow_mut();
                let State { pending, savepoint, .. } = &mut *state;
                savepoint.as_ref().map(|savepoint| pending.split_off(&savepoint.pending))
            };
            self.write(Then::Savepoint)?;
            let mut state = self.state.borrow_mut();
            state.pending = later.unwrap_or_default();
            if let Some(savepoint) = &mut state.savepoint {
                savepoint.is_real = true;
            }
        }
        if self.state.borrow().pending.is_empty() {
            return Ok(());
        }
        self.write(Then::Nothing).map(drop)
    }

    /// Sends what was kept back and what follows it, and waits for all of it at once. Before a commit, it asks for the highest ids.
    fn write(&self, then: Then) -> Result<Option<Row>> {
        let pending = std::mem::take(&mut self.state.borrow_mut().pending);
        let writes = pending.into_writes();
        let writes =
            writes.into_iter().map(|write| Ok((self.prepare(write.sql)?, write))).collect::<Result<Vec<_>>>()?;
        let highest = if then == Then::Commit { Some(self.prepare(HIGHEST)?) } else { None };
        self.wait(async |client: &Client| {
            let all = writes.iter().map(|(statement, write)| async move {
                let params: Vec<&(dyn ToSql + Sync)> = write.params.iter().map(|param| &**param as _).collect();
                client.query(statement, &params).await
            });
            let highest = async {
                match &highest {
                    Some(statement) => client.query_one(statement, &[]).await.map(Some),
                    None => Ok(None),
                }
            };
            let then = async {
                match then.sql() {
                    Some(sql) => client.batch_execute(sql).await,
                    None => Ok(()),
                }
            };
            let (_, row, ()) = try_join3(futures_util::future::try_join_all(all), highest, then).await?;
            Ok(row)
        })
    }

    fn prepare(&self, sql: &str) -> Result<Statement> {
        if let Some(statement) = self.state.borrow().statements.get(sql) {
            return Ok(statement.clone());
        }
        let spelled = sql.replace('?', "$");
        let statement = self.wait(async |client: &Client| client.prepare(&spelled).await)?;
        self.state.borrow_mut().statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// Connects if there is no connection, unless that was tried just now.
    fn connect(&self) -> Result<()> {
        {
            let mut state = self.state.borrow_mut();
            if state.client.as_ref().is_some_and(|client| !client.is_closed()) {
                return Ok(());
            }
            if state.tried_at.is_some_and(|tried_at| tried_at.elapsed() < PAUSE) {
                return Err(DatabaseError::Away);
            }
            *state = State { tried_at: Some(Instant::now()), ..State::default() };
        }
        // `connect_timeout` ends with the TCP connection, before PostgreSQL has said a word.
        let connected = self.runtime.block_on(timed(self.config.connect(NoTls)));
        let (client, connection) = connected.ok_or_else(silent)??;
        self.runtime.spawn(async move {
            if let Err(error) = connection.await {
                tracing::warn!(%error, "the connection to PostgreSQL was lost");
            }
        });
        self.state.borrow_mut().client = Some(client);
        // Every statement finds its rows by an index. A plan that is made while a table is new reads the whole table instead, and is kept while it
        // grows. Forbidding that makes plans look so dear that PostgreSQL would compile each.
        self.simple(&format!(
            "SET enable_seqscan = off;
             SET jit = off;
             SET idle_in_transaction_session_timeout = '{IDLE_TIMEOUT_MS}ms';
             SET lock_timeout = '{LOCK_TIMEOUT_MS}ms';
             SET synchronous_commit = on"
        ))
    }

    fn wait<T>(&self, work: impl AsyncFnOnce(&Client) -> std::result::Result<T, tokio_postgres::Error>) -> Result<T> {
        let Some(client) = self.state.borrow_mut().client.take() else { return Err(DatabaseError::Away) };
        let worked = self.runtime.block_on(timed(work(&client)));
        match worked {
            Some(worked) => {
                if !client.is_closed() {
                    self.state.borrow_mut().client = Some(client);
                }
                Ok(worked?)
            }
            // Nobody knows what it is doing, so it is not to be used again.
            None => Err(silent()),
        }
    }
}

/// What follows that which was kept back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    Nothing,
    Savepoint,
    Commit,
}

impl Then {
    const fn sql(self) -> Option<&'static str> {
        match self {
            Self::Nothing => None,
            Self::Savepoint => Some("SAVEPOINT effects"),
            Self::Commit => Some("COMMIT"),
        }
    }
}

fn silent() -> DatabaseError {
    DatabaseError::Io(io::Error::new(io::ErrorKind::TimedOut, "PostgreSQL does not answer"))
}

async fn timed<T>(work: impl Future<Output = T>) -> Option<T> {
    timeout(STATEMENT_TIMEOUT, work).await.ok()
}

fn params<'a>(given: &'a [&'a dyn Param]) -> Vec<&'a (dyn ToSql + Sync)> {
    given.iter().map(|param| param.for_postgres()).collect()
}

fn read_highest(row: &Row) -> Result<Highest> {
    Ok(Highest { event: row.try_get(0)?, change: row.try_get(1)? })
}

/// Definitions as PostgreSQL spells them.
pub fn translate(sql: &str) -> String {
    sql.replace("INTEGER PRIMARY KEY AUTOINCREMENT", "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY")
        .replace("id INTEGER PRIMARY KEY,", "id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,")
        .replace(" INTEGER", " BIGINT")
        .replace(") STRICT, WITHOUT ROWID", ")")
        .replace(") STRICT", ")")
}

/// `everwire` in ASCII. All nodes take this lock.
const LOCK: i64 = 7_311_142_587_386_655_333;

const HIGHEST: &str = "SELECT
    (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM everwire_events_id_seq),
    (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM everwire_changes_id_seq),
    EXISTS (SELECT 1 FROM everwire_outbox)";

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(12);
const LOCK_TIMEOUT_MS: u32 = 10_000;
const IDLE_TIMEOUT_MS: u32 = 5000;

/// Between two attempts to connect.
const PAUSE: Duration = Duration::from_secs(1);

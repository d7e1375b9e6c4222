//! What is wanted of the database, and the transactions that do it.

use tokio::sync::{Notify, mpsc};

use crate::{
    database::{Database, DatabaseError},
    ending::Ending,
    panics,
    reliable::Ledger,
};

pub(super) enum Wanted {
    Job(Job),
    /// To see whether another process has stored something.
    Look,
}

pub(super) type Job = Box<dyn FnOnce(&Database, &mut Ledger) -> Answer + Send>;
pub(super) type Answer = Box<dyn FnOnce(bool) + Send>;

/// A transaction that panics is undone like one that fails, so that the thread, which everybody needs, goes on.
pub(super) fn transact_or_undo(
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
pub(super) fn ending(database: &Database) -> Ending {
    Ending::not_stored(database.stores_nothing())
}

const MAX_JOBS_PER_TRANSACTION: usize = 1024;

//! What only `--dev` has: tokens for anyone, faults on command, and a record of what arrived.

mod control;
mod record;
mod routes;

use std::{
    collections::{HashMap, HashSet},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use everwire_axum::{Connection, Envelope};
use parking_lot::Mutex;
use serde::Serialize;

use self::record::Record;
pub use self::routes::router;

/// State of the control endpoints.
pub struct Dev {
    record: Mutex<Record>,
    faults: Mutex<Faults>,
    samples: AtomicU64,
}

#[derive(Default)]
struct Faults {
    silent_users: HashSet<String>,
    unreachable_users: HashSet<String>,
    refuse_all_until: Option<Instant>,
    refuse_user_until: HashMap<String, Instant>,
    total: Handshakes,
    by_user: HashMap<String, Handshakes>,
}

/// Handshakes so far.
#[derive(Clone, Copy, Default, Serialize)]
pub struct Handshakes {
    /// Ended in a connection.
    pub accepted: u64,
    /// Refused on command.
    pub refused: u64,
}

impl Dev {
    pub fn new(record_frames: usize) -> Self {
        Self { record: Mutex::new(Record::new(record_frames)), faults: Mutex::default(), samples: AtomicU64::new(0) }
    }

    /// Whether new connections of this user are to be silent.
    pub fn is_silenced(&self, user: &str) -> bool {
        self.faults.lock().silent_users.contains(user)
    }

    /// Whether pushes to this user are to fail.
    pub fn fails_pushes_to(&self, user: &str) -> bool {
        self.faults.lock().unreachable_users.contains(user)
    }

    /// Counts a new connection.
    pub fn accepted(&self, user: &str) {
        let mut faults = self.faults.lock();
        faults.total.accepted += 1;
        faults.by_user.entry(user.to_owned()).or_default().accepted += 1;
    }

    /// Whether a handshake is to be refused; counts it if so.
    pub fn refuses(&self, user: Option<&str>) -> bool {
        let now = Instant::now();
        let mut faults = self.faults.lock();
        let ahead = |until: Option<&Instant>| until.is_some_and(|until| now < *until);
        let refused = ahead(faults.refuse_all_until.as_ref())
            || user.is_some_and(|user| ahead(faults.refuse_user_until.get(user)));
        if refused {
            faults.total.refused += 1;
            if let Some(user) = user {
                faults.by_user.entry(user.to_owned()).or_default().refused += 1;
            }
        }
        refused
    }

    pub fn record(&self, from: &Connection, envelope: &Envelope) {
        self.record.lock().push(from, envelope);
    }

    pub fn record_malformed(&self, from: &Connection, text: &str) {
        self.record.lock().push_malformed(from, text);
    }

    fn refuse(&self, user: Option<String>, lasting: Duration) {
        let until = Instant::now() + lasting;
        let mut faults = self.faults.lock();
        match user {
            Some(user) => {
                faults.refuse_user_until.insert(user, until);
            }
            // An end to all refusals is an end to each.
            None if lasting.is_zero() => {
                faults.refuse_all_until = None;
                faults.refuse_user_until.clear();
            }
            None => faults.refuse_all_until = Some(until),
        }
    }

    fn set_silent_from_now_on(&self, user: &str, silent: bool) {
        let mut faults = self.faults.lock();
        if silent {
            faults.silent_users.insert(user.to_owned());
        } else {
            faults.silent_users.remove(user);
        }
    }

    fn set_unreachable(&self, user: &str, unreachable: bool) {
        let mut faults = self.faults.lock();
        if unreachable {
            faults.unreachable_users.insert(user.to_owned());
        } else {
            faults.unreachable_users.remove(user);
        }
    }

    fn handshakes(&self, user: Option<&str>) -> Handshakes {
        let faults = self.faults.lock();
        match user {
            Some(user) => faults.by_user.get(user).copied().unwrap_or_default(),
            None => faults.total,
        }
    }

    pub fn next_sample(&self) -> u64 {
        self.samples.fetch_add(1, Ordering::Relaxed)
    }
}

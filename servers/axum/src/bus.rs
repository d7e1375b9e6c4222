//! What nodes tell each other without storing it: that there is something to look at, events for those who are connected, and who is.
//!
//! Redis decides nothing that is promised. While it is away, a node goes on without.

mod presence;
mod session;

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use parking_lot::{Mutex, RwLock};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

pub use session::run;

use crate::outgoing::Outgoing;

/// Redis, for several nodes: wakes those that have something to look at, carries events that are not stored, and knows who is online
/// where.
#[derive(Clone)]
pub struct RedisBus {
    url: String,
    node: Option<String>,
}

impl RedisBus {
    /// `redis://:password@host:port/database`.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), node: None }
    }

    /// Names this node, in logs and in Redis; random if it is left out.
    #[must_use]
    pub fn node(mut self, name: impl Into<String>) -> Self {
        self.node = Some(name.into());
        self
    }

    pub(crate) fn open(self) -> Result<(Arc<Bus>, Mailbox), BusError> {
        let client = redis::Client::open(self.url).map_err(BusError::Url)?;
        let random = getrandom::u64().map_err(BusError::Random)?;
        let process = format!("{}.{random:016x}", self.node.as_deref().unwrap_or("node"));
        let (says, said) = mpsc::channel(MAX_WAITING);
        let bus = Bus {
            process,
            says,
            is_up: AtomicBool::new(false),
            wakes: AtomicBool::new(false),
            elsewhere: RwLock::default(),
            here: Mutex::default(),
        };
        Ok((Arc::new(bus), Mailbox { client, said }))
    }
}

impl fmt::Debug for RedisBus {
    /// Without the URL, which may have a password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RedisBus").field("node", &self.node).finish_non_exhaustive()
    }
}

/// Why there is no bus.
#[derive(Debug)]
#[non_exhaustive]
pub enum BusError {
    /// The URL is not one of Redis.
    Url(redis::RedisError),
    /// There is no randomness.
    Random(getrandom::Error),
}

impl fmt::Display for BusError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Not the error's own words, which may quote the URL.
            Self::Url(_) => formatter.write_str("Redis: not a URL like redis://host:6379/0"),
            Self::Random(error) => write!(formatter, "Redis: {error}"),
        }
    }
}

impl std::error::Error for BusError {}

/// The side of this process.
pub struct Bus {
    process: String,
    says: mpsc::Sender<Said>,
    is_up: AtomicBool,
    /// Whether others are to be woken already.
    wakes: AtomicBool,
    /// Who is online at which other process.
    elsewhere: RwLock<HashMap<String, HashSet<Arc<str>>>>,
    /// Who is online here, as others are to know it.
    here: Mutex<HashSet<Arc<str>>>,
}

/// What is left to be said, and to whom.
pub struct Mailbox {
    client: redis::Client,
    said: mpsc::Receiver<Said>,
}

enum Said {
    Wake,
    Tell(String),
    Presence { user: Arc<str>, online: bool },
}

/// Who gets an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum To {
    /// The connections of a user.
    User(String),
    /// Those of the users in a room.
    Room(String),
    /// Those of everyone.
    Everyone,
}

/// Whether an event is in the database too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Users who have a stream get it from the database, so it is only for those who have none.
    Stored,
    /// It is for everyone, at most once.
    Transient,
}

#[derive(Serialize, Deserialize)]
struct Told {
    from: String,
    to: To,
    stored: bool,
    r#type: String,
    frame: String,
}

#[derive(Serialize, Deserialize)]
struct Woken {
    from: String,
}

#[derive(Serialize, Deserialize)]
struct Appeared {
    from: String,
    user: String,
    online: bool,
}

impl Bus {
    /// The name of this process.
    pub fn process(&self) -> &str {
        &self.process
    }

    /// Whether Redis can be reached.
    pub fn is_up(&self) -> bool {
        self.is_up.load(Relaxed)
    }

    /// Others may have something to look at.
    pub fn wake(&self) {
        if self.is_up() && !self.wakes.swap(true, Relaxed) {
            self.say(Said::Wake);
        }
    }

    /// Sends an event to connections of other processes, at most once.
    pub fn tell(&self, to: To, kind: &str, outgoing: &Outgoing, durability: Durability) {
        if !self.is_up() {
            return;
        }
        let Ok(frame) = outgoing.frame().to_text() else { return };
        let (from, frame) = (self.process.clone(), frame.to_owned());
        let told = Told { from, to, stored: durability == Durability::Stored, r#type: kind.to_owned(), frame };
        if let Ok(told) = serde_json::to_string(&told) {
            self.say(Said::Tell(told));
        }
    }

    /// A user's first connection to this process has come, or their last has gone.
    pub fn appeared(&self, user: &Arc<str>, online: bool) {
        {
            let mut here = self.here.lock();
            if online {
                here.insert(user.clone());
            } else {
                here.remove(user);
            }
        }
        // What is missed while Redis is away is written when it is back.
        if self.is_up() {
            self.say(Said::Presence { user: user.clone(), online });
        }
    }

    /// Whether a user is connected to another process.
    pub fn is_elsewhere(&self, user: &str) -> bool {
        let elsewhere = self.elsewhere.read();
        elsewhere.values().any(|users| users.contains(user))
    }

    fn say(&self, said: Said) {
        // Beyond what may wait it is lost, as it would be without Redis.
        let _ = self.says.try_send(said);
    }
}

const MAX_WAITING: usize = 10_000;

/// How often a process writes that it lives, and for how long that holds.
const BEAT: Duration = Duration::from_secs(2);
const LIFE: Duration = Duration::from_secs(6);

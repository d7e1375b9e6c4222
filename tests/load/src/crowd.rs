//! All clients together.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
};

use crate::{
    client::{self, Mode, World},
    message::Stamp,
    progress,
    tally::Tally,
};

/// Clients in sessions of one size; dropping it ends them.
pub struct Crowd {
    world: Arc<World>,
    orders: Vec<mpsc::Sender<Stamp>>,
    _clients: JoinSet<()>,
}

/// How many clients there are, and what they are like.
#[derive(Clone, Copy)]
pub struct Size {
    /// All of them.
    pub clients: usize,
    /// Members of each session.
    pub session_size: usize,
    /// Whether they say hello.
    pub mode: Mode,
}

impl Crowd {
    /// Starts the clients, which take turns with the servers.
    pub fn gather(addrs: Vec<SocketAddr>, secret: &str, size: Size) -> Self {
        let Size { clients, session_size, mode } = size;
        let world = Arc::new(World {
            addrs,
            secret: secret.to_owned(),
            session_size,
            mode,
            tally: Tally::new(clients),
            door: Semaphore::new(DOOR_WIDTH),
            restarting: AtomicBool::new(false),
        });
        let mut tasks = JoinSet::new();
        let orders = (0..clients).map(|id| {
            let (sender, receiver) = mpsc::channel(ORDERS);
            tasks.spawn(client::run(world.clone(), id, receiver));
            sender
        });
        Self { orders: orders.collect(), world, _clients: tasks }
    }

    /// How many clients there are.
    pub fn len(&self) -> usize {
        self.orders.len()
    }

    /// How many members each session has.
    pub fn session_size(&self) -> usize {
        self.world.session_size
    }

    /// How many sessions there are.
    pub fn sessions(&self) -> usize {
        self.len() / self.session_size()
    }

    /// What the clients have seen.
    pub fn tally(&self) -> &Tally {
        &self.world.tally
    }

    /// Has one member send a message.
    pub fn send(&self, stamp: Stamp) {
        if self.orders[stamp.session * self.session_size() + stamp.seat].try_send(stamp).is_err() {
            self.tally().trouble("a client could not take another order");
        }
    }

    /// Whether connections that end now are to be expected.
    pub fn expect_restart(&self, restarting: bool) {
        self.world.restarting.store(restarting, Ordering::SeqCst);
    }

    /// Waits until all clients are connected and in their sessions, or the limit is over. Says whether all are.
    pub async fn all_ready(&self, step: &str, limit: Duration) -> bool {
        let started = Instant::now();
        let mut said = started;
        loop {
            let ready = self.tally().ready();
            if ready == self.len() || started.elapsed() > limit {
                return ready == self.len();
            }
            if said.elapsed() > Duration::from_secs(1) {
                said = Instant::now();
                progress::say(format!("{step}: {ready} of {} clients are in", self.len()));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Clients that make their first attempt at the same time.
const DOOR_WIDTH: usize = 256;

/// Messages that may wait for one client to send them.
const ORDERS: usize = 64;

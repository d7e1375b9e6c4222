//! What every connection shares.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    http::request::Parts,
    routing::{MethodRouter, get},
};
use parking_lot::Mutex;
use tokio::task::JoinHandle;

use crate::{
    action::Action,
    application::Application,
    bus::{self, BusError, Mailbox, RedisBus},
    capacity::{Capacity, Full},
    clock,
    connection::{Connection, Inbox, QueueLimits},
    ending::Ending,
    handshake::{self, Authenticate},
    hub::Hub,
    limits::{Limits, RateLimits},
    metrics::Metrics,
    outgoing::Outgoing,
    refusal::Refusal,
    reliable::Ledger,
    store::{Backend, Store, StoreError},
    sweeper,
    token::{Ticket, TokenRefused},
};

/// What an [`Engine`] works with, and its [`Application`] may need: who is connected, the database, the limits.
pub struct Shared {
    /// The limits, as they were given.
    pub limits: Limits,
    /// Who is connected, and who is in which room.
    pub hub: Arc<Hub>,
    /// The database.
    pub store: Store,
    /// How often users may still send.
    pub rates: Arc<RateLimits>,
    /// What happens is told here.
    pub metrics: Arc<dyn Metrics>,
    mailbox: Option<Mailbox>,
}

impl Shared {
    /// Opens the database and makes its tables. One that is away is waited for, in the background: until it is there, nothing can be stored.
    ///
    /// # Errors
    /// The database cannot be opened, for a reason that does not pass, or its tables are those of another server.
    pub async fn open(
        backend: impl Into<Backend>,
        limits: Limits,
        metrics: Arc<dyn Metrics>,
    ) -> Result<Self, StoreError> {
        let capacity = Capacity { total: limits.connections, per_user: limits.connections_per_user };
        let hub = Arc::new(Hub::new(capacity));
        let rates = Arc::new(RateLimits::new(limits.rates));
        let ledger = Ledger::new(hub.clone(), metrics.clone(), limits.bounds());
        let store = Store::open(backend.into(), ledger).await?;
        Ok(Self { limits, hub, store, rates, metrics, mailbox: None })
    }

    /// Joins other nodes, which have the same database. Redis need not be there yet.
    ///
    /// # Errors
    /// The URL is not one of Redis.
    pub fn join(&mut self, bus: RedisBus) -> Result<(), BusError> {
        let (bus, mailbox) = bus.open()?;
        self.hub.set_bus(bus);
        self.mailbox = Some(mailbox);
        Ok(())
    }
}

/// The parts of a running server.
pub struct Engine {
    pub(crate) limits: Limits,
    pub(crate) hub: Arc<Hub>,
    pub(crate) store: Store,
    pub(crate) rates: Arc<RateLimits>,
    pub(crate) metrics: Arc<dyn Metrics>,
    pub(crate) application: Arc<dyn Application>,
    pub(crate) authenticate: Box<dyn Authenticate>,
    /// Held while a user's number of connections and the news of it change together, so that the last news is true.
    presence: Mutex<()>,
    pub(crate) draining: AtomicBool,
    /// Tasks that still own a socket, connected or saying goodbye.
    pub(crate) sockets: AtomicUsize,
}

/// Work in the background, which ends when this is dropped.
pub struct Chores(Vec<JoinHandle<()>>);

impl Drop for Chores {
    fn drop(&mut self) {
        for chore in &self.0 {
            chore.abort();
        }
    }
}

impl Engine {
    /// An engine, and its work in the background: on the runtime that this is called on, until the second is dropped.
    #[must_use]
    pub fn start(
        shared: Shared,
        application: Arc<dyn Application>,
        authenticate: Box<dyn Authenticate>,
    ) -> (Arc<Self>, Chores) {
        let Shared { limits, hub, store, rates, metrics, mailbox } = shared;
        let engine = Arc::new(Self {
            limits,
            hub,
            store,
            rates,
            metrics,
            application,
            authenticate,
            presence: Mutex::default(),
            draining: AtomicBool::new(false),
            sockets: AtomicUsize::new(0),
        });
        let mut chores = vec![tokio::spawn(sweeper::run(engine.clone()))];
        if engine.store.is_shared() {
            chores.push(tokio::spawn(engine.store.clone().watch(engine.hub.clone())));
        }
        if let (Some(bus), Some(mailbox)) = (engine.hub.bus(), mailbox) {
            chores.push(tokio::spawn(bus::run(engine.clone(), bus.clone(), mailbox)));
        }
        (engine, Chores(chores))
    }

    /// The WebSocket endpoint.
    pub fn route<S: Clone + Send + Sync + 'static>(self: &Arc<Self>) -> MethodRouter<S> {
        get(handshake::upgrade).with_state(self.clone())
    }

    /// Whose request it is. What the application has checked in its own way is checked here as well.
    pub(crate) fn identify(&self, request: &Parts) -> Result<Ticket, TokenRefused> {
        self.authenticate.authenticate(request)?.checked(clock::epoch_ms())
    }

    /// Takes up a connection of the user whose ticket it is.
    pub(crate) fn connect(&self, ticket: &Ticket, peer: Option<SocketAddr>) -> Result<(Arc<Connection>, Inbox), Full> {
        let user = &ticket.user;
        let limits = QueueLimits { frames: self.limits.queue_frames, bytes: self.limits.queue_bytes };
        let (connection, inbox) = Connection::new(self.hub.next_id(), ticket, limits);
        connection.set_silent(self.application.is_silenced(user));
        // Queued before anyone can find the connection, so that nothing comes before it.
        if let Some(greeting) = self.application.greeting(user) {
            connection.deliver(&greeting);
        }
        {
            let _ordered = self.presence.lock();
            if self.hub.add(&connection)? {
                if let Some(bus) = self.hub.bus() {
                    bus.appeared(user, true);
                }
                if !self.hub.is_elsewhere(user) {
                    self.application.presence(user, true);
                }
            }
        }
        self.application.accepted(user);
        self.metrics.connected(&connection, peer);
        // A drain that listed the connections before this one was added would miss it.
        if self.is_draining() {
            connection.end(Ending::close(1012, "restarting"));
        }
        Ok((connection, inbox))
    }

    /// Forgets a connection.
    pub(crate) fn disconnect(&self, connection: &Arc<Connection>, ending: &Ending) {
        {
            let _ordered = self.presence.lock();
            if let Some(rooms) = self.hub.remove(connection) {
                let user = &connection.user;
                self.application.left(user, &rooms);
                if let Some(bus) = self.hub.bus() {
                    bus.appeared(user, false);
                }
                if !self.hub.is_elsewhere(user) {
                    self.application.presence(user, false);
                }
            }
        }
        if connection.has_asked_hello() {
            let (store, connection) = (self.store.clone(), connection.clone());
            tokio::spawn(async move {
                // Without a database there is nothing to note it in.
                let _ = store.post(move |database, ledger| ledger.gone(database, &connection)).await;
            });
        }
        if let Some(kind) = ending.error_kind() {
            self.metrics.error(kind);
        }
        self.metrics.disconnected(connection, ending);
    }

    /// A user has come online at other nodes, or has gone from all of them.
    pub(crate) fn appeared_elsewhere(&self, user: &Arc<str>, online: bool) {
        let _ordered = self.presence.lock();
        if !self.hub.is_here(user) {
            self.hub.presence_changed(user);
            self.application.presence(user, online);
        }
    }

    /// Carries out an action where something of it is stored, and waits until it is.
    pub(crate) async fn on_disk(&self, from: &Arc<Connection>, action: Action) -> Result<Option<Outgoing>, Refusal> {
        let from = from.clone();
        let job = move |database: &_, ledger: &mut Ledger| ledger.perform_alone(database, &from, action);
        self.store.run_with_ledger(job).await??;
        Ok(None)
    }

    /// Has a connection sent the next part of what it is behind with.
    pub(crate) async fn catch_up(&self, connection: &Arc<Connection>) -> Result<(), Ending> {
        let connection = connection.clone();
        let page = move |database: &_, ledger: &mut Ledger| ledger.page(database, &connection);
        self.store.post(page).await.map_err(|_| Ending::close(1011, "no database"))
    }

    /// Whether the server is going down.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }

    /// Ends every connection with 1012, and every later one, and waits until all have said goodbye or the time is over. Says whether
    /// all have.
    pub async fn drain(&self, patience: Duration) -> bool {
        self.draining.store(true, Ordering::SeqCst);
        for connection in self.hub.connections(None) {
            connection.end(Ending::close(1012, "restarting"));
        }
        let gone = async {
            while self.sockets.load(Ordering::SeqCst) > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(patience, gone).await.is_ok()
    }

    /// Ends every connection without a word, as a killed process does.
    pub fn abort(&self) {
        self.draining.store(true, Ordering::SeqCst);
        for connection in self.hub.connections(None) {
            connection.end(Ending::Abort);
        }
    }
}

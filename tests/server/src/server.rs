//! The server as a value: start it, ask it where it is, stop it.

use std::{fmt, io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use axum::{Router, extract::ConnectInfo, http::HeaderMap};
use everwire_axum::{
    Backend, BusError, Chores, Engine, PostgresStore, RedisBus, Shared, SqliteStore, StoreError, Tokens,
};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinHandle,
};
use tower::ServiceExt as _;

use crate::{
    app::App,
    audit::Audit,
    colabmatch,
    dev::Dev,
    matches::Matches,
    messages,
    metrics::Metrics,
    options::{Location, Options, Secret},
    roster, routes,
    trail::Trail,
};

/// A running server. Dropping it stops accepting and ends every connection without a word, as a killed process does.
pub struct Server {
    addr: SocketAddr,
    app: Arc<App>,
    engine: Arc<Engine>,
    accepting: JoinHandle<()>,
    chores: Vec<JoinHandle<()>>,
    _engine_chores: Chores,
}

impl Server {
    /// Binds the address and starts accepting.
    ///
    /// # Errors
    /// Options that do not go together, a file that cannot be opened, or an address that cannot be bound.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let secret = match (&options.secret, options.dev) {
            (Some(secret), _) => secret.clone(),
            (None, true) => Secret::random().map_err(StartError::Random)?,
            (None, false) => return Err(StartError::NoSecret),
        };
        if !options.dev && secret.as_bytes().len() < 32 {
            tracing::warn!("the token secret has less than 32 bytes and can be guessed");
        }
        if options.idle_timeout <= options.heartbeat_interval {
            tracing::warn!("clients are closed as idle between two heartbeats");
        }
        if options.dev && !options.host.is_loopback() {
            tracing::warn!("--dev gives tokens to anyone who can reach {}", options.host);
        }
        if options.database.is_none() && !options.dev {
            tracing::warn!("nothing outlives this process: give --database or EVERWIRE_DATABASE");
        }
        if let Some(www) = options.www.as_ref().filter(|www| !www.is_dir()) {
            return Err(StartError::NoDirectory(www.clone()));
        }
        let metrics = Arc::new(Metrics::new());
        let audit = options.audit.as_deref().map(Audit::open).transpose().map_err(StartError::Audit)?;
        let trail = Arc::new(Trail::new(audit, metrics.clone()));
        let backend: Backend = match &options.database {
            Some(Location::File(path)) => SqliteStore::new(path).setup(messages::TABLES).into(),
            Some(Location::Postgres(url)) => PostgresStore::new(url).setup(messages::TABLES).into(),
            None => SqliteStore::in_memory().setup(messages::TABLES).into(),
        };
        let mut shared = Shared::open(backend, options.limits(), trail.clone()).await.map_err(StartError::Store)?;
        if let Some(url) = &options.redis {
            if !matches!(options.database, Some(Location::Postgres(_))) {
                return Err(StartError::RedisAlone);
            }
            let bus = RedisBus::new(url.as_str());
            let bus = match &options.node {
                Some(node) => bus.node(node),
                None => bus,
            };
            shared.join(bus).map_err(StartError::Redis)?;
        }
        let wanted = SocketAddr::new(options.host, options.port);
        let listener = listen(wanted, options.send_buffer).map_err(|error| StartError::Bind(wanted, error))?;
        let addr = listener.local_addr().map_err(StartError::Io)?;
        let tokens =
            Arc::new(Tokens::for_audience(secret.as_bytes(), options.token_life_s, options.audience.as_deref()));
        let app = Arc::new(App {
            tokens: tokens.clone(),
            hub: shared.hub.clone(),
            matches: Matches::load(shared.store.clone()).await.map_err(StartError::Store)?,
            typists: Mutex::default(),
            limits: shared.rates.clone(),
            metrics,
            trail,
            dev: options.dev.then(|| Dev::new(options.record_frames)),
            options,
        });
        let (engine, engine_chores) = Engine::start(shared, app.clone(), Box::new(tokens));
        let doors = Doors { handshake_timeout: app.options.handshake_timeout, trusts_proxy: app.options.trust_proxy };
        let accepting = tokio::spawn(accept(listener, routes::router(&app, &engine), doors));
        let mut chores =
            vec![tokio::spawn(colabmatch::announce_stops(app.clone())), tokio::spawn(roster::run(app.clone()))];
        if app.options.database.is_some() {
            let app = app.clone();
            chores.push(tokio::spawn(async move { app.matches.follow().await }));
        }
        Ok(Self { addr, app, engine, accepting, chores, _engine_chores: engine_chores })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its base URL, with a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}/", self.addr)
    }

    /// Open WebSocket connections.
    pub fn connections(&self) -> usize {
        self.app.hub.len()
    }

    #[cfg(test)]
    pub(crate) fn app(&self) -> &App {
        &self.app
    }

    #[cfg(test)]
    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// Goes on in a new audit file: the old one was moved away.
    pub fn reopen_audit(&self) {
        self.app.trail.reopen();
    }

    /// Stops accepting, closes every connection with 1012, and waits until all have said goodbye or the drain timeout
    /// is over. Says whether all have. Then the database is closed.
    pub async fn drain(self) -> bool {
        self.accepting.abort();
        let is_complete = self.engine.drain(self.app.options.drain_timeout).await;
        if tokio::time::timeout(CLOSE_DEADLINE, self.app.store().close()).await.is_err() {
            tracing::warn!("the database was busy at the end");
        }
        is_complete
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
        for chore in &self.chores {
            chore.abort();
        }
        self.engine.abort();
    }
}

fn listen(addr: SocketAddr, send_buffer: Option<u32>) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Accepted connections have it from the socket that listens.
    if let Some(bytes) = send_buffer {
        socket.set_send_buffer_size(bytes)?;
    }
    // Else a restarted server would have to wait for the connections of the one before it to be forgotten.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

/// How requests are let in.
#[derive(Clone, Copy)]
struct Doors {
    handshake_timeout: Duration,
    /// Whether a proxy says where a request is from.
    trusts_proxy: bool,
}

async fn accept(listener: TcpListener, router: Router, doors: Doors) {
    let requests = Arc::new(Semaphore::new(MAX_HTTP_CONNECTIONS));
    loop {
        match listener.accept().await {
            // Slow clients may use up the places of others, but not the memory of the server.
            Ok((stream, peer)) => {
                if let Ok(place) = requests.clone().try_acquire_owned() {
                    tokio::spawn(serve(stream, peer, router.clone(), doors, place));
                }
            }
            Err(error) => {
                // Out of file descriptors, most likely: accepting again at once would spin.
                tracing::warn!(%error, "cannot accept");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// Serves HTTP on a connection until it ends or becomes a WebSocket.
async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    Doors { handshake_timeout, trusts_proxy }: Doors,
    _place: OwnedSemaphorePermit,
) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        let forwarded = if trusts_proxy { forwarded_for(request.headers()) } else { None };
        request.extensions_mut().insert(ConnectInfo(forwarded.unwrap_or(peer)));
        router.clone().oneshot(request.map(axum::body::Body::new))
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(handshake_timeout)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    if let Err(error) = connection.await {
        tracing::debug!(%error, "HTTP connection ended");
    }
}

/// The client as the nearest proxy has seen it: the last address of `X-Forwarded-For`, for those before it are what the client says. Its port is not known.
fn forwarded_for(headers: &HeaderMap) -> Option<SocketAddr> {
    let last = headers.get_all("x-forwarded-for").iter().next_back()?;
    let ip = last.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()?;
    Some(SocketAddr::new(ip, 0))
}

/// Why the server did not start.
#[derive(Debug)]
pub enum StartError {
    /// There is no secret to check tokens with, and no `--dev`.
    NoSecret,
    /// The address cannot be bound.
    Bind(SocketAddr, io::Error),
    /// The database cannot be opened.
    Store(StoreError),
    /// The URL of Redis is none.
    Redis(BusError),
    /// There is Redis, and nodes that it could be between have no database in common.
    RedisAlone,
    /// There is no directory of pages where one is said to be.
    NoDirectory(PathBuf),
    /// The audit trail cannot be opened.
    Audit(io::Error),
    /// The system gave no random bytes.
    Random(getrandom::Error),
    /// Anything else that the operating system refused.
    Io(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSecret => formatter.write_str(
                "a secret is needed to check tokens: give --secret, EVERWIRE_JWT_SECRET or JWT_SECRET_KEY, or --dev for a random one",
            ),
            Self::Bind(addr, error) => write!(formatter, "cannot listen on {addr}: {error}"),
            Self::Store(error) => write!(formatter, "--database: {error}"),
            Self::Redis(error) => write!(formatter, "--redis: {error}"),
            Self::RedisAlone => {
                formatter.write_str("--redis is for nodes that share a PostgreSQL: give --database postgres://…, or no --redis")
            }
            Self::NoDirectory(path) => write!(formatter, "--www: {} is no directory", path.display()),
            Self::Audit(error) => write!(formatter, "--audit: {error}"),
            Self::Random(error) => write!(formatter, "no random bytes for a secret: {error}"),
            Self::Io(error) => error.fmt(formatter),
        }
    }
}

impl std::error::Error for StartError {}

/// How long the end waits for the database.
const CLOSE_DEADLINE: Duration = Duration::from_secs(2);

/// Clients that may be waiting to be accepted. After a restart all of them come at once.
const BACKLOG: u32 = 8192;

/// Connections that speak HTTP at the same time. WebSockets are counted apart.
const MAX_HTTP_CONNECTIONS: usize = 4096;

/// Room for a request's head: a long token, and a browser's cookies.
const MAX_HEAD_BYTES: usize = 32 * 1024;

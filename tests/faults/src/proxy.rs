//! Accepts connections and joins each with one to the server.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
};

use parking_lot::Mutex;
use serde::Serialize;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::broadcast,
    task::JoinHandle,
};

use crate::{
    control, pump,
    rule::{Direction, Fault},
    rules::Rules,
};

/// A running proxy. Dropping it resets its connections and frees its ports.
pub struct FaultProxy {
    addr: SocketAddr,
    shared: Arc<Shared>,
    tasks: Vec<JoinHandle<()>>,
}

/// What the tasks of a proxy share.
pub(crate) struct Shared {
    pub rules: Rules,
    pub traffic: Counters,
    target: Mutex<SocketAddr>,
    receive_buffer: Mutex<Option<u32>>,
    ends: broadcast::Sender<Fault>,
}

/// Connections and bytes so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Traffic {
    /// Connections at this moment.
    pub open: usize,
    /// Connections that were passed on.
    pub accepted: u64,
    /// Connections that were refused by a rule, or because the server did not answer.
    pub refused: u64,
    /// Bytes from clients.
    pub bytes_up: u64,
    /// Bytes from the server.
    pub bytes_down: u64,
}

#[derive(Default)]
pub(crate) struct Counters {
    open: AtomicUsize,
    accepted: AtomicU64,
    refused: AtomicU64,
    up: AtomicU64,
    down: AtomicU64,
}

impl FaultProxy {
    /// Listens on `listen` (port 0 takes a free one) and passes connections on to `target`.
    ///
    /// # Errors
    /// The address cannot be bound.
    pub async fn start(listen: SocketAddr, target: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let addr = listener.local_addr()?;
        let shared = Arc::new(Shared {
            rules: Rules::default(),
            traffic: Counters::default(),
            target: Mutex::new(target),
            receive_buffer: Mutex::new(None),
            ends: broadcast::Sender::new(16),
        });
        let tasks = vec![tokio::spawn(accept(listener, shared.clone())), tokio::spawn(end_on_command(shared.clone()))];
        Ok(Self { addr, shared, tasks })
    }

    /// Serves the control endpoints on `listen` and returns their address.
    ///
    /// # Errors
    /// The address cannot be bound.
    pub async fn control(&mut self, listen: SocketAddr) -> io::Result<SocketAddr> {
        let listener = TcpListener::bind(listen).await?;
        let addr = listener.local_addr()?;
        let router = control::router(self.shared.clone());
        self.tasks.push(tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the control endpoints ended");
            }
        }));
        Ok(addr)
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The rules in force.
    pub fn rules(&self) -> &Rules {
        &self.shared.rules
    }

    /// How many bytes the operating system may hold between the server and later connections; its default with `None`.
    pub fn set_receive_buffer(&self, bytes: Option<u32>) {
        *self.shared.receive_buffer.lock() = bytes;
    }

    /// Passes later connections on to another server.
    pub fn set_target(&self, target: SocketAddr) {
        self.shared.set_target(target);
    }

    /// Connections and bytes so far.
    pub fn traffic(&self) -> Traffic {
        self.shared.traffic.read()
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
        let _ = self.shared.ends.send(Fault::Reset);
    }
}

impl Shared {
    pub fn set_target(&self, target: SocketAddr) {
        *self.target.lock() = target;
    }
}

impl Counters {
    pub fn bytes(&self, way: Direction) -> &AtomicU64 {
        match way {
            Direction::Up => &self.up,
            Direction::Down | Direction::Both => &self.down,
        }
    }

    pub fn read(&self) -> Traffic {
        Traffic {
            open: self.open.load(Relaxed),
            accepted: self.accepted.load(Relaxed),
            refused: self.refused.load(Relaxed),
            bytes_up: self.up.load(Relaxed),
            bytes_down: self.down.load(Relaxed),
        }
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        match listener.accept().await {
            Ok((client, _)) => {
                tokio::spawn(serve(client, shared.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
    }
}

async fn serve(mut client: TcpStream, shared: Arc<Shared>) {
    if shared.rules.refuses() {
        return refuse(&client, &shared);
    }
    let mut ends = shared.ends.subscribe();
    shared.traffic.open.fetch_add(1, Relaxed);
    let _open = Open(&shared.traffic.open);
    tokio::time::sleep(shared.rules.handshake_delay()).await;
    let target = *shared.target.lock();
    let receive_buffer = *shared.receive_buffer.lock();
    let mut server = match connect(target, receive_buffer).await {
        Ok(server) => server,
        Err(error) => {
            tracing::debug!(%error, %target, "the server does not answer");
            return refuse(&client, &shared);
        }
    };
    shared.traffic.accepted.fetch_add(1, Relaxed);
    for stream in [&client, &server] {
        let _ = stream.set_nodelay(true);
    }
    let ended = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        tokio::select! {
            passed = async { tokio::try_join!(
                pump::run(&shared, Direction::Up, from_client, to_server),
                pump::run(&shared, Direction::Down, from_server, to_client),
            ) } => passed.err().map(|_| Fault::Reset),
            ending = ends.recv() => ending.ok(),
        }
    };
    if ended == Some(Fault::Reset) {
        let _ = client.set_zero_linger();
        let _ = server.set_zero_linger();
    }
}

fn refuse(client: &TcpStream, shared: &Shared) {
    shared.traffic.refused.fetch_add(1, Relaxed);
    let _ = client.set_zero_linger();
}

async fn connect(target: SocketAddr, receive_buffer: Option<u32>) -> io::Result<TcpStream> {
    let socket = if target.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if let Some(bytes) = receive_buffer {
        socket.set_recv_buffer_size(bytes)?;
    }
    socket.connect(target).await
}

/// Waits for rules that end connections.
async fn end_on_command(shared: Arc<Shared>) {
    let mut watch = shared.rules.watch();
    loop {
        watch.seen();
        while let Some(ending) = shared.rules.take_ending(shared.traffic.open.load(Relaxed)) {
            let _ = shared.ends.send(ending);
        }
        watch.change().await;
    }
}

struct Open<'a>(&'a AtomicUsize);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

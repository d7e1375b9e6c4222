//! A server that sends every line back, the proxy before it, and a client.

#![allow(dead_code, clippy::unwrap_used, reason = "each test file uses its own part, and a test may panic")]

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use everwire_faults::{Fault, FaultProxy, Rule};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::broadcast,
    time::timeout,
};

/// Far beyond what anything takes; only a failing test waits this long.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// An echo server behind its own proxy.
pub struct World {
    pub proxy: FaultProxy,
    server: Arc<Server>,
}

struct Server {
    open: AtomicUsize,
    lines_received: AtomicUsize,
    pushes: broadcast::Sender<String>,
}

impl World {
    pub async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let server = Arc::new(Server {
            open: AtomicUsize::new(0),
            lines_received: AtomicUsize::new(0),
            pushes: broadcast::Sender::new(16),
        });
        tokio::spawn(accept(listener, server.clone()));
        Self { proxy: FaultProxy::start(([127, 0, 0, 1], 0).into(), addr).await.unwrap(), server }
    }

    /// A client whose first line has been to the server and back.
    pub async fn connect(&self) -> Client {
        self.try_connect().await.unwrap()
    }

    pub async fn try_connect(&self) -> io::Result<Client> {
        let (reader, writer) = TcpStream::connect(self.proxy.addr()).await?.into_split();
        let mut client = Client { lines: BufReader::new(reader).lines(), writer };
        client.send("hello").await?;
        match client.line().await? {
            Some(line) if line == "hello" => Ok(client),
            other => Err(io::Error::other(format!("{other:?}"))),
        }
    }

    /// Connections that the server has.
    pub fn connections(&self) -> usize {
        self.server.open.load(SeqCst)
    }

    /// Complete lines that the server has received.
    pub fn lines_received(&self) -> usize {
        self.server.lines_received.load(SeqCst)
    }

    /// Sends a line to all clients.
    pub fn push(&self, line: &str) {
        self.server.pushes.send(line.to_owned()).unwrap();
    }

    /// Puts a rule for both directions in force.
    pub fn add(&self, fault: Fault) -> u64 {
        self.proxy.rules().add(Rule::new(fault))
    }

    pub fn hits(&self, id: u64) -> u64 {
        self.proxy.rules().status().iter().find(|status| status.id == id).unwrap().hits
    }
}

pub async fn until(what: &str, condition: impl Fn() -> bool) {
    let patiently = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, patiently).await.unwrap_or_else(|_| panic!("never: {what}"));
}

pub struct Client {
    lines: Lines<BufReader<OwnedReadHalf>>,
    writer: OwnedWriteHalf,
}

impl Client {
    pub async fn send(&mut self, line: &str) -> io::Result<()> {
        self.writer.write_all(format!("{line}\n").as_bytes()).await
    }

    /// The next line; `None` at the end of the stream.
    pub async fn line(&mut self) -> io::Result<Option<String>> {
        timeout(PATIENCE, self.lines.next_line()).await.expect("no line")
    }

    /// Sends a line, and the next one that arrives is the same.
    pub async fn echo(&mut self, line: &str) {
        self.send(line).await.unwrap();
        self.expect(line).await;
    }

    pub async fn expect(&mut self, line: &str) {
        assert_eq!(self.line().await.unwrap().as_deref(), Some(line));
    }

    /// Nothing arrives for a while.
    pub async fn hears_nothing(&mut self) {
        let heard = timeout(Duration::from_millis(150), self.lines.next_line()).await;
        assert!(heard.is_err(), "{heard:?}");
    }
}

async fn accept(listener: TcpListener, server: Arc<Server>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let server = server.clone();
        tokio::spawn(async move {
            server.open.fetch_add(1, SeqCst);
            // How a connection ends is the client's to judge.
            let _ = echo(stream, &server).await;
            server.open.fetch_sub(1, SeqCst);
        });
    }
}

async fn echo(mut stream: TcpStream, server: &Server) -> io::Result<()> {
    let mut pushes = server.pushes.subscribe();
    let (reader, mut writer) = stream.split();
    let mut lines = BufReader::new(reader).lines();
    loop {
        let line = tokio::select! {
            line = lines.next_line() => match line? {
                Some(line) => {
                    server.lines_received.fetch_add(1, SeqCst);
                    line
                }
                None => return Ok(()),
            },
            Ok(line) = pushes.recv() => line,
        };
        writer.write_all(format!("{line}\n").as_bytes()).await?;
    }
}

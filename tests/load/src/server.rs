//! The server under load: a process of its own, started, ended and started again by handle.

use std::{
    fs::OpenOptions,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    time::timeout,
};

use crate::process::{self, Usage};

/// How to start it.
pub struct Recipe {
    executable: PathBuf,
    log: PathBuf,
    flags: Vec<String>,
    /// The secret that it checks tokens with.
    pub secret: String,
    app_key: String,
}

/// A running server. Dropping it kills the process.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub addr: SocketAddr,
}

impl Recipe {
    /// A server without development endpoints, with secrets that live as long as the run. Its log goes to `log`.
    pub fn new(executable: &Path, log: PathBuf, flags: Vec<String>) -> Result<Self> {
        if !executable.is_file() {
            bail!(
                "there is no server at {}; build it with `cargo build --release -p everwire-server`",
                executable.display()
            );
        }
        let secret = || (0..4).map(|_| format!("{:016x}", fastrand::u64(..))).collect::<String>();
        // A log of an earlier run would be mistaken for this one's.
        std::fs::write(&log, "").with_context(|| format!("creating {}", log.display()))?;
        Ok(Self { executable: executable.to_owned(), log, flags, secret: secret(), app_key: secret() })
    }

    /// Starts the server and waits until it listens; port 0 takes a free one.
    pub async fn start(&self, port: u16) -> Result<Server> {
        let log = OpenOptions::new().append(true).open(&self.log).context("opening the server's log")?;
        let mut child = Command::new(&self.executable)
            .args(["--rate-limit-per-minute", "0", "--port", &port.to_string()])
            .args(&self.flags)
            .env_remove("RUST_LOG")
            .env("EVERWIRE_JWT_SECRET", &self.secret)
            .env("EVERWIRE_APP_KEY", &self.app_key)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("starting {}", self.executable.display()))?;
        let stdout = child.stdout.take().context("the server has no standard output")?;
        let mut lines = BufReader::new(stdout).lines();
        let line = timeout(START_LIMIT, lines.next_line()).await.context("the server does not get ready")??;
        let Some(line) = line else { bail!("the server ended at once; its log is {}", self.log.display()) };
        let addr = line.strip_prefix("ready http://").map(|rest| rest.trim_end_matches('/').parse());
        let addr = addr.with_context(|| format!("not a ready line: {line}"))??;
        Ok(Server { child, addr })
    }
}

/// Servers that share one memory.
pub struct Fleet {
    nodes: Vec<Server>,
}

impl Fleet {
    /// Starts so many, on free ports.
    pub async fn start(recipe: &Recipe, nodes: usize) -> Result<Self> {
        let mut fleet = Self { nodes: Vec::new() };
        for _ in 0..nodes {
            fleet.nodes.push(recipe.start(0).await?);
        }
        Ok(fleet)
    }

    /// Where they listen.
    pub fn addrs(&self) -> Vec<SocketAddr> {
        self.nodes.iter().map(|node| node.addr).collect()
    }

    /// What they take together by now.
    pub fn usage(&self) -> Result<Usage> {
        self.nodes.iter().map(Server::usage).sum()
    }

    /// Ends them without a warning.
    pub async fn kill(self) -> Result<()> {
        for node in self.nodes {
            node.kill().await?;
        }
        Ok(())
    }

    /// The server of a fleet that has one.
    pub fn into_only(mut self) -> Result<Server> {
        self.nodes.pop().context("the fleet has no server")
    }
}

impl From<Server> for Fleet {
    fn from(server: Server) -> Self {
        Self { nodes: vec![server] }
    }
}

impl Server {
    /// What it takes by now.
    pub fn usage(&self) -> Result<Usage> {
        process::usage(self.child.id().context("the server has ended")?)
    }

    /// Ends it without a warning, as a crash would.
    pub async fn kill(mut self) -> Result<()> {
        self.child.kill().await.context("killing the server")
    }

    /// Asks it to end, as a supervisor would, and waits until it has.
    pub async fn drain(mut self) -> Result<()> {
        terminate(&mut self.child)?;
        match timeout(DRAIN_LIMIT, self.child.wait()).await {
            Ok(status) => {
                let status = status?;
                if !status.success() {
                    bail!("the server ended its drain with {status}");
                }
                Ok(())
            }
            Err(_) => bail!("the server was still draining after {} s", DRAIN_LIMIT.as_secs()),
        }
    }
}

#[cfg(unix)]
fn terminate(child: &mut Child) -> Result<()> {
    use nix::{sys::signal, unistd::Pid};
    let id = child.id().context("the server has ended")?;
    signal::kill(Pid::from_raw(i32::try_from(id)?), signal::Signal::SIGTERM).context("ending the server")
}

#[cfg(not(unix))]
fn terminate(child: &mut Child) -> Result<()> {
    child.start_kill().context("ending the server")
}

const START_LIMIT: Duration = Duration::from_secs(20);
const DRAIN_LIMIT: Duration = Duration::from_secs(20);

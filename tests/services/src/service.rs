//! A process that listens on a port and can be killed and started again.

use std::{
    fs::OpenOptions,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Error, Result, bail};

/// How to run it, and the process that does.
pub struct Service {
    name: &'static str,
    pub port: u16,
    command: Command,
    is_ready: Box<dyn FnMut(u16) -> bool>,
    log: PathBuf,
    process: Option<Child>,
}

impl Service {
    /// `is_ready` says whether it takes work on its port.
    pub fn new(
        name: &'static str,
        port: u16,
        command: Command,
        is_ready: impl FnMut(u16) -> bool + 'static,
        log: PathBuf,
    ) -> Self {
        Self { name, port, command, is_ready: Box::new(is_ready), log, process: None }
    }

    /// Starts it and waits until it is ready.
    pub fn start(&mut self) -> Result<()> {
        if self.process.is_some() {
            bail!("{} runs already", self.name);
        }
        let deadline = Instant::now() + START_LIMIT;
        while Instant::now() < deadline {
            let has_ended =
                self.process.as_mut().map_or(Ok(true), |process| Ok::<_, Error>(process.try_wait()?.is_some()))?;
            if has_ended {
                // What a killed one has left behind, such as children that have its memory, takes a moment to go.
                self.process = Some(self.spawn()?);
            } else if (self.is_ready)(self.port) {
                return Ok(());
            }
            sleep(PAUSE);
        }
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines = log.lines().collect::<Vec<_>>();
        let end = lines[lines.len().saturating_sub(LOG_LINES)..].join("\n  ");
        bail!("{} was not ready after {} s; its log ends with:\n  {end}", self.name, START_LIMIT.as_secs())
    }

    /// Ends it without a warning.
    pub fn kill(&mut self) -> Result<()> {
        let mut process = self.process.take().with_context(|| format!("{} does not run", self.name))?;
        process.kill()?;
        process.wait()?;
        Ok(())
    }

    fn spawn(&mut self) -> Result<Child> {
        let log = OpenOptions::new().create(true).append(true).open(&self.log)?;
        self.command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        self.command.spawn().with_context(|| format!("starting {}", self.name))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            interrupt(&process);
            let deadline = Instant::now() + STOP_LIMIT;
            while Instant::now() < deadline && matches!(process.try_wait(), Ok(None)) {
                sleep(PAUSE);
            }
            _ = process.kill();
            _ = process.wait();
        }
    }
}

/// Both end at once on SIGINT, `PostgreSQL` without waiting for its clients.
#[cfg(unix)]
fn interrupt(process: &Child) {
    use nix::{sys::signal, unistd::Pid};
    if let Ok(id) = i32::try_from(process.id()) {
        _ = signal::kill(Pid::from_raw(id), signal::Signal::SIGINT);
    }
}

#[cfg(not(unix))]
fn interrupt(_: &Child) {}

/// A port on which nobody listens at this moment.
pub fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).context("no free port")?;
    Ok(listener.local_addr()?.port())
}

const START_LIMIT: Duration = Duration::from_secs(30);
const STOP_LIMIT: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(25);
const LOG_LINES: usize = 12;

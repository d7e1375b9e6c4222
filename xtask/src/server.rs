//! The reference server and its fault proxy, as processes that this tool starts and stops.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::job::Job;
use crate::paths;
use crate::processes::Running;

/// Compiles the server and its fault proxy, and names the server's executable.
pub fn build() -> Result<PathBuf> {
    Job::cargo("build · server")
        .args(["build", "--package", "everwire-server", "--package", "everwire-faults"])
        .run()?;
    Ok(paths::target()?.join("debug").join(format!("everwire-server{}", std::env::consts::EXE_SUFFIX)))
}

/// The ports of the fault proxy.
#[derive(Clone, Copy)]
pub struct FaultPorts {
    pub listen: u16,
    pub control: u16,
}

pub struct Server {
    name: &'static str,
    process: Running,
    pub ready_line: String,
    log: PathBuf,
}

impl Server {
    /// Starts the server for development, without a rate limit, and waits until it listens.
    pub fn start(executable: &Path, port: u16, www: Option<&Path>) -> Result<Self> {
        let www = www.map(|www| ["--www".into(), www.as_os_str().to_owned()]);
        Self::start_with(executable, port, www.iter().flatten())
    }

    /// The same with more flags.
    pub fn start_with(
        executable: &Path,
        port: u16,
        flags: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Result<Self> {
        let mut command = Command::new(executable);
        command.args(["--dev", "--rate-limit-per-minute", "0", "--port", &port.to_string()]).args(flags);
        Self::run("server", command)
    }

    /// Starts the fault proxy that [`build`] compiled, in front of the server at port `target`.
    pub fn start_faults(server: &Path, ports: FaultPorts, target: u16) -> Result<Self> {
        let executable = server.with_file_name(format!("everwire-faults{}", std::env::consts::EXE_SUFFIX));
        let mut command = Command::new(executable);
        for (flag, port) in [("--listen", ports.listen), ("--target", target), ("--control", ports.control)] {
            command.args([flag, &format!("127.0.0.1:{port}")]);
        }
        Self::run("fault-proxy", command)
    }

    /// Runs a program that prints a line which begins with `ready `, and waits for that. Its standard input ends when this is dropped.
    pub fn run(name: &'static str, mut command: Command) -> Result<Self> {
        let log = paths::scratch()?.join(format!("{name}-{}.log", number()));
        let errors = File::create(&log).with_context(|| format!("creating {}", log.display()))?;
        command.current_dir(paths::root()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors);
        let mut process = Running::start(&mut command).with_context(|| format!("starting {command:?}"))?;
        let lines = lines(&mut process)?;
        let ready_line = wait_until_ready(name, &lines, &mut process, &log)?;
        Ok(Self { name, process, ready_line, log })
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }

    pub fn has_ended(&mut self) -> Result<bool> {
        Ok(self.process.try_wait()?.is_some())
    }

    /// Waits until the process ends by itself, which it should not.
    pub fn wait(mut self) -> Result<()> {
        let status = self.process.wait(|| Ok(()))?;
        bail!("{}", obituary(self.name, status, &self.log))
    }
}

/// Tells logs of one command apart.
fn number() -> usize {
    static STARTED: AtomicUsize = AtomicUsize::new(1);
    STARTED.fetch_add(1, Ordering::Relaxed)
}

/// A free port: `preferred` if nobody listens there.
pub fn free_port(preferred: u16) -> Result<u16> {
    if is_free(preferred) {
        return Ok(preferred);
    }
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("no free port")?;
    Ok(listener.local_addr()?.port())
}

pub fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

/// The lines of standard output; the pipe is drained to the end so that the process never blocks on it.
fn lines(process: &mut Running) -> Result<Receiver<String>> {
    let output = process.child().stdout.take().context("a process without standard output")?;
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            _ = sender.send(line);
        }
    });
    Ok(receiver)
}

fn wait_until_ready(name: &str, lines: &Receiver<String>, process: &mut Running, log: &Path) -> Result<String> {
    let deadline = Instant::now() + START_LIMIT;
    while Instant::now() < deadline {
        match lines.recv_timeout(Duration::from_millis(100)) {
            Ok(line) if line.starts_with("ready ") => return Ok(line),
            Ok(_) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                let status = process.wait(|| Ok(()))?;
                bail!("{}", obituary(name, status, log));
            }
        }
    }
    bail!("the {name} printed no `ready` line within {} s; its log is {}", START_LIMIT.as_secs(), log.display())
}

fn obituary(name: &str, status: ExitStatus, log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines = text.lines().collect::<Vec<_>>();
    let last_lines = lines[lines.len().saturating_sub(20)..].join("\n  ");
    format!("the {name} ended by itself ({status}); its log {} ends with:\n  {last_lines}", log.display())
}

const START_LIMIT: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_port_is_replaced_by_a_free_one() {
        let busy = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = busy.local_addr().unwrap().port();
        let other = free_port(port).unwrap();
        assert!(other != port && is_free(other));
    }
}

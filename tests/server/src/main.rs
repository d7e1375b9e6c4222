//! Command line of the reference server.

mod signals;

use std::{
    io::{self, IsTerminal as _, Write as _},
    process::ExitCode,
};

use everwire_server::{LogFormat, Options, Server, StartError};
use signals::{Signal, Signals};
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::from_process().unwrap_or_else(|error| error.exit());
    let _logs = log_to_stderr(options.log_format);
    // Each connection is an open file, and the usual soft limit of 1024 is far below the default capacity.
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(limit) if limit <= options.max_connections as u64 => {
            tracing::warn!(limit, "fewer open files are allowed than connections");
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "the limit of open files cannot be raised"),
    }
    match run(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "everwire-server: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), StartError> {
    let mut signals = Signals::new().map_err(StartError::Io)?;
    let starting = Server::start(options);
    let server = tokio::select! {
        started = starting => started?,
        () = signals.stop() => return Ok(()),
    };
    let mut stdout = io::stdout();
    writeln!(stdout, "ready {}", server.url()).and_then(|()| stdout.flush()).map_err(StartError::Io)?;
    while signals.next().await == Signal::Reopen {
        server.reopen_audit();
    }
    tracing::info!("draining");
    if !server.drain().await {
        tracing::warn!("some clients did not say goodbye in time");
    }
    Ok(())
}

/// Logs by a thread of its own, because whoever reads standard error may be slow, or gone: lines that are not taken are dropped.
fn log_to_stderr(format: LogFormat) -> WorkerGuard {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let (writer, guard) = NonBlockingBuilder::default().buffered_lines_limit(BUFFERED_LINES).finish(io::stderr());
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    match format {
        LogFormat::Text => builder.with_ansi(io::stderr().is_terminal()).init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
    guard
}

/// PostgreSQL notices each table that is there already.
const DEFAULT_FILTER: &str = "info,tokio_postgres=warn";
const BUFFERED_LINES: usize = 10_000;

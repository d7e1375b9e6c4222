//! Command line of the reference server.

use std::{
    io::{self, IsTerminal as _, Write as _},
    process::ExitCode,
};

use everwire_server::{LogFormat, Options, Server, StartError};
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::from_process().unwrap_or_else(|error| error.exit());
    log_to_stderr(options.log_format);
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
    let server = Server::start(options).await?;
    let mut stdout = io::stdout();
    writeln!(stdout, "ready {}", server.url()).and_then(|()| stdout.flush()).map_err(StartError::Io)?;
    shutdown_signal().await.map_err(StartError::Io)?;
    tracing::info!("draining");
    if !server.drain().await {
        tracing::warn!("some clients did not say goodbye in time");
    }
    Ok(())
}

#[cfg(unix)]
async fn shutdown_signal() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result,
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn shutdown_signal() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}

fn log_to_stderr(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    match format {
        LogFormat::Text => builder.with_ansi(io::stderr().is_terminal()).init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
}

//! Command line of the fault proxy.

use std::{
    io::{self, Write as _},
    net::SocketAddr,
    process::ExitCode,
};

use clap::Parser;
use everwire_faults::FaultProxy;

/// A TCP proxy that misbehaves on command.
///
/// Prints one line, `ready http://<listen>/ control http://<control>/`, when it is listening.
#[derive(Parser)]
#[command(name = "everwire-faults", version)]
struct Options {
    /// Address for clients. Port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,

    /// Address of the server.
    #[arg(long, default_value = "127.0.0.1:8787")]
    target: SocketAddr,

    /// Address of the control endpoints. Never on a public network.
    #[arg(long, default_value = "127.0.0.1:0")]
    control: SocketAddr,

    /// Bytes that the operating system may hold between the server and this proxy; it rounds and doubles them as it likes. With few, a proxy that does
    /// not read is felt by the server at once. Without it, the system's default.
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1..))]
    receive_buffer: Option<u32>,
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "everwire-faults: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> io::Result<()> {
    let mut proxy = FaultProxy::start(options.listen, options.target).await?;
    proxy.set_receive_buffer(options.receive_buffer);
    let control = proxy.control(options.control).await?;
    let mut stdout = io::stdout();
    writeln!(stdout, "ready http://{}/ control http://{control}/", proxy.addr())?;
    stdout.flush()?;
    tokio::signal::ctrl_c().await
}

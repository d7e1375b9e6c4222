//! `EVERWIRE_DEV=1 cargo run`, then <http://127.0.0.1:8000/?user=ada>.

use std::{env, error::Error, io::Write as _, process::ExitCode, time::Duration};

use everwire_axum::RedisBus;
use everwire_axum_example::{Settings, application};

#[tokio::main]
async fn main() -> ExitCode {
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let development = env::var_os("EVERWIRE_DEV").is_some();
    let secret = match env::var("JWT_SECRET_KEY") {
        Ok(secret) => secret,
        Err(_) if development => "for development only, and known to everyone".to_owned(),
        Err(_) => return Err("set JWT_SECRET_KEY to a secret of 32 bytes or more, or EVERWIRE_DEV".into()),
    };
    let database = env::var("EVERWIRE_DATABASE").unwrap_or_else(|_| "everwire.db".to_owned());
    let bus = env::var("EVERWIRE_REDIS").ok().map(RedisBus::new);
    let settings = Settings { secret, database: Some(database), development, bus, ..Settings::default() };
    let (wire, routes) = application(settings).await?;

    let port = env::var("PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(8000);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    writeln!(std::io::stdout(), "ready http://{}/", listener.local_addr()?)?;
    axum::serve(listener, routes)
        .with_graceful_shutdown(async move {
            shutdown().await;
            // Clients connect again, to the next process.
            wire.drain(Duration::from_secs(10)).await;
        })
        .await?;
    Ok(())
}

/// Done when the process is asked to end, by Ctrl-C or by a service manager.
async fn shutdown() {
    #[cfg(unix)]
    if let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        return;
    }
    let _ = tokio::signal::ctrl_c().await;
}

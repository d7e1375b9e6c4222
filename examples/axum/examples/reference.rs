//! The chat under the flags of the reference server, so that the suites of that run at it: `EVERWIRE_TEST_SERVER_COMMAND` names this
//! program.

use std::{
    collections::VecDeque,
    error::Error,
    io::{Write as _, stdout},
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{Json, extract::Query, routing::get};
use clap::Parser as _;
use everwire_axum::{Arrival, Connection, Limits, Metrics, Outcome, Rates, RedisBus};
use everwire_axum_example::{Settings, application};
use serde::Deserialize;
use serde_json::{Value, json};

/// A flag that is not here is an error: what a suite tests with it does not apply.
#[derive(clap::Parser)]
struct Flags {
    #[arg(long, required = true)]
    dev: bool,
    #[arg(long, default_value_t = 0)]
    port: u16,
    #[arg(long)]
    database: Option<String>,
    #[arg(long)]
    redis: Option<String>,
    #[arg(long, default_value = "node")]
    node: String,
    #[arg(long)]
    epoch: Option<u64>,
    #[arg(long, default_value = "a secret that is the same for all processes")]
    secret: String,
    #[arg(long, default_value_t = 100)]
    rate_limit_per_minute: u32,
    #[arg(long, default_value_t = 10_240)]
    max_message_bytes: usize,
    #[arg(long, default_value_t = 300.0)]
    idle_timeout_s: f64,
    #[arg(long, default_value_t = 20.0)]
    send_timeout_s: f64,
    #[arg(long, default_value_t = 20_000)]
    max_connections: usize,
    #[arg(long, default_value_t = 50)]
    max_connections_per_user: usize,
    #[arg(long, default_value_t = 256)]
    queue_frames: usize,
    #[arg(long, default_value_t = 1_048_576)]
    queue_bytes: usize,
    #[arg(long, default_value_t = 1000)]
    history_events: u64,
    #[arg(long, default_value_t = 8_388_608)]
    history_bytes_per_user: u64,
    #[arg(long, default_value_t = 604_800.0)]
    client_age_s: f64,
    #[arg(long, default_value_t = 20_000)]
    record_frames: usize,
}

/// Which messages came last, for `/dev/received`. The library gives payloads to handlers only, so they are not among it.
struct Record {
    messages: Mutex<VecDeque<(Arc<str>, String)>>,
    capacity: usize,
}

impl Metrics for Record {
    fn message(&self, from: &Connection, kind: Option<&str>, _: Option<u64>, _: Arrival, _: Outcome) {
        let mut messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        messages.push_back((from.user.clone(), kind.unwrap_or("malformed").to_owned()));
        if messages.len() > self.capacity {
            messages.pop_front();
        }
    }
}

#[derive(Deserialize)]
struct Which {
    user_id: Option<String>,
    r#type: Option<String>,
}

impl Record {
    fn select(&self, which: &Which) -> Json<Vec<Value>> {
        let messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        let chosen = messages.iter().filter(|(user, kind)| {
            which.user_id.as_deref().is_none_or(|wanted| wanted == &**user)
                && which.r#type.as_deref().is_none_or(|wanted| wanted == kind)
        });
        Json(chosen.map(|(_, kind)| json!({ "type": kind, "data": {} })).collect())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let flags = Flags::parse();
    let limits = Limits {
        max_message_bytes: flags.max_message_bytes,
        rates: Rates {
            messages_per_minute: flags.rate_limit_per_minute,
            chat_per_minute: NonZeroU32::MAX,
            typing_per_second: NonZeroU32::MAX,
        },
        idle_timeout: Duration::from_secs_f64(flags.idle_timeout_s),
        send_timeout: Duration::from_secs_f64(flags.send_timeout_s),
        connections: flags.max_connections,
        connections_per_user: flags.max_connections_per_user,
        queue_frames: flags.queue_frames,
        queue_bytes: flags.queue_bytes,
        history_events: flags.history_events,
        history_bytes: flags.history_bytes_per_user,
        remember: Duration::from_secs_f64(flags.client_age_s),
        epoch: flags.epoch,
        note_processed: flags.dev,
        ..Limits::default()
    };
    let record = Arc::new(Record { messages: Mutex::default(), capacity: flags.record_frames });
    let settings = Settings {
        secret: flags.secret,
        database: flags.database,
        development: flags.dev,
        bus: flags.redis.map(|url| RedisBus::new(url).node(&flags.node)),
        limits,
        metrics: Some(record.clone()),
    };
    let (wire, routes) = application(settings).await?;
    let received = get(async move |Query(which): Query<Which>| record.select(&which));
    let routes = routes.route("/dev/received", received);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", flags.port)).await?;
    writeln!(stdout(), "ready http://{}/", listener.local_addr()?)?;
    stdout().flush()?;
    let serving = tokio::spawn(async move { axum::serve(listener, routes).await });
    shutdown().await?;
    wire.drain(Duration::from_secs(10)).await;
    serving.abort();
    Ok(())
}

#[cfg(unix)]
async fn shutdown() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    signal(SignalKind::terminate())?.recv().await;
    Ok(())
}

#[cfg(not(unix))]
async fn shutdown() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}

//! Flags of the server, which are also the library's way to configure it.

use std::{fmt, net::IpAddr, num::NonZeroU32, path::PathBuf, str::FromStr, time::Duration};

use clap::{Parser, ValueEnum};
use everwire_axum::{Limits, MAX_NUMBER, Rates};

use crate::environment;

/// The reference WebSocket back end for Everwire.
///
/// Prints one line, `ready http://<host>:<port>/`, when it is listening. Logs go to standard error.
#[derive(Clone, Debug, Parser)]
#[command(name = "everwire-server", version)]
pub struct Options {
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1")]
    pub host: IpAddr,

    /// Port to listen on. 0 takes a free one; the `ready` line names it.
    #[arg(long, default_value_t = 8787)]
    pub port: u16,

    /// Turn on the control endpoints under `/dev/`: tokens for anyone, faults on command. Never on a public network.
    #[arg(long)]
    pub dev: bool,

    /// Serve a built single-page app from this directory; unknown paths get its `index.html`.
    #[arg(long, value_name = "DIR")]
    pub www: Option<PathBuf>,

    /// Secret that signs and checks tokens (JWT HS256). Required without `--dev`, where the default is a random one
    /// for each process, so that tokens do not survive a restart. At least 32 bytes are advised.
    /// In the environment: EVERWIRE_JWT_SECRET or JWT_SECRET_KEY.
    #[arg(long)]
    pub secret: Option<Secret>,

    /// Life of the tokens that this server issues, in seconds. In the environment: JWT_ACCESS_TOKEN_EXPIRE_MINUTES.
    #[arg(long, value_name = "SECONDS", default_value_t = 1800, value_parser = clap::value_parser!(i64).range(1..))]
    pub token_life_s: i64,

    /// Take only tokens whose `aud` names this audience. Without it that claim is ignored.
    #[arg(long, value_name = "NAME")]
    pub audience: Option<String>,

    /// How a bad token is refused: a browser can read the close code, but not the status of a refused handshake.
    #[arg(long, value_enum, default_value_t = Reject::Close)]
    pub reject: Reject,

    /// Messages a user may send in a minute, over all connections together. 0 switches it off, and the two below as well. Those of the
    /// reliable mode wait instead of being refused. In the environment: WS_RATE_LIMIT_MESSAGES.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub rate_limit_per_minute: u32,

    /// Chat messages a user may send in matches in a minute, which count as messages as well.
    #[arg(long, value_name = "N", default_value = "30")]
    pub chat_limit_per_minute: NonZeroU32,

    /// Typing events a user may send in a second. They do not count as messages.
    #[arg(long, value_name = "N", default_value = "10")]
    pub typing_limit_per_s: NonZeroU32,

    /// Largest message taken from a client, in bytes. A larger one is refused if it has a number, else it closes the
    /// connection with 1009. In the environment: WS_MAX_MESSAGE_SIZE.
    #[arg(long, value_name = "BYTES", default_value_t = 10_240, value_parser = at_least_one)]
    pub max_message_bytes: usize,

    /// Close a connection with 1000 after this long without a message from the client. A client's heartbeat has to be
    /// faster. In the environment: WS_CONNECTION_TIMEOUT.
    #[arg(long = "idle-timeout-s", value_name = "SECONDS", default_value = "300", value_parser = seconds)]
    pub idle_timeout: Duration,

    /// How often clients send `ping`. The server only warns at its start if the idle timeout is not longer than that. In the
    /// environment: WS_HEARTBEAT_INTERVAL.
    #[arg(long = "heartbeat-interval-s", value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub heartbeat_interval: Duration,

    /// Cut a connection off when a write has waited this long for the client to read.
    #[arg(long = "send-timeout-s", value_name = "SECONDS", default_value = "20", value_parser = seconds)]
    pub send_timeout: Duration,

    /// Cut a client off that has not sent the head of its request in this time.
    #[arg(long = "handshake-timeout-s", value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub handshake_timeout: Duration,

    /// Connections in all. More are refused with HTTP 503.
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = at_least_one)]
    pub max_connections: usize,

    /// Connections of one user. More are closed with 1013, or refused with HTTP 429 with `--reject http`.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = at_least_one)]
    pub max_connections_per_user: usize,

    /// Frames that may wait for one connection. A client that falls behind further is closed with 1013.
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = at_least_one)]
    pub queue_frames: usize,

    /// Bytes that may wait for one connection, likewise.
    #[arg(long, value_name = "BYTES", default_value_t = 1_048_576, value_parser = at_least_one)]
    pub queue_bytes: usize,

    /// Bytes that the operating system may hold for one connection; it rounds and doubles them as it likes. Less of them means less memory for slow
    /// clients, and fresher events once they read again. Without it, the system's default.
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1..))]
    pub send_buffer: Option<u32>,

    /// Take WebSocket handshakes of pages only from this origin. May be given more than once. Without it any origin is
    /// taken, which the token makes safe: it is not sent by itself, as a cookie is. In the environment: CORS_ORIGIN, with
    /// commas between several, and `*` for any.
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    pub allow_origin: Vec<String>,

    /// Take the address of a client from the last entry of `X-Forwarded-For`, as the proxy in front has seen it. Only where nobody else can reach the
    /// server: others could claim any address.
    #[arg(long)]
    pub trust_proxy: bool,

    /// Keep matches and messages in this SQLite file, or in the PostgreSQL that `postgres://user:password@host/database` names, which several nodes
    /// may have. Without it they are kept in memory and end with the process. In the environment: EVERWIRE_DATABASE.
    #[arg(long, value_name = "FILE|URL")]
    pub database: Option<Location>,

    /// Redis, which wakes other nodes on the same PostgreSQL, carries events that are not stored, and knows who is online:
    /// `redis://:password@host:6379/0`. It may be away, and come back.
    #[arg(long, value_name = "URL")]
    pub redis: Option<Secret>,

    /// Names this node in logs, `/healthz` and Redis. Random if left out.
    #[arg(long, value_name = "NAME", value_parser = node_name)]
    pub node: Option<String>,

    /// Stored events kept of each stream, oldest dropped.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub history_events: u64,

    /// Bytes of stored events kept of each user, over all their streams, oldest of the largest stream dropped.
    #[arg(long, value_name = "BYTES", default_value_t = 8_388_608, value_parser = clap::value_parser!(u64).range(10_000..=MAX_NUMBER))]
    pub history_bytes_per_user: u64,

    /// How long stored events are kept.
    #[arg(long = "history-age-s", value_name = "SECONDS", default_value = "86400", value_parser = seconds)]
    pub history_age: Duration,

    /// How long a client id is remembered after its last connection. The protocol asks for 7 days.
    #[arg(long = "client-age-s", value_name = "SECONDS", default_value = "604800", value_parser = seconds)]
    pub client_age: Duration,

    /// Begin this epoch, which has to be higher than those before: after a backup of the database was restored,
    /// for example. Without it a database has the time of its creation, in milliseconds since 1970.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MAX_NUMBER))]
    pub epoch: Option<u64>,

    /// Append an audit trail to this file: JSON lines that say who connected, sent and left, and not what was said.
    #[arg(long, value_name = "FILE")]
    pub audit: Option<PathBuf>,

    /// Key with which the application may push events and make matches (`Authorization: Bearer …`). Without it these
    /// endpoints do not exist.
    /// In the environment: EVERWIRE_APP_KEY.
    #[arg(long)]
    pub app_key: Option<Secret>,

    /// How long a shutdown waits for clients to answer the closing handshake.
    #[arg(long = "drain-timeout-s", value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub drain_timeout: Duration,

    /// Shape of the logs on standard error. `RUST_LOG` says what is logged.
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,

    /// Received frames kept for `GET /dev/received` in all, oldest dropped. Only with `--dev`. 0 keeps none.
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    pub record_frames: usize,
}

impl Options {
    /// What the library is told of them.
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            max_message_bytes: self.max_message_bytes,
            rates: Rates {
                messages_per_minute: self.rate_limit_per_minute,
                chat_per_minute: self.chat_limit_per_minute,
                typing_per_second: self.typing_limit_per_s,
            },
            idle_timeout: self.idle_timeout,
            send_timeout: self.send_timeout,
            connections: self.max_connections,
            connections_per_user: self.max_connections_per_user,
            queue_frames: self.queue_frames,
            queue_bytes: self.queue_bytes,
            history_events: self.history_events,
            history_bytes: self.history_bytes_per_user,
            history_age: self.history_age,
            remember: self.client_age,
            allow_origins: self.allow_origin.clone(),
            reject_with_http: self.reject == Reject::Http,
            note_processed: self.dev,
            epoch: self.epoch,
        }
    }

    /// Options from the command line of this process and, where it says nothing, from its environment.
    ///
    /// # Errors
    /// As [`Options::from_flags`], and what `--help` and `--version` print.
    pub fn from_process() -> Result<Self, clap::Error> {
        environment::options(std::env::args_os(), |name| std::env::var(name).ok())
    }

    /// Options from flags as on the command line, without the program's name.
    ///
    /// # Errors
    /// An unknown flag or a value out of range.
    pub fn from_flags<I, S>(flags: I) -> Result<Self, clap::Error>
    where
        I: IntoIterator<Item = S>,
        S: Into<std::ffi::OsString>,
    {
        Self::try_parse_from(std::iter::once("everwire-server".into()).chain(flags.into_iter().map(Into::into)))
            .map_err(environment::without_secret)
    }
}

/// Where the database is.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// An SQLite file.
    File(PathBuf),
    /// A PostgreSQL. The URL may have a password, so it must not reach a log.
    Postgres(String),
}

impl FromStr for Location {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once("://") {
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(text.to_owned())),
            // It is not repeated, because it may have a password.
            Some(_) => Err("a database is a file for SQLite, or `postgres://user:password@host/database`"),
            None => Ok(Self::File(text.into())),
        }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.fmt(formatter),
            Self::Postgres(_) => formatter.write_str("postgres://…"),
        }
    }
}

/// How a bad token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Reject {
    /// Accept the handshake, then close with 1008.
    Close,
    /// Answer the handshake with HTTP 403, which a browser reports as close code 1006.
    Http,
}

/// Shape of the logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

fn node_name(text: &str) -> Result<String, String> {
    let is_name = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if is_name && (1..=64).contains(&text.len()) {
        Ok(text.to_owned())
    } else {
        Err("1 to 64 of A-Z a-z 0-9 _ -".to_owned())
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    let number = text.parse().map_err(|_| "not a whole number".to_owned())?;
    if number == 0 { Err("must be at least 1".to_owned()) } else { Ok(number) }
}

/// As browsers spell it in `Origin` (RFC 6454, section 6.2).
fn origin(text: &str) -> Result<String, String> {
    let is_host = |host: &str| !host.is_empty() && !host.contains(['/', '*', '?', '#', '@', ' ']);
    match text.split_once("://") {
        Some((scheme, host)) if !scheme.is_empty() && is_host(host) => Ok(text.to_owned()),
        _ => Err("an origin is like https://example.com, without a path; leave the option out to take any".to_owned()),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| "must be greater than 0".to_owned())
}

/// A string that must not reach a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The bytes of the secret.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// A secret that nobody else knows.
    pub(crate) fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
    }
}

impl FromStr for Secret {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err("the secret must not be empty");
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_hides_the_secret() {
        let options = Options::from_flags(["--secret", "hunter2"]).unwrap();
        assert!(!format!("{options:?}").contains("hunter2"));
    }

    #[test]
    fn an_empty_secret_is_refused() {
        assert!(Options::from_flags(["--secret", ""]).is_err());
    }
}

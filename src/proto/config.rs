//! Options, their defaults and their ranges.

use alloc::boxed::Box;
use core::fmt;

use super::coded::coded;
use super::numeric_options::{self, COUNT_OF_NUMERIC_OPTIONS};
use super::time::FOREVER;

/// Every option of the state machine. [`Config::default`] holds the documented defaults, and [`Config::reliable`] those of the reliable
/// mode; change what differs field by field, since later versions have more fields:
///
/// ```
/// let mut config = everwire::proto::Config::reliable();
/// config.heartbeat.interval_ms = 15_000;
/// assert!(config.check().is_ok());
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// When and how often to try again.
    pub reconnect: Reconnect,
    /// How to notice a dead link.
    pub heartbeat: Heartbeat,
    /// Longest time for one attempt, token included, in milliseconds. Default 10 000. An attempt that takes longer is abandoned
    /// and counts as failed. Some browsers keep a delayed connect invisible for up to a minute; higher values wait for them.
    pub connect_timeout_ms: u64,
    /// What to keep while there is no connection.
    pub queue: Queue,
    /// Largest outgoing frame in UTF-8 bytes. Default 10 240, the limit of the MasterX back end. Larger messages are refused
    /// with [`Refusal::TooLarge`](super::Refusal::TooLarge). A value above the server's limit makes the server close the connection, unless its welcome has told
    /// the limit, which then holds.
    pub max_message_bytes: u32,
    /// Whether to ask the server for the reliable mode (docs/PROTOCOL.md). Default `false`. A server that does not know it is
    /// spoken to at most once, and the snapshot says so.
    pub reliable: bool,
    /// When to hold messages back because the browser's send buffer is full.
    pub buffer: Buffer,
}

/// When to hold messages back because the browser's send buffer is full (WHATWG WebSocket, `bufferedAmount`). Pings are never held back.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Buffer {
    /// Above how many bytes messages wait in the queue. Default 262 144. What is in the browser's buffer delays the heartbeat, so on slow
    /// links lower values are safer.
    pub high_bytes: u32,
    /// Down to how many bytes they wait. Default 65 536. At most `high_bytes`, else [`ConfigError`].
    pub low_bytes: u32,
}

/// When and how often to try again.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Reconnect {
    /// Wait before the first attempt, in milliseconds, before jitter. Default 1 000. Lower values reconnect sooner but load a
    /// recovering server.
    pub initial_delay_ms: u64,
    /// Longest wait between two attempts, in milliseconds. Default 5 000. Jitter is applied after this cap. Must be at least
    /// `initial_delay_ms`, else [`ConfigError`]. Lower values reconnect sooner but load a recovering server.
    pub max_delay_ms: u64,
    /// What each wait is multiplied with to get the next. Default 2. With 1 every wait is the initial delay.
    pub factor: f64,
    /// Share of each wait that is random, from 0 to 1. Default 0.5: a wait of 1 000 ms becomes 500 to 1 500 ms. With 0, all the
    /// clients of a restarted server come back in the same moment.
    pub jitter: f64,
    /// How many attempts in a row may fail before the client gives up. Default 5; [`u32::MAX`] is "never give up". With 0 a lost
    /// connection stays lost until the application, the network or the user's return starts afresh.
    pub max_attempts: u32,
    /// How long a connection must stay open before the attempts start again from 1, in milliseconds. Default 5 000. With 0 a
    /// server that accepts and closes at once is tried for ever.
    pub stable_after_ms: u64,
}

/// How to notice a dead link.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Heartbeat {
    /// Time between two pings, in milliseconds. Default 30 000. [`FOREVER`] switches the heartbeat off, and with it every
    /// detection of a silently dead link but overdue acknowledgements: liveness is left to the server's WebSocket pings, which browsers
    /// answer without telling anybody.
    pub interval_ms: u64,
    /// How long a ping may stay unanswered, in milliseconds. Default 10 000. Then the socket is abandoned. A dead link is noticed
    /// after at most `interval_ms + timeout_ms`.
    pub timeout_ms: u64,
}

/// What to keep while there is no connection.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Queue {
    /// Most messages that wait. Default 1 000. With 0 nothing is queued.
    pub max_messages: u32,
    /// Most bytes that wait, in UTF-8 frames. Default 1 048 576.
    pub max_bytes: u32,
    /// How long a message may wait, in milliseconds. Default [`FOREVER`]. An expired message is reported as dropped.
    pub ttl_ms: u64,
    /// What happens at either bound. Default [`Overflow::Reject`].
    pub overflow: Overflow,
}

coded! {
    /// What happens when the queue is full.
    #[non_exhaustive]
    pub enum Overflow {
        /// The oldest messages make room, each reported as dropped.
        DropOldest = "drop-oldest",
        /// The new message is refused and also reported as dropped.
        DropNewest = "drop-newest",
        /// The new message is refused at the call.
        Reject = "reject",
    }
}

/// An option that cannot be used: the caller has to change it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigError {
    /// The option's path, such as `reconnect.jitter`.
    pub field: &'static str,
    /// What the option accepts.
    pub expected: &'static str,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`")?;
        f.write_str(self.field)?;
        f.write_str("` must be ")?;
        f.write_str(self.expected)
    }
}

impl core::error::Error for ConfigError {}

impl Default for Config {
    fn default() -> Self {
        Self {
            reconnect: Reconnect {
                initial_delay_ms: 1_000,
                max_delay_ms: 5_000,
                factor: 2.0,
                jitter: 0.5,
                max_attempts: 5,
                stable_after_ms: 5_000,
            },
            heartbeat: Heartbeat { interval_ms: 30_000, timeout_ms: 10_000 },
            connect_timeout_ms: 10_000,
            queue: Queue { max_messages: 1_000, max_bytes: 1 << 20, ttl_ms: FOREVER, overflow: Overflow::Reject },
            max_message_bytes: 10_240,
            reliable: false,
            buffer: Buffer { high_bytes: 256 << 10, low_bytes: 64 << 10 },
        }
    }
}

impl Config {
    /// The defaults, with the reliable mode.
    #[must_use]
    pub fn reliable() -> Self {
        Self { reliable: true, ..Self::default() }
    }

    /// Takes a configuration for right that something else has checked.
    pub const fn assume_valid(self: Box<Self>) -> ValidatedConfig {
        ValidatedConfig(self)
    }

    /// Checks every option.
    pub fn check(mut self) -> Result<ValidatedConfig, ConfigError> {
        for index in 0..COUNT_OF_NUMERIC_OPTIONS {
            numeric_options::check(&mut self, index)?;
        }
        if self.reconnect.max_delay_ms < self.reconnect.initial_delay_ms {
            return Err(ConfigError { field: "reconnect.maxDelayMs", expected: "at least `reconnect.initialDelayMs`" });
        }
        if self.buffer.low_bytes > self.buffer.high_bytes {
            return Err(ConfigError { field: "buffer.lowBytes", expected: "at most `buffer.highBytes`" });
        }
        Ok(Box::new(self).assume_valid())
    }
}

/// A configuration that holds no value out of range.
#[derive(Clone, Debug)]
pub struct ValidatedConfig(Box<Config>);

impl core::ops::Deref for ValidatedConfig {
    type Target = Config;

    fn deref(&self) -> &Config {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::Config;
    use crate::proto::time::FOREVER;

    #[test]
    fn the_defaults_are_valid_and_a_cap_below_the_initial_delay_is_not() {
        let mut config = Config::default();
        assert!(config.clone().check().is_ok());
        config.reconnect.max_delay_ms = 999;
        let error = config.check().unwrap_err();
        assert_eq!(error.to_string(), "`reconnect.maxDelayMs` must be at least `reconnect.initialDelayMs`");
    }

    #[test]
    fn values_that_would_spin_or_wait_for_ever_are_refused() {
        type Spoil = fn(&mut Config);
        let spoil: [(&str, Spoil); 7] = [
            ("reconnect.initialDelayMs", |c| c.reconnect.initial_delay_ms = 0),
            ("reconnect.maxDelayMs", |c| c.reconnect.max_delay_ms = FOREVER),
            ("heartbeat.intervalMs", |c| c.heartbeat.interval_ms = 0),
            ("connectTimeoutMs", |c| c.connect_timeout_ms = 0),
            ("connectTimeoutMs", |c| c.connect_timeout_ms = FOREVER),
            ("reconnect.jitter", |c| c.reconnect.jitter = 1.5),
            ("reconnect.factor", |c| c.reconnect.factor = f64::NAN),
        ];
        for (field, spoil) in spoil {
            let mut config = Config::default();
            spoil(&mut config);
            assert_eq!(config.check().unwrap_err().field, field);
        }
    }
}

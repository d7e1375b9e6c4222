//! Options, their defaults and their ranges.

use core::fmt;

use super::numbers::{NUMBERS, Number, OVERFLOW};
use super::time::FOREVER;

/// Every option of the state machine. [`Config::default`] holds the documented defaults.
#[derive(Clone, Debug, PartialEq)]
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
    /// with [`Refusal::TooLarge`](super::Refusal::TooLarge). A value above the server's limit makes the server close the connection.
    pub max_message_bytes: u32,
}

/// When and how often to try again.
#[derive(Clone, Debug, PartialEq)]
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
pub struct Heartbeat {
    /// Time between two pings, in milliseconds. Default 30 000. [`FOREVER`] switches the heartbeat off, and with it every
    /// detection of a silently dead link.
    pub interval_ms: u64,
    /// How long a ping may stay unanswered, in milliseconds. Default 10 000. Then the socket is abandoned. A dead link is noticed
    /// after at most `interval_ms + timeout_ms`.
    pub timeout_ms: u64,
}

/// What to keep while there is no connection.
#[derive(Clone, Debug, PartialEq)]
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

/// What happens when the queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// The oldest messages make room, each reported as dropped.
    DropOldest,
    /// The new message is refused and also reported as dropped.
    DropNewest,
    /// The new message is refused at the call.
    Reject,
}

/// An option that cannot be used: the caller has to change it.
#[derive(Clone, Debug, PartialEq, Eq)]
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
        }
    }
}

impl Config {
    /// Sets the numeric option at one of the paths in [`NUMBERS`].
    pub fn set_number(&mut self, number: &Number, value: f64) -> Result<(), ConfigError> {
        let in_range = (number.min..=number.max).contains(&value) && (!number.whole || value as u64 as f64 == value);
        if in_range || number.infinite && value == f64::INFINITY {
            (number.set)(self, value);
            Ok(())
        } else {
            Err(number.error())
        }
    }

    /// Sets `queue.overflow` by its JavaScript name.
    pub fn set_overflow(&mut self, value: Option<&str>) -> Result<(), ConfigError> {
        self.queue.overflow = match value {
            Some("drop-oldest") => Overflow::DropOldest,
            Some("drop-newest") => Overflow::DropNewest,
            Some("reject") => Overflow::Reject,
            _ => {
                return Err(ConfigError {
                    field: OVERFLOW,
                    expected: "\"drop-oldest\", \"drop-newest\" or \"reject\"",
                });
            }
        };
        Ok(())
    }

    /// Checks what concerns every option, for configurations that were not made by [`Config::set_number`], and what concerns
    /// several at once.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let spread = &self.reconnect;
        for (field, value) in [("reconnect.factor", spread.factor), ("reconnect.jitter", spread.jitter)] {
            if let Some(number) = NUMBERS.iter().find(|number| number.field == field) {
                self.clone().set_number(number, value)?;
            }
        }
        let at_least_one = [
            ("reconnect.initialDelayMs", spread.initial_delay_ms),
            ("heartbeat.intervalMs", self.heartbeat.interval_ms),
            ("heartbeat.timeoutMs", self.heartbeat.timeout_ms),
            ("connectTimeoutMs", self.connect_timeout_ms),
            ("queue.ttlMs", self.queue.ttl_ms),
            ("maxMessageBytes", u64::from(self.max_message_bytes)),
        ];
        for (field, value) in at_least_one {
            if value == 0 {
                return Err(ConfigError { field, expected: "greater than 0" });
            }
        }
        if spread.max_delay_ms < spread.initial_delay_ms {
            return Err(ConfigError { field: "reconnect.maxDelayMs", expected: "at least `reconnect.initialDelayMs`" });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Config, Overflow};
    use crate::proto::numbers::{NUMBERS, OVERFLOW};
    use crate::proto::time::FOREVER;

    #[test]
    fn every_number_refuses_what_is_not_a_number_in_its_range_and_names_itself() {
        for number in &NUMBERS {
            for value in [f64::NAN, -1.0, f64::NEG_INFINITY, 1e300] {
                let error = Config::default().set_number(number, value).unwrap_err();
                assert_eq!(error.field, number.field);
                assert!(error.to_string().starts_with(&format!("`{}` must be a ", number.field)), "{error}");
            }
            assert!(Config::default().set_number(number, number.min).is_ok());
            assert!(Config::default().set_number(number, number.max).is_ok());
            assert_eq!(
                Config::default().set_number(number, f64::INFINITY).is_ok(),
                number.infinite,
                "{}",
                number.field
            );
            assert_eq!(
                Config::default().set_number(number, number.min + 0.5).is_ok(),
                !number.whole,
                "{}",
                number.field
            );
        }
    }

    #[test]
    fn infinity_means_never() {
        let mut config = Config::default();
        for number in NUMBERS.iter().filter(|number| number.infinite) {
            config.set_number(number, f64::INFINITY).unwrap();
        }
        assert_eq!(
            (config.reconnect.max_attempts, config.heartbeat.interval_ms, config.queue.ttl_ms),
            (u32::MAX, FOREVER, FOREVER)
        );
    }

    #[test]
    fn every_number_sets_its_own_option_only() {
        let mut seen = Vec::new();
        for number in &NUMBERS {
            let mut config = Config::default();
            config.set_number(number, number.min).unwrap();
            let mut other = Config::default();
            other.set_number(number, number.max).unwrap();
            assert_ne!(config, other, "{}", number.field);
            assert!(!seen.contains(&other), "{} sets what another option sets", number.field);
            seen.push(other);
        }
    }

    #[test]
    fn the_defaults_are_valid_and_a_cap_below_the_initial_delay_is_not() {
        let mut config = Config::default();
        assert_eq!(config.validate(), Ok(()));
        config.reconnect.max_delay_ms = 999;
        assert_eq!(
            config.validate().unwrap_err().to_string(),
            "`reconnect.maxDelayMs` must be at least `reconnect.initialDelayMs`"
        );
    }

    #[test]
    fn zeros_that_would_spin_and_shares_out_of_range_are_refused() {
        let spoil: [(&str, fn(&mut Config)); 5] = [
            ("reconnect.initialDelayMs", |c| c.reconnect.initial_delay_ms = 0),
            ("heartbeat.intervalMs", |c| c.heartbeat.interval_ms = 0),
            ("connectTimeoutMs", |c| c.connect_timeout_ms = 0),
            ("reconnect.jitter", |c| c.reconnect.jitter = 1.5),
            ("reconnect.factor", |c| c.reconnect.factor = f64::NAN),
        ];
        for (field, spoil) in spoil {
            let mut config = Config::default();
            spoil(&mut config);
            assert_eq!(config.validate().unwrap_err().field, field);
        }
    }

    #[test]
    fn overflow_is_one_of_three_names() {
        let mut config = Config::default();
        for (name, overflow) in
            [("drop-oldest", Overflow::DropOldest), ("drop-newest", Overflow::DropNewest), ("reject", Overflow::Reject)]
        {
            config.set_overflow(Some(name)).unwrap();
            assert_eq!(config.queue.overflow, overflow);
        }
        assert_eq!(config.set_overflow(Some("drop")).unwrap_err().field, OVERFLOW);
        assert_eq!(config.set_overflow(None).unwrap_err().field, OVERFLOW);
    }
}

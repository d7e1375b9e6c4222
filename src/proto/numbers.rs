//! The numeric options by their JavaScript paths, with the ranges that they accept.

use super::config::{Config, ConfigError};

/// One numeric option: where it stands in the JavaScript options, and what it accepts.
#[derive(Debug)]
pub struct Number {
    /// The option's path.
    pub field: &'static str,
    pub(super) min: f64,
    pub(super) max: f64,
    pub(super) whole: bool,
    pub(super) infinite: bool,
    expected: &'static str,
    pub(super) set: fn(&mut Config, f64),
}

impl Number {
    const fn new(field: &'static str, min: f64, max: f64, expected: &'static str, set: fn(&mut Config, f64)) -> Self {
        Self { field, min, max, whole: true, infinite: false, expected, set }
    }

    const fn or_infinity(mut self) -> Self {
        self.infinite = true;
        self
    }

    const fn fractional(mut self) -> Self {
        self.whole = false;
        self
    }

    /// The error for a value that this option does not accept.
    pub const fn error(&self) -> ConfigError {
        ConfigError { field: self.field, expected: self.expected }
    }
}

/// The path of the one option that is a choice of names.
pub const OVERFLOW: &str = "queue.overflow";

/// Every numeric option.
pub static NUMBERS: [Number; 13] = [
    Number::new("reconnect.initialDelayMs", 1.0, LONGEST_TIMER, MILLIS, |c, v| c.reconnect.initial_delay_ms = v as u64),
    Number::new("reconnect.maxDelayMs", 1.0, LONGEST_TIMER, MILLIS, |c, v| c.reconnect.max_delay_ms = v as u64),
    Number::new("reconnect.factor", 1.0, 100.0, "a number from 1 to 100", |c, v| c.reconnect.factor = v).fractional(),
    Number::new("reconnect.jitter", 0.0, 1.0, "a number from 0 to 1", |c, v| c.reconnect.jitter = v).fractional(),
    Number::new(
        "reconnect.maxAttempts",
        0.0,
        LARGEST_COUNT,
        "a whole number from 0 to 4294967294, or Infinity",
        |c, v| {
            // Saturates: `Infinity` becomes `u32::MAX`.
            c.reconnect.max_attempts = v as u32;
        },
    )
    .or_infinity(),
    Number::new(
        "reconnect.stableAfterMs",
        0.0,
        LONGEST_TIMER,
        "a whole number from 0 to 2147483647 (milliseconds)",
        |c, v| {
            c.reconnect.stable_after_ms = v as u64;
        },
    ),
    Number::new("heartbeat.intervalMs", 1.0, LONGEST_TIMER, MILLIS_OR_NEVER, |c, v| c.heartbeat.interval_ms = v as u64)
        .or_infinity(),
    Number::new("heartbeat.timeoutMs", 1.0, LONGEST_TIMER, MILLIS, |c, v| c.heartbeat.timeout_ms = v as u64),
    Number::new("connectTimeoutMs", 1.0, LONGEST_TIMER, MILLIS, |c, v| c.connect_timeout_ms = v as u64),
    Number::new("queue.maxMessages", 0.0, LARGEST_COUNT, COUNT, |c, v| c.queue.max_messages = v as u32),
    Number::new("queue.maxBytes", 0.0, LARGEST_COUNT, COUNT, |c, v| c.queue.max_bytes = v as u32),
    Number::new("queue.ttlMs", 1.0, LONGEST_TIMER, MILLIS_OR_NEVER, |c, v| c.queue.ttl_ms = v as u64).or_infinity(),
    Number::new("maxMessageBytes", 1.0, LARGEST_COUNT, "a whole number from 1 to 4294967294", |c, v| {
        c.max_message_bytes = v as u32
    }),
];

const MILLIS: &str = "a whole number from 1 to 2147483647 (milliseconds)";
const MILLIS_OR_NEVER: &str = "a whole number from 1 to 2147483647 (milliseconds), or Infinity";
const COUNT: &str = "a whole number from 0 to 4294967294";
/// The longest delay that browsers' timers take (WHATWG HTML, timers: a signed 32-bit integer).
const LONGEST_TIMER: f64 = 2_147_483_647.0;
const LARGEST_COUNT: f64 = 4_294_967_294.0;

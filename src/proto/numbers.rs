//! The numeric options by their JavaScript paths, with the ranges that they accept.

use super::config::{Config, ConfigError};
use super::time::FOREVER;
use Place::{Count, Share, Span};

/// One numeric option: where it stands in the JavaScript options, and what it accepts.
#[derive(Debug)]
pub struct Number {
    /// The option's path.
    pub field: &'static str,
    min: f64,
    max: f64,
    takes_infinity: bool,
    expected: &'static str,
    place: fn(&mut Config) -> Place<'_>,
}

/// Where an option is kept, and as what. Spans and counts are whole numbers whose largest value stands for `Infinity`.
enum Place<'a> {
    Span(&'a mut u64),
    Count(&'a mut u32),
    Share(&'a mut f64),
}

impl Number {
    /// Puts `value` into the option, unless it is out of range.
    pub fn set(&self, config: &mut Config, value: f64) -> Result<(), ConfigError> {
        let place = (self.place)(config);
        let fits =
            (self.min..=self.max).contains(&value) && (matches!(place, Share(_)) || value as u64 as f64 == value);
        if !fits && !(self.takes_infinity && value == f64::INFINITY) {
            return Err(ConfigError { field: self.field, expected: self.expected });
        }
        self.put(config, value);
        Ok(())
    }

    /// Puts a value into the option that is known to be in range.
    pub fn put(&self, config: &mut Config, value: f64) {
        match (self.place)(config) {
            Span(place) => *place = value as u64,
            Count(place) => *place = value as u32,
            Share(place) => *place = value,
        }
    }

    /// The option's value.
    pub fn get(&self, config: &mut Config) -> f64 {
        match (self.place)(config) {
            Span(&mut FOREVER) | Count(&mut u32::MAX) => f64::INFINITY,
            Span(place) => *place as f64,
            Count(place) => f64::from(*place),
            Share(place) => *place,
        }
    }

    const fn new(
        field: &'static str,
        (min, max, takes_infinity): (f64, f64, bool),
        expected: &'static str,
        place: fn(&mut Config) -> Place<'_>,
    ) -> Self {
        Self { field, min, max, takes_infinity, expected, place }
    }
}

/// Every numeric option.
pub static NUMBERS: [Number; 13] = [
    Number::new("reconnect.initialDelayMs", TIMER, MILLIS, |c| Span(&mut c.reconnect.initial_delay_ms)),
    Number::new("reconnect.maxDelayMs", TIMER, MILLIS, |c| Span(&mut c.reconnect.max_delay_ms)),
    Number::new("reconnect.factor", (1.0, 100.0, false), "a number from 1 to 100", |c| Share(&mut c.reconnect.factor)),
    Number::new("reconnect.jitter", (0.0, 1.0, false), "a number from 0 to 1", |c| Share(&mut c.reconnect.jitter)),
    Number::new("reconnect.maxAttempts", (0.0, LARGEST_COUNT, true), COUNT_OR_NEVER, |c| {
        Count(&mut c.reconnect.max_attempts)
    }),
    Number::new("reconnect.stableAfterMs", (0.0, LONGEST_TIMER, false), MILLIS_FROM_0, |c| {
        Span(&mut c.reconnect.stable_after_ms)
    }),
    Number::new("heartbeat.intervalMs", TIMER_OR_NEVER, MILLIS_OR_NEVER, |c| Span(&mut c.heartbeat.interval_ms)),
    Number::new("heartbeat.timeoutMs", TIMER, MILLIS, |c| Span(&mut c.heartbeat.timeout_ms)),
    Number::new("connectTimeoutMs", TIMER, MILLIS, |c| Span(&mut c.connect_timeout_ms)),
    Number::new("queue.maxMessages", (0.0, LARGEST_COUNT, false), COUNT, |c| Count(&mut c.queue.max_messages)),
    Number::new("queue.maxBytes", (0.0, LARGEST_COUNT, false), COUNT, |c| Count(&mut c.queue.max_bytes)),
    Number::new("queue.ttlMs", TIMER_OR_NEVER, MILLIS_OR_NEVER, |c| Span(&mut c.queue.ttl_ms)),
    Number::new("maxMessageBytes", (1.0, LARGEST_COUNT, false), "a whole number from 1 to 4294967294", |c| {
        Count(&mut c.max_message_bytes)
    }),
];

const TIMER: (f64, f64, bool) = (1.0, LONGEST_TIMER, false);
const TIMER_OR_NEVER: (f64, f64, bool) = (1.0, LONGEST_TIMER, true);
const MILLIS: &str = "a whole number from 1 to 2147483647 (milliseconds)";
const MILLIS_FROM_0: &str = "a whole number from 0 to 2147483647 (milliseconds)";
const MILLIS_OR_NEVER: &str = "a whole number from 1 to 2147483647 (milliseconds), or Infinity";
const COUNT: &str = "a whole number from 0 to 4294967294";
const COUNT_OR_NEVER: &str = "a whole number from 0 to 4294967294, or Infinity";
/// The longest delay that browsers' timers take (WHATWG HTML, timers: a signed 32-bit integer).
const LONGEST_TIMER: f64 = 2_147_483_647.0;
const LARGEST_COUNT: f64 = 4_294_967_294.0;

#[cfg(test)]
mod tests {
    use super::{Config, FOREVER, NUMBERS};

    const INFINITE: [&str; 3] = ["reconnect.maxAttempts", "heartbeat.intervalMs", "queue.ttlMs"];
    const FRACTIONAL: [&str; 2] = ["reconnect.factor", "reconnect.jitter"];

    #[test]
    fn every_number_refuses_what_is_not_a_number_in_its_range_and_names_itself() {
        for number in &NUMBERS {
            for value in [f64::NAN, -1.0, f64::NEG_INFINITY, 1e300] {
                let error = number.set(&mut Config::default(), value).unwrap_err();
                assert_eq!(error.field, number.field);
                assert!(error.to_string().starts_with(&format!("`{}` must be a ", number.field)), "{error}");
            }
            let takes = |value| number.set(&mut Config::default(), value).is_ok();
            assert!(takes(number.min) && takes(number.max));
            assert_eq!(takes(f64::INFINITY), INFINITE.contains(&number.field), "{}", number.field);
            assert_eq!(takes(number.min + 0.5), FRACTIONAL.contains(&number.field), "{}", number.field);
        }
    }

    #[test]
    fn infinity_means_never() {
        let mut config = Config::default();
        for number in NUMBERS.iter().filter(|number| INFINITE.contains(&number.field)) {
            number.set(&mut config, f64::INFINITY).unwrap();
            assert_eq!(number.get(&mut config), f64::INFINITY);
        }
        let kept = (config.reconnect.max_attempts, config.heartbeat.interval_ms, config.queue.ttl_ms);
        assert_eq!(kept, (u32::MAX, FOREVER, FOREVER));
    }

    #[test]
    fn every_number_sets_its_own_option_only() {
        let mut seen = Vec::new();
        for number in &NUMBERS {
            let mut config = Config::default();
            number.set(&mut config, number.max).unwrap();
            assert_eq!(number.get(&mut config), number.max);
            assert_ne!(config, Config::default(), "{}", number.field);
            assert!(!seen.contains(&config), "{} sets what another option sets", number.field);
            seen.push(config);
        }
    }
}

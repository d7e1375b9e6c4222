//! The numeric options by their JavaScript paths, with the ranges that they accept.

use super::config::{Config, ConfigError};
use super::time::FOREVER;
use Slot::{Count, Share, Span};

/// One numeric option: where it stands in the JavaScript options, and what it accepts.
#[derive(Debug)]
pub struct NumericOption {
    /// The option's path.
    pub field: &'static str,
    min: f64,
    max: f64,
    takes_infinity: bool,
    expected: &'static str,
}

/// Where an option is kept, and as what. Spans and counts are whole numbers whose largest value stands for `Infinity`.
enum Slot<'a> {
    Span(&'a mut u64),
    Count(&'a mut u32),
    Share(&'a mut f64),
}

/// The option at a place of [`NUMERIC_OPTIONS`]; infinite for "never".
pub fn get(config: &mut Config, index: usize) -> f64 {
    match slot(config, index) {
        Some(Span(&mut FOREVER) | Count(&mut u32::MAX)) => f64::INFINITY,
        Some(Span(place)) => *place as f64,
        Some(Count(place)) => f64::from(*place),
        Some(Share(place)) => *place,
        None => f64::NAN,
    }
}

/// Puts a value that is known to be in range into the option at a place of [`NUMERIC_OPTIONS`].
pub fn put(config: &mut Config, index: usize, value: f64) {
    match slot(config, index) {
        Some(Span(place)) => *place = value as u64,
        Some(Count(place)) => *place = value as u32,
        Some(Share(place)) => *place = value,
        None => {}
    }
}

/// Checks the option at a place of [`NUMERIC_OPTIONS`].
pub fn check(config: &mut Config, index: usize) -> Result<(), ConfigError> {
    let Some(number) = NUMERIC_OPTIONS.get(index) else { return Ok(()) };
    let value = get(config, index);
    let in_range = (number.min..=number.max).contains(&value) || number.takes_infinity && value == f64::INFINITY;
    in_range.then_some(()).ok_or(ConfigError { field: number.field, expected: number.expected })
}

impl NumericOption {
    const fn new(field: &'static str, (min, max, takes_infinity): (f64, f64, bool), expected: &'static str) -> Self {
        Self { field, min, max, takes_infinity, expected }
    }

    /// The lowest and the highest value, and whether infinity fits.
    pub const fn range(&self) -> (f64, f64, bool) {
        (self.min, self.max, self.takes_infinity)
    }

    /// Whether fractions fit.
    pub fn takes_fractions(&self) -> bool {
        !self.expected.contains("whole")
    }
}

/// Every numeric option. The npm package has a table that is generated from this one.
pub static NUMERIC_OPTIONS: [NumericOption; COUNT_OF_NUMERIC_OPTIONS] = [
    NumericOption::new("reconnect.initialDelayMs", TIMER, MILLIS),
    NumericOption::new("reconnect.maxDelayMs", TIMER, MILLIS),
    NumericOption::new("reconnect.factor", (1.0, 100.0, false), "a number from 1 to 100"),
    NumericOption::new("reconnect.jitter", (0.0, 1.0, false), "a number from 0 to 1"),
    NumericOption::new("reconnect.maxAttempts", (0.0, LARGEST_COUNT, true), COUNT_OR_NEVER),
    NumericOption::new("reconnect.stableAfterMs", (0.0, LONGEST_TIMER, false), MILLIS_FROM_0),
    NumericOption::new("heartbeat.intervalMs", TIMER_OR_NEVER, MILLIS_OR_NEVER),
    NumericOption::new("heartbeat.timeoutMs", TIMER, MILLIS),
    NumericOption::new("connectTimeoutMs", TIMER, MILLIS),
    NumericOption::new("queue.maxMessages", (0.0, LARGEST_COUNT, false), COUNT),
    NumericOption::new("queue.maxBytes", (0.0, LARGEST_COUNT, false), COUNT),
    NumericOption::new("queue.ttlMs", TIMER_OR_NEVER, MILLIS_OR_NEVER),
    NumericOption::new("maxMessageBytes", (1.0, LARGEST_COUNT, false), "a whole number from 1 to 4294967294"),
    NumericOption::new("buffer.highBytes", (1.0, LARGEST_COUNT, false), "a whole number from 1 to 4294967294"),
    NumericOption::new("buffer.lowBytes", (0.0, LARGEST_COUNT, false), COUNT),
];

/// How many numeric options there are.
pub const COUNT_OF_NUMERIC_OPTIONS: usize = 15;

/// Apart from the table of names and ranges, which the npm build has in JavaScript.
fn slot(c: &mut Config, index: usize) -> Option<Slot<'_>> {
    Some(match index {
        0 => Span(&mut c.reconnect.initial_delay_ms),
        1 => Span(&mut c.reconnect.max_delay_ms),
        2 => Share(&mut c.reconnect.factor),
        3 => Share(&mut c.reconnect.jitter),
        4 => Count(&mut c.reconnect.max_attempts),
        5 => Span(&mut c.reconnect.stable_after_ms),
        6 => Span(&mut c.heartbeat.interval_ms),
        7 => Span(&mut c.heartbeat.timeout_ms),
        8 => Span(&mut c.connect_timeout_ms),
        9 => Count(&mut c.queue.max_messages),
        10 => Count(&mut c.queue.max_bytes),
        11 => Span(&mut c.queue.ttl_ms),
        12 => Count(&mut c.max_message_bytes),
        13 => Count(&mut c.buffer.high_bytes),
        14 => Count(&mut c.buffer.low_bytes),
        _ => return None,
    })
}

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
    use super::{COUNT_OF_NUMERIC_OPTIONS, Config, FOREVER, NUMERIC_OPTIONS, check, get, put};

    const INFINITE: [&str; 3] = ["reconnect.maxAttempts", "heartbeat.intervalMs", "queue.ttlMs"];

    #[test]
    fn every_number_is_checked_against_its_range_and_names_itself() {
        for (index, number) in NUMERIC_OPTIONS.iter().enumerate() {
            let checked = |value| {
                let mut config = Config::default();
                put(&mut config, index, value);
                check(&mut config, index)
            };
            assert_eq!(checked(number.min), Ok(()));
            assert_eq!(checked(number.max), Ok(()));
            assert_eq!(checked(f64::INFINITY).is_ok(), INFINITE.contains(&number.field), "{}", number.field);
            if number.min > 0.0 {
                let error = checked(0.0).unwrap_err();
                assert_eq!(error.field, number.field);
                assert!(error.to_string().starts_with(&format!("`{}` must be a ", number.field)), "{error}");
            }
        }
    }

    #[test]
    fn infinity_means_never() {
        let mut config = Config::default();
        for index in (0..COUNT_OF_NUMERIC_OPTIONS).filter(|index| INFINITE.contains(&NUMERIC_OPTIONS[*index].field)) {
            put(&mut config, index, f64::INFINITY);
            assert_eq!(get(&mut config, index), f64::INFINITY);
        }
        let kept = (config.reconnect.max_attempts, config.heartbeat.interval_ms, config.queue.ttl_ms);
        assert_eq!(kept, (u32::MAX, FOREVER, FOREVER));
    }

    #[test]
    fn every_number_has_a_place_of_its_own() {
        let mut seen = Vec::new();
        for (index, number) in NUMERIC_OPTIONS.iter().enumerate() {
            let mut config = Config::default();
            put(&mut config, index, number.max);
            assert_eq!(get(&mut config, index), number.max);
            assert_ne!(config, Config::default(), "{}", number.field);
            assert!(!seen.contains(&config), "{} sets what another option sets", number.field);
            seen.push(config);
        }
    }
}

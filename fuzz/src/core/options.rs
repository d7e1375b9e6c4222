//! Any configuration that the state machine accepts.

use arbitrary::Arbitrary;
use everwire::proto::numeric_options::{self, COUNT_OF_NUMERIC_OPTIONS};
use everwire::proto::{Config, Overflow};

/// Deviations from the defaults, in order; one that would make the configuration invalid is left out.
#[derive(Arbitrary, Clone, Debug)]
pub(super) struct Options {
    is_reliable: bool,
    overflow: u8,
    deviations: [(u8, Value); 6],
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Value {
    Default,
    Small(u8),
    Share(u8),
    Large(u32),
    Infinite,
}

impl Options {
    pub fn config(&self) -> Config {
        let mut config = if self.is_reliable { Config::reliable() } else { Config::default() };
        config.queue.overflow = match self.overflow % 3 {
            0 => Overflow::Reject,
            1 => Overflow::DropOldest,
            _ => Overflow::DropNewest,
        };
        for (index, value) in self.deviations {
            let value = match value {
                Value::Default => continue,
                Value::Small(value) => f64::from(value),
                Value::Share(value) => f64::from(value) / 255.0,
                Value::Large(value) => f64::from(value),
                Value::Infinite => f64::INFINITY,
            };
            let mut other = config.clone();
            numeric_options::put(&mut other, usize::from(index) % COUNT_OF_NUMERIC_OPTIONS, value);
            if other.clone().check().is_ok() {
                config = other;
            }
        }
        config
    }
}

//! Wall-clock time in the two spellings of the wire format, and a clock that never jumps.

use std::{sync::LazyLock, time::Instant};

use jiff::Timestamp;

/// Milliseconds since the epoch, as in an envelope's `timestamp`.
pub fn epoch_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

/// ISO-8601 in UTC with milliseconds, as in payloads.
pub fn iso() -> String {
    format!("{:.3}", Timestamp::now())
}

/// The same for a time that was stored as milliseconds since the epoch.
pub fn iso_at(epoch_ms: i64) -> String {
    Timestamp::from_millisecond(epoch_ms).map_or_else(|_| iso(), |time| format!("{time:.3}"))
}

/// Milliseconds on a clock that never jumps, small enough for an atomic. Never 0, which can stand for "not".
pub(crate) fn monotonic_ms() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed().as_millis() as u64 + 1
}

#[cfg(test)]
mod tests {
    #[test]
    fn iso_has_milliseconds_and_ends_in_z() {
        let text = super::iso();
        assert_eq!(text.len(), "2026-01-01T00:00:00.000Z".len(), "{text}");
        assert!(text.ends_with('Z'), "{text}");
    }
}

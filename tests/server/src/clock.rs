//! Wall-clock time in the two spellings of the wire format.

use jiff::Timestamp;

/// Milliseconds since the epoch, as in an envelope's `timestamp`.
pub fn epoch_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

/// ISO-8601 in UTC with milliseconds, as in payloads.
pub fn iso() -> String {
    format!("{:.3}", Timestamp::now())
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

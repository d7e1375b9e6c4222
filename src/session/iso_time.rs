//! Points in time as payloads write them.

/// Milliseconds since the epoch of an ISO-8601 time with a date and a time, such as `2026-01-01T12:00:00.000Z`. One without a zone is in UTC
/// (docs/PROTOCOL.md).
pub fn parse(text: &str) -> Option<i64> {
    let (date, rest) = text.split_once('T')?;
    let (time, zone) = rest.split_at(rest.find(['Z', '+', '-']).unwrap_or(rest.len()));
    let mut date = date.splitn(3, '-').map(digits);
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let mut time = time.splitn(3, ':');
    let (hour, minute) = (digits(time.next()?)?, digits(time.next()?)?);
    let (second, fraction) = time.next().map_or(Some((0, 0)), |seconds| {
        let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
        Some((digits(whole)?, milliseconds(fraction)?))
    })?;
    let is_real = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 60;
    let minutes = days(year, month, day) * 1_440 + hour * 60 + minute - offset(zone)?;
    is_real.then_some((minutes * 60 + second) * 1_000 + fraction)
}

fn digits(text: &str) -> Option<i64> {
    let is_number = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

fn milliseconds(fraction: &str) -> Option<i64> {
    let is_number = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| {
        let places = fraction.bytes().chain(core::iter::repeat(b'0')).take(3);
        places.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'))
    })
}

/// Minutes east of Greenwich.
fn offset(zone: &str) -> Option<i64> {
    if zone.is_empty() || zone == "Z" {
        return Some(0);
    }
    let zone_time = zone.get(1..)?;
    let (hours, minutes) = zone_time.split_once(':').or_else(|| zone_time.split_at_checked(2))?;
    let minutes = digits(hours)? * 60 + digits(minutes)?;
    Some(if zone.starts_with('-') { -minutes } else { minutes })
}

/// Days since the epoch in the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March, so that the day that some have more is their last.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn times_are_read_with_zone_and_fraction() {
        assert_eq!(parse("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(parse("2026-01-01T00:00:00.000Z"), Some(1_767_225_600_000));
        assert_eq!(parse("2024-02-29T23:59:59.5+01:30"), Some(1_709_245_799_500));
        assert_eq!(parse("2026-01-01T00:00:00.123456Z"), Some(1_767_225_600_123));
        assert_eq!(parse("2026-01-01T01:00:00+0100"), Some(1_767_225_600_000));
        assert_eq!(parse("2026-01-01T00:00:00.123456"), Some(1_767_225_600_123));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in ["", "soon", "2026-01-01", "2026-13-01T00:00:00Z", "2026-01-01T25:00:00Z", "2026-01-01T00"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}

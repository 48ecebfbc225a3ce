//! Dates of years without four digits or before Christ: `+10000-01-01` and `-0001-11-28`, as files are written here, and
//! `10000-01-01` and `0002-11-28 BC`, as PostgreSQL writes them. Such a text is no date by itself, but where one is wanted.

use chrono::NaiveDate;

use super::values::{self, Instant};

/// The days since 1970, or before, that are read, whatever the zone that shows them. The calendar goes a year further.
pub(super) const MAX_DAYS: i64 = 95_000_000;

/// A date, in days since 1970.
pub(super) fn date(text: &str) -> Option<i32> {
    let (text, is_before) = era(text);
    day(text, is_before)
}

/// A date and a time of day, with a time zone or without.
pub(super) fn timestamp(text: &str) -> Option<Instant> {
    let (text, is_before) = era(text);
    let end = text.find(['T', 't', ' '])?;
    values::on_day(day(text.get(..end)?, is_before)?, text.get(end..)?.as_bytes())
}

/// A text without the words for the era, and whether it is the one before Christ.
fn era(text: &str) -> (&str, bool) {
    match text.strip_suffix(" BC").or_else(|| text.strip_suffix(" bc")) {
        Some(text) => (text, true),
        None => (text, false),
    }
}

/// ISO 8601 has a year 0 before the year 1, and signs; who counts years before Christ has neither.
fn day(text: &str, is_before: bool) -> Option<i32> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let sign = text.as_bytes().first().filter(|_| unsigned.len() < text.len());
    let mut parts = unsigned.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let is_year = (4..=6).contains(&year.len()) && is_number(year) && (year.len() == 4 || !year.starts_with('0'));
    if parts.next().is_some() || !is_year || [month, day].iter().any(|part| part.len() != 2 || !is_number(part)) {
        return None;
    }
    let number: i32 = year.parse().ok()?;
    let year = match (sign, is_before) {
        (None, false) => number,
        (None, true) if number > 0 => 1 - number,
        (Some(b'+'), false) if number > 9_999 => number,
        (Some(b'-'), false) if number > 0 => -number,
        _ => return None,
    };
    NaiveDate::from_ymd_opt(year, month.parse().ok()?, day.parse().ok()?).map(values::days_of)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::datatypes::TimeUnit;

    use super::*;

    #[test]
    fn both_ways_of_counting_years_are_read() {
        let day_after = date("9999-12-31").unwrap() + 1;
        assert_eq!((date("+10000-01-01"), date("10000-01-01")), (Some(day_after), Some(day_after)));
        assert_eq!((date("-0001-11-28"), date("0002-11-28 BC")), (Some(-719_562), Some(-719_562)));
        assert_eq!((date("0000-12-31"), date("0001-12-31 BC")), (Some(-719_163), Some(-719_163)));
        for text in
            ["+2024-01-01", "-0000-01-01", "-0001-01-01 BC", "0000-01-01 BC", "010000-01-01", "10000-1-1", "-1", ""]
        {
            assert_eq!(date(text), None, "{text}");
        }
    }

    #[test]
    fn times_follow_the_day() {
        let seconds = |text: &str| timestamp(text).and_then(|found| found.in_units(TimeUnit::Second));
        let start = i64::from(date("10000-01-01").unwrap()) * 86_400;
        assert_eq!(seconds("+10000-01-01T00:00:01"), Some(start + 1));
        assert_eq!(seconds("10000-01-01 02:00:00+02"), Some(start));
        assert_eq!(seconds("0002-11-28 00:00:00 BC"), Some(-719_562 * 86_400));
        assert_eq!((seconds("10000-01-01"), seconds("10000-01-01 x"), seconds("x")), (None, None, None));
    }
}

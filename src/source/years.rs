//! Dates of years that four digits do not write, as PostgreSQL writes them: `10000-01-01`, `0044-03-15 BC`.
//!
//! They are read where a date is asked for, and never guessed: hardly a text that looks so is a date.

use chrono::NaiveDate;

use super::values::{self, Instant};

/// The digits of a year.
const YEAR_DIGITS: std::ops::RangeInclusive<usize> = 4..=6;

/// The days since 1970, or before, that are read, whatever the zone that shows them. The calendar goes a year further.
pub(super) const MAX_DAYS: i64 = 95_000_000;

/// A date of any year, in days since 1970.
pub(super) fn date(text: &str) -> Option<i32> {
    let (text, is_before_christ) = era(text);
    let (days, rest) = first_date(text, is_before_christ)?;
    rest.is_empty().then_some(days)
}

/// A date of any year and a time of day, with a time zone or without.
pub(super) fn timestamp(text: &str) -> Option<Instant> {
    let (text, is_before_christ) = era(text);
    let (days, rest) = first_date(text, is_before_christ)?;
    values::at_clock(days, rest.as_bytes(), text)
}

fn era(text: &str) -> (&str, bool) {
    text.strip_suffix(" BC").map_or((text, false), |text| (text, true))
}

/// The date that a text begins with, and what follows.
fn first_date(text: &str, is_before_christ: bool) -> Option<(i32, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if !YEAR_DIGITS.contains(&digits) {
        return None;
    }
    let (year, rest) = text.split_at_checked(digits)?;
    let (&[b'-', m1, m2, b'-', d1, d2], _) = rest.as_bytes().split_first_chunk::<6>()? else { return None };
    let year = year.parse::<i32>().ok().filter(|year| *year > 0)?;
    // There is no year 0: the year before 1 is 1 BC.
    let year = if is_before_christ { 1 - year } else { year };
    let date = NaiveDate::from_ymd_opt(year, values::two(m1, m2)?, values::two(d1, d2)?)?;
    Some((values::days_of(date), rest.get(6..)?))
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::TimeUnit;

    use super::*;

    #[test]
    fn years_have_more_digits_or_are_before_christ() {
        assert_eq!((date("10000-01-01"), date("0001-12-31 BC")), (Some(2_932_897), Some(-719_163)));
        assert_eq!(date("262000-01-01").map(i64::from).filter(|days| *days < MAX_DAYS), Some(94_974_007));
        for text in ["0000-01-01", "0000-01-01 BC", "10000-02-30", "999-01-01", "1000000-01-01", "10000-01-01 x"] {
            assert_eq!(date(text), None, "{text}");
        }
        let at = |text| timestamp(text).and_then(|found| Some((found.in_units(TimeUnit::Second)?, found.is_zoned)));
        assert_eq!(at("10000-01-01 00:00:01"), Some((253_402_300_801, false)));
        assert_eq!(at("10000-01-01T02:00:00+02:00"), Some((253_402_300_800, true)));
        assert_eq!(at("0001-12-31 23:59:59+00 BC"), Some((-62_135_596_801, true)));
        assert_eq!((at("10000-01-01"), at("10000-01-01 25:00:00")), (None, None));
    }
}

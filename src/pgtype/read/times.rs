//! Texts of dates and times, written so that a cast reads in them what PostgreSQL does.
//!
//! A type without a zone takes what the clock shows, and no notice of a zone that is written; a fraction of a second is rounded
//! to the places that the type has. The cast of Arrow reckons with the zone and cuts the fraction.

use std::borrow::Cow;

use arrow::{
    array::timezone::Tz,
    datatypes::{DataType, TimeUnit},
};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

/// The text as it is to be cast to a date, a time or a timestamp; none where it stays as it is, for the cast to refuse too.
pub(crate) fn plain_time(text: &str, to: &DataType) -> Option<String> {
    let trimmed = text.trim_ascii();
    if let DataType::Time64(_) = to {
        return plain_clock(trimmed);
    }
    let (date, rest) = trimmed.split_at_checked("2024-01-05".len())?;
    let date = date_of(date)?;
    let clock = match rest.strip_prefix(['T', 't', ' ']) {
        Some(clock) => clock.trim_ascii_start(),
        None if rest.is_empty() => "00:00:00",
        None => return None,
    };
    let (time, fraction, zone) = clock_of(clock)?;
    let is_zone = zone.is_empty() || zone.eq_ignore_ascii_case("z") || zone.parse::<Tz>().is_ok();
    if !is_zone {
        return None;
    }
    match to {
        DataType::Date32 => Some(date.to_string()),
        DataType::Timestamp(unit, kept) => {
            let (seconds, fraction) = rounded(&fraction, *unit);
            let local = date.and_time(time).checked_add_signed(TimeDelta::seconds(seconds))?;
            let zone = if kept.is_some() { zone } else { "" };
            Some(format!("{}{fraction}{zone}", shown(local)))
        }
        _ => None,
    }
}

/// A time of day with more places than PostgreSQL's has.
fn plain_clock(text: &str) -> Option<String> {
    let (time, fraction, zone) = clock_of(text)?;
    if !zone.is_empty() || fraction.len() <= "0.123456".len() {
        return None;
    }
    let (seconds, fraction) = rounded(&fraction, TimeUnit::Microsecond);
    let (time, days) = time.overflowing_add_signed(TimeDelta::seconds(seconds));
    (days == 0).then(|| format!("{}{fraction}", time.format("%H:%M:%S")))
}

fn shown(local: NaiveDateTime) -> String {
    local.format("%Y-%m-%dT%H:%M:%S").to_string()
}

fn date_of(text: &str) -> Option<NaiveDate> {
    let is_date = text.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    if !is_date {
        return None;
    }
    let year = text[..4].parse::<i32>().ok().filter(|year| *year > 0)?;
    NaiveDate::from_ymd_opt(year, text[5..7].parse().ok()?, text[8..].parse().ok()?)
}

/// A time of day to the second, the fraction behind it, which begins with `0.` if there is one, and what follows.
fn clock_of(text: &str) -> Option<(NaiveTime, Cow<'_, str>, &str)> {
    let (hour, rest) = two_digits(text)?;
    let (minute, rest) = two_digits(rest.strip_prefix(':')?)?;
    let (second, rest) = match rest.strip_prefix(':') {
        Some(rest) => two_digits(rest)?,
        None => (0, rest),
    };
    let time = NaiveTime::from_hms_opt(hour, minute, second)?;
    let Some(behind) = rest.strip_prefix('.') else { return Some((time, Cow::Borrowed(""), rest.trim_ascii_start())) };
    let end = behind.find(|character: char| !character.is_ascii_digit()).unwrap_or(behind.len());
    let (digits, zone) = behind.split_at(end);
    Some((time, Cow::Owned(format!("0.{digits}")), zone.trim_ascii_start()))
}

fn two_digits(text: &str) -> Option<(u32, &str)> {
    let (digits, rest) = text.split_at_checked(2)?;
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    Some((digits.parse().ok().filter(|_| is_number)?, rest))
}

/// A fraction of a second as whole seconds and a text of the places that the unit has. As PostgreSQL's are, it is rounded to
/// microseconds first.
fn rounded(fraction: &str, unit: TimeUnit) -> (i64, String) {
    let Some(digits) = fraction.strip_prefix("0.").filter(|digits| !digits.is_empty()) else {
        return (0, String::new());
    };
    if unit == TimeUnit::Nanosecond {
        return (0, format!(".{}", digits.get(..9).unwrap_or(digits)));
    }
    let micros = (fraction.parse::<f64>().unwrap_or_default() * 1e6).round_ties_even() as i64;
    let (each, places) = match unit {
        TimeUnit::Second => (1_000_000, 0),
        TimeUnit::Millisecond => (1_000, 3),
        _ => (1, 6),
    };
    let (units, whole) = ((micros + each / 2) / each, 1_000_000 / each);
    let rest = units % whole;
    (units / whole, if places == 0 { String::new() } else { format!(".{rest:0places$}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_as_postgresql_reads_them() {
        let local = |unit| DataType::Timestamp(unit, None);
        let micros = local(TimeUnit::Microsecond);
        let instant = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        // As PostgreSQL 15 reads them.
        for (text, to, expected) in [
            ("2020-01-01 00:00:00.1234567", &micros, Some("2020-01-01T00:00:00.123457")),
            ("2020-12-31 23:59:59.9999999", &micros, Some("2021-01-01T00:00:00.000000")),
            ("2020-01-01 00:00:00.1234565", &micros, Some("2020-01-01T00:00:00.123456")),
            ("2020-01-01 00:00:00.1234575", &micros, Some("2020-01-01T00:00:00.123458")),
            ("2020-01-01 10:00:00+05", &micros, Some("2020-01-01T10:00:00")),
            (" 2020-01-01T10:00Z ", &micros, Some("2020-01-01T10:00:00")),
            ("2020-01-01 10:00:00 America/New_York", &micros, Some("2020-01-01T10:00:00")),
            ("0001-01-01", &micros, Some("0001-01-01T00:00:00")),
            ("2020-01-01 10:00:00.9996", &local(TimeUnit::Millisecond), Some("2020-01-01T10:00:01.000")),
            ("2020-01-01 10:00:00.5", &local(TimeUnit::Second), Some("2020-01-01T10:00:01")),
            ("2020-01-01 10:00:00.123456789", &local(TimeUnit::Nanosecond), Some("2020-01-01T10:00:00.123456789")),
            ("2020-01-01 10:00:00.1234567+05", &instant, Some("2020-01-01T10:00:00.123457+05")),
            ("2020-01-01T23:00:00-05", &DataType::Date32, Some("2020-01-01")),
            ("10:00:00.1234567", &DataType::Time64(TimeUnit::Nanosecond), Some("10:00:00.123457")),
        ] {
            assert_eq!(plain_time(text, to).as_deref(), expected, "{text}");
        }
        for text in
            ["", "x", "2020-02-30 10:00:00", "2020-01-01 25:00:00", "2020-01-01 10:00:00 nowhere", "2020-01-01x"]
        {
            assert_eq!(plain_time(text, &micros), None, "{text}");
        }
    }
}

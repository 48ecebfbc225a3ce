//! Spans of time in texts.

use arrow::datatypes::IntervalMonthDayNano;

use super::values::{decimal, signed};

const SECONDS_A_DAY: i128 = 86_400;

/// A span of time as PostgreSQL reads it: `1 mon 2 days 03:04:05`, `1.5 hours`, `2 weeks ago`. A number alone is one of
/// seconds, before a time one of days. A fraction of a year must come to whole months.
pub(super) fn interval(text: &str) -> Option<IntervalMonthDayNano> {
    const PARTS: i128 = 1_000_000_000;
    let text = text.trim_ascii();
    let (text, sign) = text.strip_suffix(" ago").map_or((text, 1_i128), |text| (text, -1));
    let (mut months, mut days, mut nanoseconds) = (0_i128, 0_i128, 0_i128);
    let mut seen: Vec<Unit> = Vec::new();
    let mut words = text.split_ascii_whitespace().peekable();
    words.peek()?;
    while let Some(word) = words.next() {
        if word.contains(':') {
            nanoseconds = nanoseconds.checked_add(clock_span(word)?)?;
            continue;
        }
        let (amount, attached) = word.split_at(word.find(|letter: char| letter.is_alphabetic()).unwrap_or(word.len()));
        let name = match (attached, words.peek().copied()) {
            ("", None) => "second",
            ("", Some(next)) if next.contains(':') => "day",
            ("", Some(_)) => words.next()?,
            (name, _) => name,
        };
        let unit = Unit::named(name)?;
        if seen.contains(&unit) {
            return None;
        }
        seen.push(unit);
        let amount = decimal(amount, 9)?;
        match unit {
            Unit::Months(count) => {
                let total = amount.checked_mul(count)?;
                months = months.checked_add(total / PARTS)?;
                let rest = total % PARTS;
                if rest != 0 && count > 1 {
                    return None;
                }
                days = days.checked_add(rest * 30 / PARTS)?;
                nanoseconds = nanoseconds.checked_add(rest * 30 % PARTS * SECONDS_A_DAY)?;
            }
            Unit::Days(count) => {
                let total = amount.checked_mul(count)?;
                days = days.checked_add(total / PARTS)?;
                nanoseconds = nanoseconds.checked_add(total % PARTS * SECONDS_A_DAY)?;
            }
            Unit::Nanoseconds(count) => {
                let total = amount.checked_mul(count)?;
                if total % PARTS != 0 {
                    return None;
                }
                nanoseconds = nanoseconds.checked_add(total / PARTS)?;
            }
        }
    }
    let months = i32::try_from(months * sign).ok()?;
    let days = i32::try_from(days * sign).ok()?;
    Some(IntervalMonthDayNano::new(months, days, i64::try_from(nanoseconds.checked_mul(sign)?).ok()?))
}

/// A unit of spans of time: how many months, days or nanoseconds it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Months(i128),
    Days(i128),
    Nanoseconds(i128),
}

impl Unit {
    fn named(name: &str) -> Option<Self> {
        const SECOND: i128 = 1_000_000_000;
        Some(match name.to_ascii_lowercase().as_str() {
            "c" | "cent" | "century" | "centuries" => Self::Months(1200),
            "dec" | "decs" | "decade" | "decades" => Self::Months(120),
            "y" | "yr" | "yrs" | "year" | "years" => Self::Months(12),
            "mon" | "mons" | "month" | "months" => Self::Months(1),
            "w" | "week" | "weeks" => Self::Days(7),
            "d" | "day" | "days" => Self::Days(1),
            "h" | "hr" | "hrs" | "hour" | "hours" => Self::Nanoseconds(3600 * SECOND),
            "m" | "min" | "mins" | "minute" | "minutes" => Self::Nanoseconds(60 * SECOND),
            "s" | "sec" | "secs" | "second" | "seconds" => Self::Nanoseconds(SECOND),
            "ms" | "msec" | "msecs" | "millisecond" | "milliseconds" => Self::Nanoseconds(1_000_000),
            "us" | "usec" | "usecs" | "microsecond" | "microseconds" => Self::Nanoseconds(1_000),
            "nanosecond" | "nanoseconds" => Self::Nanoseconds(1),
            _ => return None,
        })
    }
}

/// Hours and minutes, and seconds where there are some, in nanoseconds. Hours may be as many as there are.
fn clock_span(text: &str) -> Option<i128> {
    let (is_negative, unsigned) = signed(text);
    let mut parts = std::str::from_utf8(unsigned).ok()?.split(':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next().unwrap_or("0"));
    let is_number = |text: &str, most: usize| {
        (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    };
    if parts.next().is_some() || !is_number(hours, 9) || !is_number(minutes, 2) || !is_number(seconds, 18) {
        return None;
    }
    let (hours, minutes): (i128, i128) = (hours.parse().ok()?, minutes.parse().ok()?);
    let seconds = decimal(seconds, 9)?;
    if minutes > 59 || seconds >= 60_000_000_000 {
        return None;
    }
    let span = (hours * 60 + minutes) * 60_000_000_000 + seconds;
    Some(if is_negative { -span } else { span })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_time_are_postgresqls() {
        let parts = |text: &str| interval(text).map(|span| (span.months, span.days, span.nanoseconds));
        let seconds = |count: i64| count * 1_000_000_000;
        // As PostgreSQL 15 reads them.
        for (text, span) in [
            ("90", (0, 0, seconds(90))),
            ("1.5", (0, 0, seconds(3) / 2)),
            ("1 day 90", (0, 1, seconds(90))),
            ("2 0:30", (0, 2, seconds(1800))),
            ("01:30", (0, 0, seconds(5400))),
            ("1 year 2 mons -3 days +04:05:06.5", (14, -3, seconds(14_706) + seconds(1) / 2)),
            ("1.5 years", (18, 0, 0)),
            ("0.25 months", (0, 7, seconds(43_200))),
            ("1.5 weeks", (0, 10, seconds(43_200))),
            ("3h 2min", (0, 0, seconds(10_920))),
            ("1 day 2 hours ago", (0, -1, seconds(-7200))),
            ("-100:00:00", (0, 0, seconds(-360_000))),
        ] {
            assert_eq!(parts(text), Some(span), "{text}");
        }
        for text in ["", "x", "1 x", "90 1 day", "1 day 2 days", "1:60", "1:2:3:4", "0.3 years", "ago", "1e3"] {
            assert_eq!(parts(text), None, "{text}");
        }
    }
}

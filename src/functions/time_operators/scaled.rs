//! Intervals times a number: parts of months become days, of 30 to a month, and parts of days become a time.

use crate::pgtype::Span;

const DAYS_A_MONTH: f64 = 30.0;
const SECONDS_A_DAY: f64 = 86_400.0;
const MICROS_A_SECOND: f64 = 1_000_000.0;

/// An interval so many times; none if it is out of range.
pub(in crate::functions) fn times(span: Span, factor: f64) -> Option<Span> {
    scaled(span, |part| part * factor)
}

/// The part of an interval that a divisor other than zero yields; none if it is out of range.
pub(in crate::functions) fn divided(span: Span, divisor: f64) -> Option<Span> {
    scaled(span, |part| part / divisor)
}

fn scaled(span: Span, scale: impl Fn(f64) -> f64) -> Option<Span> {
    let (all_months, all_days) = (scale(f64::from(span.months)), scale(f64::from(span.days)));
    let (months, days) = (whole(all_months)?, whole(all_days)?);
    let days_of_months = to_micros((all_months - f64::from(months)) * DAYS_A_MONTH);
    let whole_days = days_of_months.trunc();
    let seconds = to_micros((all_days - f64::from(days) + days_of_months - whole_days) * SECONDS_A_DAY);
    // It may be a day or more by now.
    let more_days = (seconds / SECONDS_A_DAY).trunc();
    let seconds = seconds - more_days * SECONDS_A_DAY;
    let days = days.checked_add(whole(whole_days)?)?.checked_add(whole(more_days)?)?;
    let micros = (scale(span.micros as f64) + seconds * MICROS_A_SECOND).round_ties_even();
    let fits = micros >= i64::MIN as f64 && micros < -(i64::MIN as f64);
    fits.then_some(Span { months, days, micros: micros as i64 })
}

/// The whole part of a number, if it is one of 32 bits.
fn whole(number: f64) -> Option<i32> {
    let fits = number >= f64::from(i32::MIN) && number <= f64::from(i32::MAX);
    fits.then_some(number as i32)
}

fn to_micros(number: f64) -> f64 {
    (number * MICROS_A_SECOND).round_ties_even() / MICROS_A_SECOND
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::pgtype::{Fields, read_interval};

    fn span(text: &str) -> Span {
        read_interval(text, Fields::default()).unwrap()
    }

    /// As PostgreSQL 15 has them.
    #[test]
    fn parts_become_smaller_ones() {
        for (text, factor, product, quotient) in [
            ("1 month", 1.5, "1 mon 15 days", "20 days"),
            ("1 day", 1.5, "1 day 12:00:00", "16:00:00"),
            ("1 day", 7.0, "7 days", "03:25:42.857143"),
            (
                "1 year 2 mons 3 days 04:05:06",
                0.333,
                "4 mons 20 days 21:58:34.698",
                "3 years 6 mons 10 days 18:45:13.49094",
            ),
            ("1 month", 4.0, "4 mons", "7 days 12:00:00"),
            ("1 month", 0.1, "3 days", "10 mons"),
            ("1 month 1 day", -1.5, "-1 mons -16 days -12:00:00", "-20 days -16:00:00"),
            ("-1 month 10 days -00:00:01", 0.7, "-14 days -00:00:00.7", "-1 mons +2 days -13:42:52.869485"),
            ("1 mon 15 days 12:00", 0.5, "22 days 18:00:00", "2 mons 30 days 24:00:00"),
            ("1 us", 0.5, "00:00:00", "00:00:00.000002"),
            ("3 us", 0.5, "00:00:00.000002", "00:00:00.000006"),
            ("100 years", 0.01, "1 year", "10000 years"),
            ("1 month", 3.0, "3 mons", "10 days"),
            ("30 days", 0.033333333, "23:59:59.999136", "900 days 00:00:00.7776"),
            ("7 mons 19 days", 0.1, "22 days 21:36:00", "5 years 10 mons 190 days"),
        ] {
            assert_eq!(times(span(text), factor), Some(span(product)), "{text} * {factor}");
            assert_eq!(divided(span(text), factor), Some(span(quotient)), "{text} / {factor}");
        }
        for (text, factor) in
            [("2147483647 days", 2.0), ("178956970 years", -2.0), ("1 day", f64::NAN), ("1 sec", 1e20)]
        {
            assert_eq!(times(span(text), factor), None, "{text} * {factor}");
        }
    }
}

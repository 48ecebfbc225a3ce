//! Parts of intervals, and of the times between timestamps, which are days and a time of day as in PostgreSQL.
//!
//! ```sql
//! SELECT extract(epoch FROM paid_at - ordered_at), extract(quarter FROM interval '5 months')
//! ```
//!
//! The engine's hours of four days are 96, its microseconds of them leave their 32 bits, and it counts a year of 360 days.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, AsArray, Decimal128Array, Float64Array},
    compute::cast,
    datatypes::{
        DataType, Int64Type, IntervalDayTimeType, IntervalMonthDayNanoType, IntervalUnit, IntervalYearMonthType,
        TimeUnit,
    },
};
use datafusion::common::Result;

use crate::{Error, Fault, print::a_second};

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_MINUTE: i64 = 60 * MICROS_PER_SECOND;
const MICROS_PER_HOUR: i64 = 60 * MICROS_PER_MINUTE;
const SECONDS_PER_DAY: i64 = 24 * 60 * 60;
const DAYS_PER_MONTH: i64 = 30;

/// The seconds of 365.25 days.
const SECONDS_PER_YEAR: i64 = SECONDS_PER_DAY / 4 * 1_461;

/// Whether values of a type are spans of time.
pub(super) fn is_span(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Interval(_) | DataType::Duration(_))
}

/// The part of spans that a name in small letters means, as values of a type: numerics, or doubles.
pub(super) fn parts(values: &ArrayRef, name: &str, data_type: &DataType) -> Result<ArrayRef> {
    let part = named(name)?;
    let spans = spans(values)?.into_iter();
    Ok(match data_type {
        DataType::Decimal128(digits, scale) => {
            let parts: Decimal128Array = spans.map(|span| span.map(|span| (part.count)(&span))).collect();
            Arc::new(parts.with_precision_and_scale(*digits, *scale)?)
        }
        _ => {
            let parts = spans.map(|span| span.map(|span| part.as_double(&span)));
            Arc::new(parts.collect::<Float64Array>())
        }
    })
}

/// What passes between two times. Each of its fields has a sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    months: i32,
    days: i64,
    micros: i64,
}

impl Span {
    fn years(&self) -> i128 {
        i128::from(self.months / 12)
    }

    fn months_of_year(&self) -> i128 {
        i128::from(self.months % 12)
    }

    fn micros_of_minute(&self) -> i128 {
        i128::from(self.micros % MICROS_PER_MINUTE)
    }

    /// All of its microseconds.
    fn length(&self) -> i128 {
        let days = self.months_of_year() * i128::from(DAYS_PER_MONTH) + i128::from(self.days);
        let seconds = self.years() * i128::from(SECONDS_PER_YEAR) + days * i128::from(SECONDS_PER_DAY);
        seconds * i128::from(MICROS_PER_SECOND) + i128::from(self.micros)
    }

    /// Its length as a double, which PostgreSQL adds up in this order.
    fn seconds(&self) -> f64 {
        let seconds = self.micros as f64 / MICROS_PER_SECOND as f64;
        let seconds = seconds + SECONDS_PER_YEAR as f64 * self.years() as f64;
        let seconds = seconds + (DAYS_PER_MONTH * SECONDS_PER_DAY) as f64 * self.months_of_year() as f64;
        seconds + SECONDS_PER_DAY as f64 * self.days as f64
    }
}

/// A part of spans.
struct Part {
    names: &'static [&'static str],
    /// So many digits of what is counted are decimal places.
    places: i32,
    count: fn(&Span) -> i128,
}

impl Part {
    fn as_double(&self, span: &Span) -> f64 {
        match self.names {
            ["epoch"] => span.seconds(),
            _ => (self.count)(span) as f64 / 10_f64.powi(self.places),
        }
    }
}

const PARTS: &[Part] = &[
    whole(&["millennium", "millennia", "mil", "mils"], |span| span.years() / 1_000),
    whole(&["century", "centuries", "cent", "c"], |span| span.years() / 100),
    whole(&["decade", "decades", "dec", "decs"], |span| span.years() / 10),
    whole(&["year", "years", "yr", "yrs", "y"], Span::years),
    whole(&["quarter", "qtr"], |span| span.months_of_year() / 3 + 1),
    whole(&["month", "months", "mon", "mons"], Span::months_of_year),
    whole(&["day", "days", "d"], |span| i128::from(span.days)),
    whole(&["hour", "hours", "hr", "hrs", "h"], |span| i128::from(span.micros / MICROS_PER_HOUR)),
    whole(&["minute", "minutes", "min", "mins", "m"], |span| {
        i128::from(span.micros % MICROS_PER_HOUR / MICROS_PER_MINUTE)
    }),
    Part { names: &["second", "seconds", "sec", "secs", "s"], places: 6, count: Span::micros_of_minute },
    Part {
        names: &["milliseconds", "millisecond", "mseconds", "msecond", "msecs", "msec", "ms"],
        places: 3,
        count: Span::micros_of_minute,
    },
    whole(&["microseconds", "microsecond", "useconds", "usecond", "usecs", "usec", "us"], Span::micros_of_minute),
    Part { names: &["epoch"], places: 6, count: Span::length },
];

const fn whole(names: &'static [&'static str], count: fn(&Span) -> i128) -> Part {
    Part { names, places: 0, count }
}

/// Parts of times that spans do not have.
const OF_TIMES: &[&str] = &[
    "week",
    "weeks",
    "w",
    "dow",
    "doy",
    "isodow",
    "isoyear",
    "julian",
    "timezone",
    "timezone_hour",
    "timezone_minute",
];

fn named(name: &str) -> Result<&'static Part> {
    if let Some(part) = PARTS.iter().find(|part| part.names.contains(&name)) {
        return Ok(part);
    }
    Err(if OF_TIMES.contains(&name) {
        Error::new(Fault::FeatureNotSupported, format!("unit \"{name}\" not supported for type interval")).into()
    } else {
        Error::new(Fault::InvalidArgument, format!("unit \"{name}\" not recognized for type interval")).into()
    })
}

/// The spans of values of a type of them.
fn spans(values: &ArrayRef) -> Result<Vec<Option<Span>>> {
    Ok(match values.data_type() {
        DataType::Interval(IntervalUnit::MonthDayNano) => values
            .as_primitive::<IntervalMonthDayNanoType>()
            .iter()
            .map(|value| {
                value.map(|value| Span {
                    months: value.months,
                    days: i64::from(value.days),
                    micros: value.nanoseconds / 1_000,
                })
            })
            .collect(),
        DataType::Interval(IntervalUnit::DayTime) => values
            .as_primitive::<IntervalDayTimeType>()
            .iter()
            .map(|value| {
                value.map(|value| Span {
                    months: 0,
                    days: i64::from(value.days),
                    micros: i64::from(value.milliseconds) * 1_000,
                })
            })
            .collect(),
        DataType::Interval(IntervalUnit::YearMonth) => values
            .as_primitive::<IntervalYearMonthType>()
            .iter()
            .map(|months| months.map(|months| Span { months, days: 0, micros: 0 }))
            .collect(),
        DataType::Duration(unit) => {
            let counts = cast(values, &DataType::Int64)?;
            counts.as_primitive::<Int64Type>().iter().map(|count| count.map(|count| between(count, *unit))).collect()
        }
        other => return Err(Error::new(Fault::InvalidArgument, format!("{other} is no span of time")).into()),
    })
}

/// So many of a unit, as days and the time of a day that is left.
fn between(count: i64, unit: TimeUnit) -> Span {
    let a_second = a_second(unit);
    let (days, rest) = (count / (a_second * SECONDS_PER_DAY), count % (a_second * SECONDS_PER_DAY));
    let micros = match unit {
        TimeUnit::Nanosecond => rest / (a_second / MICROS_PER_SECOND),
        _ => rest * (MICROS_PER_SECOND / a_second),
    };
    Span { months: 0, days, micros }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn count(name: &str, span: &Span) -> i128 {
        (named(name).unwrap().count)(span)
    }

    /// Expected as PostgreSQL 15 has them.
    #[test]
    fn parts_keep_the_sign_of_their_field() {
        let span = Span { months: -14, days: 3, micros: -14_706_789_000 };
        for (name, expected) in [
            ("epoch", -36_497_106_789_000),
            ("year", -1),
            ("month", -2),
            ("quarter", 1),
            ("day", 3),
            ("hour", -4),
            ("minute", -5),
            ("second", -6_789_000),
            ("milliseconds", -6_789_000),
            ("microseconds", -6_789_000),
        ] {
            assert_eq!(count(name, &span), expected, "{name}");
        }
    }

    #[test]
    fn times_between_timestamps_are_days_and_a_time() {
        for unit in [TimeUnit::Second, TimeUnit::Millisecond, TimeUnit::Microsecond, TimeUnit::Nanosecond] {
            let span = between(-(4 * SECONDS_PER_DAY + 3_601) * a_second(unit), unit);
            assert_eq!(span, Span { months: 0, days: -4, micros: -3_601_000_000 });
            assert_eq!(count("hour", &span), -1);
        }
        // The longest there is has a length.
        let longest = between(i64::MAX, TimeUnit::Second);
        assert_eq!(longest.length(), i128::from(i64::MAX) * 1_000_000);
    }

    #[test]
    fn a_double_of_seconds_is_rounded_as_it_is_added_up() {
        // PostgreSQL 15 has it so.
        let span = Span { months: 14, days: 3, micros: 14_706_789_000 };
        assert_eq!(format!("{}", named("epoch").unwrap().as_double(&span)), "37015506.789000005");
    }

    #[test]
    fn units_of_times_are_none_of_spans() {
        assert!(named("dow").is_err_and(|error| error.to_string().contains("not supported for type interval")));
        assert!(named("fortnight").is_err_and(|error| error.to_string().contains("not recognized")));
    }
}

//! Parts of intervals, each of which keeps the sign of its field.
//!
//! ```sql
//! SELECT extract(epoch FROM paid_at - ordered_at), extract(quarter FROM interval '5 months')
//! ```

use arrow::datatypes::IntervalMonthDayNano;

use super::{
    calendar::{MICROS_PER_SECOND, NANOS_PER_MICRO, SECONDS_PER_DAY},
    fields::{Field, Named},
    part::{Value, part_of_time},
};
use crate::fault::Result;

const DAYS_PER_MONTH: i64 = 30;

/// The seconds of 365.25 days.
const SECONDS_PER_YEAR: i64 = SECONDS_PER_DAY / 4 * 1_461;

/// A part of an interval.
pub(super) fn part(named: &Named<'_>, field: Field, interval: IntervalMonthDayNano) -> Result<Value> {
    let (years, months) = (i64::from(interval.months / 12), i64::from(interval.months % 12));
    let micros = interval.nanoseconds / NANOS_PER_MICRO;
    Ok(match field {
        Field::Millennium => Value::whole(years / 1_000),
        Field::Century => Value::whole(years / 100),
        Field::Decade => Value::whole(years / 10),
        Field::Year => Value::whole(years),
        Field::Quarter => Value::whole(months / 3 + 1),
        Field::Month => Value::whole(months),
        Field::Day => Value::whole(interval.days.into()),
        Field::Epoch => epoch(years, months, interval.days.into(), micros),
        Field::Word => return Err(named.not_recognized()),
        _ => return part_of_time(field, micros).ok_or_else(|| named.not_supported()),
    })
}

/// All of its seconds.
fn epoch(years: i64, months: i64, days: i64, micros: i64) -> Value {
    let seconds = years * SECONDS_PER_YEAR + (months * DAYS_PER_MONTH + days) * SECONDS_PER_DAY;
    let exact = i128::from(seconds) * i128::from(MICROS_PER_SECOND) + i128::from(micros);
    // PostgreSQL adds up the double in this order.
    let double = micros as f64 / MICROS_PER_SECOND as f64;
    let double = double + SECONDS_PER_YEAR as f64 * years as f64;
    let double = double + (DAYS_PER_MONTH * SECONDS_PER_DAY) as f64 * months as f64;
    Value::Both(exact, 6, double + SECONDS_PER_DAY as f64 * days as f64)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::pgtype::INTERVAL;

    fn of(name: &str, interval: IntervalMonthDayNano) -> Result<Value> {
        let named = Named::new(name, &INTERVAL);
        part(&named, named.part()?, interval)
    }

    /// Expected as PostgreSQL 15 has them: interval '-14 months 3 days -04:05:06.789'.
    #[test]
    fn parts_keep_the_sign_of_their_field() {
        let interval = IntervalMonthDayNano::new(-14, 3, -14_706_789_000_000);
        for (name, expected) in [
            ("year", Value::whole(-1)),
            ("month", Value::whole(-2)),
            ("quarter", Value::whole(1)),
            ("day", Value::whole(3)),
            ("hour", Value::whole(-4)),
            ("minute", Value::whole(-5)),
            ("second", Value::Both(-6_789_000, 6, -6.789)),
            ("milliseconds", Value::Both(-6_789_000, 3, -6_789.0)),
            ("microseconds", Value::whole(-6_789_000)),
            ("epoch", Value::Both(-36_497_106_789_000, 6, -36_497_106.789_000_005)),
        ] {
            assert_eq!(of(name, interval), Ok(expected), "{name}");
        }
    }

    #[test]
    fn a_double_of_seconds_is_rounded_as_it_is_added_up() {
        // PostgreSQL 15 has it so.
        let interval = IntervalMonthDayNano::new(14, 3, 14_706_789_000_000);
        assert_eq!(of("epoch", interval), Ok(Value::Both(37_015_506_789_000, 6, 37_015_506.789_000_005)));
    }

    #[test]
    fn units_of_times_are_none_of_intervals() {
        let refused = |name| of(name, IntervalMonthDayNano::new(1, 0, 0)).unwrap_err().to_string();
        assert_eq!(refused("dow"), "unit \"dow\" not supported for type interval");
        assert_eq!(refused("week"), "unit \"week\" not supported for type interval");
        assert_eq!(refused("now"), "unit \"now\" not recognized for type interval");
        assert_eq!(refused("fortnight"), "unit \"fortnight\" not recognized for type interval");
    }
}

//! Texts, times of other units, and what counts as an interval, as functions take them.
//!
//! A cast in the plan would keep constants and conditions on a column from being seen as such, and the engine's makes hours of
//! days.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, IntervalMonthDayNanoArray, TimestampMicrosecondArray},
    compute::cast,
    datatypes::{DataType, Int64Type, IntervalMonthDayNano, TimeUnit},
};
use datafusion::common::Result;

use crate::{
    fault::{Failure, Fault},
    pgtype::{Form, PgType, calendar::MICROS_A_SECOND},
    print::{a_day, a_second},
};

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// Whether a call may have values of a type as they are where it takes those of another.
pub(super) fn may_stay(wanted: &PgType, given: &DataType) -> bool {
    match given {
        DataType::Utf8 | DataType::LargeUtf8 => matches!(wanted.form, Form::Text | Form::Jsonb),
        DataType::Timestamp(_, None) => wanted.form == Form::Timestamp,
        DataType::Timestamp(_, Some(_)) => wanted.form == Form::Instant,
        DataType::Duration(_) | DataType::Time32(_) | DataType::Time64(_) => wanted.form == Form::Interval,
        _ => false,
    }
}

/// The same values in the form that is wanted of them.
pub(super) fn in_form(values: ArrayRef, wanted: &PgType) -> Result<ArrayRef> {
    if !may_stay(wanted, values.data_type()) {
        return Ok(values);
    }
    match values.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 => Ok(cast(&values, &DataType::Utf8View)?),
        DataType::Timestamp(TimeUnit::Microsecond, _) => Ok(values),
        DataType::Timestamp(unit, zone) => {
            let (unit, zone) = (*unit, zone.clone());
            let counts = cast(&values, &DataType::Int64)?;
            let counts = counts.as_primitive::<Int64Type>();
            let micros = counts.iter().map(|count| count.map(|count| micros(count, unit)).transpose());
            let micros = micros.collect::<Result<TimestampMicrosecondArray, Failure>>()?;
            Ok(Arc::new(micros.with_timezone_opt(zone)))
        }
        DataType::Duration(unit) => spans(&values, *unit, true),
        DataType::Time32(unit) | DataType::Time64(unit) => spans(&values, *unit, false),
        _ => Ok(values),
    }
}

/// So many of a unit in whole microseconds, of which the one that has begun is meant.
fn micros(count: i64, unit: TimeUnit) -> Result<i64, Failure> {
    let a_second = a_second(unit);
    if a_second >= MICROS_A_SECOND {
        return Ok(count.div_euclid(a_second / MICROS_A_SECOND));
    }
    let out_of_range = || Failure::new(Fault::DatetimeOutOfRange, "timestamp out of range");
    count.checked_mul(MICROS_A_SECOND / a_second).ok_or_else(out_of_range)
}

/// So many of a unit as intervals: the time between two timestamps is days and a time of day.
fn spans(values: &ArrayRef, unit: TimeUnit, has_days: bool) -> Result<ArrayRef> {
    let counts = cast(values, &DataType::Int64)?;
    let counts = counts.as_primitive::<Int64Type>();
    let (day, nanos) = (a_day(unit), NANOS_PER_SECOND / a_second(unit));
    let span = |count: i64| -> Result<IntervalMonthDayNano, Failure> {
        if !has_days {
            return Ok(IntervalMonthDayNano::new(0, 0, count * nanos));
        }
        let out_of_range = |_| Failure::new(Fault::DatetimeOutOfRange, "interval out of range");
        Ok(IntervalMonthDayNano::new(0, i32::try_from(count / day).map_err(out_of_range)?, count % day * nanos))
    };
    let spans = counts.iter().map(|count| count.map(span).transpose());
    Ok(Arc::new(spans.collect::<Result<IntervalMonthDayNanoArray, Failure>>()?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::{
        array::{DurationSecondArray, TimestampNanosecondArray},
        datatypes::{IntervalMonthDayNanoType, TimestampMicrosecondType},
    };

    use super::*;
    use crate::pgtype::{INTERVAL, TIMESTAMP};

    #[test]
    fn nanoseconds_are_of_the_microsecond_that_has_begun() {
        let nanoseconds: ArrayRef = Arc::new(TimestampNanosecondArray::from(vec![Some(-1), None, Some(1_999)]));
        let micros = in_form(nanoseconds, &TIMESTAMP).unwrap();
        let micros: Vec<Option<i64>> = micros.as_primitive::<TimestampMicrosecondType>().iter().collect();
        assert_eq!(micros, [Some(-1), None, Some(1)]);
    }

    #[test]
    fn times_between_timestamps_are_days_and_a_time() {
        let spans: ArrayRef = Arc::new(DurationSecondArray::from(vec![-(4 * 86_400 + 3_601)]));
        let spans = in_form(spans, &INTERVAL).unwrap();
        let span = spans.as_primitive::<IntervalMonthDayNanoType>().value(0);
        assert_eq!(span, IntervalMonthDayNano::new(0, -4, -3_601_000_000_000));
        // More days than an interval has.
        let longest: ArrayRef = Arc::new(DurationSecondArray::from(vec![i64::MAX]));
        assert!(in_form(longest, &INTERVAL).is_err());
    }
}

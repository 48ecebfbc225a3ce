//! `date_bin`: the beginning of the span that a time is in, of spans of one length from an origin on.
//!
//! ```sql
//! SELECT date_bin('15 minutes', ordered_at, timestamp '2001-01-01'), count(*) FROM orders GROUP BY 1
//! ```

use arrow::{array::ArrayRef, datatypes::IntervalMonthDayNano};

use super::calendar::{self, MICROS_PER_DAY, NANOS_PER_MICRO};
use crate::{
    fault::{Failure, Fault, Result},
    functions::{Call, Function, Overload},
    pgtype::{INTERVAL, TIMESTAMP, TIMESTAMPTZ},
};

pub(super) static DATE_BIN: Function = Function {
    name: "date_bin",
    purpose: "The beginning of the span that the time is in, of spans of one length from an origin on",
    example: "date_bin('15 minutes', timestamp '2024-05-17 10:37:00', timestamp '2001-01-01')",
    shows: "2024-05-17 10:30:00",
    overloads: &[
        Overload::new(&[INTERVAL, TIMESTAMP, TIMESTAMP], TIMESTAMP, run),
        Overload::new(&[INTERVAL, TIMESTAMPTZ, TIMESTAMPTZ], TIMESTAMPTZ, run),
    ],
};

fn run(call: &Call<'_>) -> Result<ArrayRef> {
    let (strides, times, origins) = (call.intervals(0)?, call.timestamps(1)?, call.timestamps(2)?);
    call.timestamp_of(|row| begin(strides.value(row), times.value(row), origins.value(row)).map(Some))
}

fn begin(stride: IntervalMonthDayNano, time: i64, origin: i64) -> Result<i64> {
    if calendar::is_infinite(time) {
        return Ok(time);
    }
    let out_of_range = |message: &str| Failure::new(Fault::DatetimeOutOfRange, message);
    if calendar::is_infinite(origin) {
        return Err(out_of_range("origin out of range"));
    }
    if stride.months != 0 {
        let message = "timestamps cannot be binned into intervals containing months or years";
        return Err(Failure::new(Fault::FeatureNotSupported, message));
    }
    let micros = i64::from(stride.days) * MICROS_PER_DAY + stride.nanoseconds / NANOS_PER_MICRO;
    if micros <= 0 {
        return Err(out_of_range("stride must be greater than zero"));
    }
    let (stride, time, origin) = (i128::from(micros), i128::from(time), i128::from(origin));
    calendar::timestamp(origin + (time - origin).div_euclid(stride) * stride)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000;

    fn of(stride: IntervalMonthDayNano, minutes: i64, origin: i64) -> Result<i64, String> {
        let begin = begin(stride, minutes * MINUTE, origin * MINUTE);
        begin.map(|micros| micros / MINUTE).map_err(|error| error.to_string())
    }

    /// PostgreSQL 15: date_bin(stride, time, origin) with the times as minutes since 1970.
    #[test]
    fn spans_are_counted_from_the_origin_in_both_directions() {
        let quarter = IntervalMonthDayNano::new(0, 0, 15 * 60_000_000_000);
        assert_eq!(of(quarter, 37, 0), Ok(30));
        assert_eq!(of(quarter, 37, 8), Ok(23));
        assert_eq!(of(quarter, -1, 0), Ok(-15));
        assert_eq!(of(quarter, -15, 0), Ok(-15));
        assert_eq!(of(IntervalMonthDayNano::new(0, 1, -60_000_000_000), 1_500, 0), Ok(1_439));
        let refused = |months, days| of(IntervalMonthDayNano::new(months, days, 0), 0, 0).unwrap_err();
        assert_eq!(refused(1, 0), "timestamps cannot be binned into intervals containing months or years");
        assert_eq!(refused(0, -1), "stride must be greater than zero");
        assert_eq!(refused(0, 0), "stride must be greater than zero");
    }
}

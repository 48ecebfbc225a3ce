//! `age`: the years, months and days between two times, as people count them, and the time of day that is left.
//!
//! ```sql
//! SELECT age(died, born), age(timestamp '2024-03-01', '2023-01-15') FROM kings
//! ```
//!
//! Of one time, it is its age on the day that is current: whoever reads the statement puts that before it.

use arrow::{array::ArrayRef, datatypes::IntervalMonthDayNano};

use super::{
    calendar::{
        self, MICROS_PER_DAY, Moment, NANOS_PER_MICRO, days_of_month, interval_out_of_range, timestamp_out_of_range,
    },
    zones,
};
use crate::{
    fault::Result,
    functions::{Call, Function, Overload},
    pgtype::{INTERVAL, TIMESTAMP, TIMESTAMPTZ, Zone},
};

pub(super) static AGE: Function = Function {
    name: "age",
    purpose: "The years, months and days from the second time to the first, or to today from the only one",
    example: "age(timestamp '2024-03-31', timestamp '2024-01-15')",
    shows: "2 mons 16 days",
    overloads: &[
        Overload::new(&[TIMESTAMP, TIMESTAMP], INTERVAL, of_timestamps),
        Overload::new(&[TIMESTAMPTZ, TIMESTAMPTZ], INTERVAL, of_instants).stable(),
    ],
};

fn of_timestamps(call: &Call<'_>) -> Result<ArrayRef> {
    let (ends, beginnings) = (call.timestamps(0)?, call.timestamps(1)?);
    call.interval_of(|row| {
        let (end, beginning) = (ends.value(row), beginnings.value(row));
        age(moment(end)?, moment(beginning)?, end < beginning).map(Some)
    })
}

fn of_instants(call: &Call<'_>) -> Result<ArrayRef> {
    let (ends, beginnings, zone) = (call.timestamps(0)?, call.timestamps(1)?, Zone::of_session(call.zone()));
    call.interval_of(|row| {
        let (end, beginning) = (ends.value(row), beginnings.value(row));
        let shown = |instant| zones::shown_at(zone, instant).and_then(moment);
        age(shown(end)?, shown(beginning)?, end < beginning).map(Some)
    })
}

fn moment(micros: i64) -> Result<Moment> {
    if calendar::is_infinite(micros) { Err(timestamp_out_of_range()) } else { Ok(Moment::of(micros)) }
}

/// What passes from a time to another, which is the earlier one if that is said.
fn age(end: Moment, beginning: Moment, is_negative: bool) -> Result<IntervalMonthDayNano> {
    let sign = if is_negative { -1 } else { 1 };
    let between = |one: fn(&Moment) -> i64| sign * (one(&end) - one(&beginning));
    let mut months = between(|moment| moment.date.year * 12 + moment.date.month);
    let mut days = between(|moment| moment.date.day);
    let mut micros = between(|moment| moment.micros);
    if micros < 0 {
        micros += MICROS_PER_DAY;
        days -= 1;
    }
    // The days of the month in which the earlier one is are those that a month has.
    let earlier = if is_negative { end } else { beginning }.date;
    while days < 0 {
        days += days_of_month(earlier.year, earlier.month);
        months -= 1;
    }
    let small = |field: i64| i32::try_from(sign * field).map_err(|_| interval_out_of_range());
    Ok(IntervalMonthDayNano::new(small(months)?, small(days)?, sign * micros * NANOS_PER_MICRO))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use chrono::NaiveDateTime;

    use super::*;

    /// PostgreSQL 15: age(timestamp '…', timestamp '…') as months, days and seconds.
    #[test]
    fn years_months_and_days_are_counted() {
        for (end, beginning, expected) in [
            ("2024-01-01T00:00:00", "2020-02-29T00:00:00", (46, 1, 0)),
            ("2020-02-29T00:00:00", "2024-01-01T00:00:00", (-46, -1, 0)),
            ("2024-03-31T00:00:00", "2024-02-29T12:00:00", (1, 1, 43_200)),
            ("2024-03-01T00:00:00", "2024-01-31T00:00:00", (1, 1, 0)),
            ("2024-02-29T12:00:00", "2024-03-31T00:00:00", (-1, -1, -43_200)),
            ("2023-03-01T10:00:00", "2023-01-31T11:00:00", (1, 0, 82_800)),
            ("2024-01-01T00:00:00", "2024-01-01T00:00:01", (0, 0, -1)),
        ] {
            let micros = |text: &str| text.parse::<NaiveDateTime>().unwrap().and_utc().timestamp_micros();
            let (from, to) = (micros(beginning), micros(end));
            let found = age(Moment::of(to), Moment::of(from), to < from).unwrap();
            assert_eq!((found.months, found.days, found.nanoseconds / 1_000_000_000), expected, "{end} {beginning}");
        }
    }
}

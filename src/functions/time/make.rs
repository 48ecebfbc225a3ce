//! `make_date`, `make_time`, `make_timestamp`, `make_timestamptz` and `make_interval`: of numbers.
//!
//! ```sql
//! SELECT make_date(year, month, 1), make_interval(days => 10) FROM sales
//! ```
//!
//! What `make_interval` is not told is zero: whoever reads the statement puts its arguments in their order.

use arrow::{
    array::{ArrayRef, Int32Array},
    datatypes::IntervalMonthDayNano,
};

use super::{
    calendar::{
        self, Day, MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE, MICROS_PER_SECOND, NANOS_PER_MICRO,
        days_of_month, interval_out_of_range,
    },
    zones::{instant_of, of_timestamp},
};
use crate::{
    fault::{Failure, Fault, Result},
    functions::{Call, Function, Overload},
    pgtype::{DATE, FLOAT8, INT4, INTERVAL, TEXT, TIME, TIMESTAMP, TIMESTAMPTZ, Zone, calendar::is_day},
};

pub(super) static MAKE_DATE: Function = Function {
    name: "make_date",
    purpose: "The date of a year, a month and a day; years below zero are BC",
    example: "make_date(2024, 2, 29)",
    shows: "2024-02-29",
    overloads: &[Overload::new(&[INT4, INT4, INT4], DATE, dates)],
};

pub(super) static MAKE_TIME: Function = Function {
    name: "make_time",
    purpose: "The time of an hour, a minute and seconds",
    example: "make_time(8, 15, 23.5)",
    shows: "08:15:23.5",
    overloads: &[Overload::new(&[INT4, INT4, FLOAT8], TIME, times)],
};

pub(super) static MAKE_TIMESTAMP: Function = Function {
    name: "make_timestamp",
    purpose: "The timestamp of a year, a month, a day, an hour, a minute and seconds",
    example: "make_timestamp(2024, 2, 29, 8, 15, 23.5)",
    shows: "2024-02-29 08:15:23.5",
    overloads: &[Overload::new(&[INT4, INT4, INT4, INT4, INT4, FLOAT8], TIMESTAMP, timestamps)],
};

pub(super) static MAKE_TIMESTAMPTZ: Function = Function {
    name: "make_timestamptz",
    purpose: "The same as an instant, at which clocks of the session's zone or of another show it",
    example: "make_timestamptz(2024, 2, 29, 8, 15, 23.5, 'Asia/Tokyo')",
    shows: "2024-02-28 23:15:23.5+00",
    overloads: &[
        Overload::new(&[INT4, INT4, INT4, INT4, INT4, FLOAT8], TIMESTAMPTZ, instants).stable(),
        Overload::new(&[INT4, INT4, INT4, INT4, INT4, FLOAT8, TEXT], TIMESTAMPTZ, instants_of_zone),
    ],
};

pub(super) static MAKE_INTERVAL: Function = Function {
    name: "make_interval",
    purpose: "The interval of years, months, weeks, days, hours, minutes and seconds",
    example: "make_interval(weeks => 1, days => 3)",
    shows: "10 days",
    overloads: &[
        Overload::new(&[], INTERVAL, intervals),
        Overload::new(&[INT4], INTERVAL, intervals),
        Overload::new(&[INT4, INT4], INTERVAL, intervals),
        Overload::new(&[INT4, INT4, INT4], INTERVAL, intervals),
        Overload::new(&[INT4, INT4, INT4, INT4], INTERVAL, intervals),
        Overload::new(&[INT4, INT4, INT4, INT4, INT4], INTERVAL, intervals),
        Overload::new(&[INT4, INT4, INT4, INT4, INT4, INT4], INTERVAL, intervals),
        Overload::new(&[INT4, INT4, INT4, INT4, INT4, INT4, FLOAT8], INTERVAL, intervals),
    ],
};

fn dates(call: &Call<'_>) -> Result<ArrayRef> {
    let (years, months, days) = (call.int4s(0)?, call.int4s(1)?, call.int4s(2)?);
    call.date_of(|row| {
        let year = years.value(row);
        // PostgreSQL tells of a wrong date before 1 with the year that it counts with.
        let told = if year < 0 { year.saturating_add(1) } else { year };
        let days = day(year, months.value(row), days.value(row), told)?;
        // All that there are have numbers of 32 bits.
        Ok(i32::try_from(days).ok())
    })
}

fn times(call: &Call<'_>) -> Result<ArrayRef> {
    let (hours, minutes, seconds) = (call.int4s(0)?, call.int4s(1)?, call.float8s(2)?);
    call.time_of(|row| time(hours.value(row), minutes.value(row), seconds.value(row)).map(Some))
}

fn timestamps(call: &Call<'_>) -> Result<ArrayRef> {
    let shown = shown(call)?;
    call.timestamp_of(|row| shown(row).map(Some))
}

fn instants(call: &Call<'_>) -> Result<ArrayRef> {
    let (shown, zone) = (shown(call)?, Zone::of_session(call.zone()));
    call.timestamp_of(|row| instant_of(zone, shown(row)?).map(Some))
}

fn instants_of_zone(call: &Call<'_>) -> Result<ArrayRef> {
    let (shown, zones) = (shown(call)?, call.texts(6)?);
    call.timestamp_of(|row| instant_of(of_timestamp(zones.value(row))?, shown(row)?).map(Some))
}

/// What clocks show in each row, as microseconds since 1970.
fn shown(call: &Call<'_>) -> Result<impl Fn(usize) -> Result<i64>> {
    let (years, months, days) = (call.int4s(0)?, call.int4s(1)?, call.int4s(2)?);
    let (hours, minutes, seconds) = (call.int4s(3)?, call.int4s(4)?, call.float8s(5)?);
    Ok(move |row| {
        let year = years.value(row);
        let day = day(year, months.value(row), days.value(row), year)?;
        let time = time(hours.value(row), minutes.value(row), seconds.value(row))?;
        calendar::timestamp(i128::from(day) * i128::from(MICROS_PER_DAY) + i128::from(time))
    })
}

/// Days since 1970. Where there is no such day, it is told with another year.
fn day(year: i32, month: i32, day: i32, told: i32) -> Result<i64> {
    let out_of_range = |what: &str| {
        let message = format!("{what} out of range: {told}-{month:02}-{day:02}");
        Failure::new(Fault::DatetimeOutOfRange, message)
    };
    // There is no year 0: the year before 1 is -1.
    let astronomical = i64::from(year) + i64::from(year < 0);
    let is_there =
        year != 0 && (1..=12).contains(&month) && (1..=days_of_month(astronomical, month.into())).contains(&day.into());
    if !is_there {
        return Err(out_of_range("date field value"));
    }
    let days = Day { year: astronomical, month: month.into(), day: day.into() }.days();
    if is_day(days) { Ok(days) } else { Err(out_of_range("date")) }
}

/// Microseconds since midnight; there are 24 hours and 60 seconds.
fn time(hour: i32, minute: i32, second: f64) -> Result<i64> {
    let micros = (second * 1_000_000.0).round_ties_even();
    // Of NaN, it is none.
    let is_second = (0.0..=60_000_000.0).contains(&micros);
    let is_time = (0..=24).contains(&hour) && (0..60).contains(&minute) && is_second;
    if is_time {
        let of_hour = i64::from(hour) * MICROS_PER_HOUR + i64::from(minute) * MICROS_PER_MINUTE;
        // A minute at most is whole here.
        let time = of_hour + micros as i64;
        if time <= MICROS_PER_DAY {
            return Ok(time);
        }
    }
    let message = format!("time field value out of range: {hour}:{minute:02}:{:0>2}", six_digits(second));
    Err(Failure::new(Fault::DatetimeOutOfRange, message))
}

/// A number with six digits, as C's `%g` shows it.
pub(super) fn six_digits(number: f64) -> String {
    if number.is_infinite() {
        return if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    if number.is_nan() || number == 0.0 {
        return number.to_string();
    }
    let scientific = format!("{number:.5e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trimmed = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    match usize::try_from(5 - exponent) {
        Ok(places) if exponent >= -4 => trimmed(&format!("{number:.places$}")),
        _ => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{}e{sign}{:02}", trimmed(digits), exponent.abs())
        }
    }
}

fn intervals(call: &Call<'_>) -> Result<ArrayRef> {
    let given: Vec<&Int32Array> = (0..call.len().min(6)).map(|at| call.int4s(at)).collect::<Result<_>>()?;
    let seconds = if call.len() > 6 { Some(call.float8s(6)?) } else { None };
    call.interval_of(|row| {
        let field = |at: usize| given.get(at).map_or(0, |numbers| i64::from(numbers.value(row)));
        let fields = [field(0), field(1), field(2), field(3), field(4), field(5)];
        interval(fields, seconds.map_or(0.0, |seconds| seconds.value(row))).map(Some)
    })
}

/// An interval of years, months, weeks, days, hours, minutes and seconds.
fn interval([years, months, weeks, days, hours, minutes]: [i64; 6], seconds: f64) -> Result<IntervalMonthDayNano> {
    let small = |field: i64| i32::try_from(field).map_err(|_| interval_out_of_range());
    let micros = (seconds * MICROS_PER_SECOND as f64).round_ties_even();
    if !micros.is_finite() || micros.abs() >= i64::MAX as f64 {
        return Err(interval_out_of_range());
    }
    let time = i128::from(hours * MICROS_PER_HOUR + minutes * MICROS_PER_MINUTE) + micros as i128;
    let nanos = i64::try_from(time * i128::from(NANOS_PER_MICRO)).map_err(|_| interval_out_of_range())?;
    Ok(IntervalMonthDayNano::new(small(years * 12 + months)?, small(weeks * 7 + days)?, nanos))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn refused<T: std::fmt::Debug>(result: Result<T>) -> String {
        result.unwrap_err().to_string()
    }

    /// Expected as PostgreSQL 15 has them.
    #[test]
    fn dates_are_of_this_calendar() {
        let of = |year, month, date| day(year, month, date, year);
        assert_eq!(of(2024, 2, 29), Ok(19_782));
        assert_eq!(of(-44, 3, 15), Ok(-735_160));
        assert_eq!(refused(of(2023, 2, 29)), "date field value out of range: 2023-02-29");
        assert_eq!(refused(day(-2023, 2, 29, -2022)), "date field value out of range: -2022-02-29");
        assert_eq!(refused(of(0, 1, 1)), "date field value out of range: 0-01-01");
        assert_eq!(refused(of(2024, 13, 1)), "date field value out of range: 2024-13-01");
        assert_eq!(refused(of(2024, -1, 1)), "date field value out of range: 2024--1-01");
        // PostgreSQL's calendar is longer.
        assert_eq!(refused(of(262_143, 1, 1)), "date out of range: 262143-01-01");
    }

    #[test]
    fn times_may_be_the_end_of_a_day() {
        assert_eq!(time(24, 0, 0.0), Ok(MICROS_PER_DAY));
        assert_eq!(time(23, 59, 59.999_999_9), Ok(MICROS_PER_DAY));
        assert_eq!(time(10, 0, 60.0), Ok(36_060_000_000));
        assert_eq!(refused(time(25, 0, 0.0)), "time field value out of range: 25:00:00");
        assert_eq!(refused(time(10, 60, 1.5)), "time field value out of range: 10:60:1.5");
        assert_eq!(refused(time(10, 59, -1.5)), "time field value out of range: 10:59:-1.5");
        assert_eq!(refused(time(10, 59, 61.123_456_7)), "time field value out of range: 10:59:61.1235");
        assert_eq!(refused(time(24, 0, 1.0)), "time field value out of range: 24:00:01");
        assert_eq!(refused(time(10, 0, 1e20)), "time field value out of range: 10:00:1e+20");
        assert_eq!(refused(time(10, 0, f64::NAN)), "time field value out of range: 10:00:NaN");
        assert_eq!(refused(time(10, 0, f64::NEG_INFINITY)), "time field value out of range: 10:00:-Infinity");
    }

    #[test]
    fn numbers_are_shown_as_c_does() {
        let numbers = [1e20, -1e20, 1.5, 61.123_456_7, 100_000.0, 1_234_567.0, 0.000_012_345_678, 0.0];
        let expected = ["1e+20", "-1e+20", "1.5", "61.1235", "100000", "1.23457e+06", "1.23457e-05", "0"];
        assert_eq!(numbers.map(six_digits), expected);
    }

    #[test]
    fn intervals_have_three_fields() {
        let of =
            |fields, seconds| interval(fields, seconds).map(|of| (of.months, of.days, of.nanoseconds / 1_000)).ok();
        assert_eq!(of([1, 2, 3, 4, 5, 6], 7.5), Some((14, 25, 18_367_500_000)));
        assert_eq!(of([0; 6], 1.000_000_5), Some((0, 0, 1_000_001)));
        assert_eq!(of([0; 6], f64::NAN), None);
        assert_eq!(of([i64::from(i32::MAX), 0, 0, 0, 0, 0], 0.0), None);
    }
}

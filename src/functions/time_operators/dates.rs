//! Dates: days between them, and days, intervals and times added to them.

use arrow::array::ArrayRef;

use super::{each_moved, endless, moved, out_of_range};
use crate::{
    fault::{Failure, Fault, Result},
    functions::{Call, Function, Overload},
    pgtype::{DATE, INT4, INTERVAL, TIME, TIMESTAMP, calendar::is_infinite_date},
};

pub(super) static DATE_MI: Function = Function {
    name: "date_mi",
    purpose: "The days from the second date to the first: date - date",
    example: "date_mi('2024-03-01', '2024-02-01')",
    shows: "29",
    overloads: &[Overload::new(&[DATE, DATE], INT4, days_between)],
};

pub(super) static DATE_PLI: Function = Function {
    name: "date_pli",
    purpose: "The date so many days later: date + integer",
    example: "date_pli('2024-02-28', 2)",
    shows: "2024-03-01",
    overloads: &[Overload::new(&[DATE, INT4], DATE, |call| days_later(call, 0, 1, 1))],
};

pub(super) static DATE_MII: Function = Function {
    name: "date_mii",
    purpose: "The date so many days earlier: date - integer",
    example: "date_mii('2024-03-01', 1)",
    shows: "2024-02-29",
    overloads: &[Overload::new(&[DATE, INT4], DATE, |call| days_later(call, 0, 1, -1))],
};

pub(super) static INTEGER_PL_DATE: Function = Function {
    name: "integer_pl_date",
    purpose: "The date so many days later: integer + date",
    example: "integer_pl_date(2, '2024-02-28')",
    shows: "2024-03-01",
    overloads: &[Overload::new(&[INT4, DATE], DATE, |call| days_later(call, 1, 0, 1))],
};

pub(super) static DATE_PL_INTERVAL: Function = Function {
    name: "date_pl_interval",
    purpose: "The timestamp an interval after a date begins: date + interval",
    example: "date_pl_interval('2024-01-31', '1 month 2 hours')",
    shows: "2024-02-29 02:00:00",
    overloads: &[Overload::new(&[DATE, INTERVAL], TIMESTAMP, |call| moved_by(call, 0, 1, false))],
};

pub(super) static DATE_MI_INTERVAL: Function = Function {
    name: "date_mi_interval",
    purpose: "The timestamp an interval before a date begins: date - interval",
    example: "date_mi_interval('2024-03-31', '1 month 2 hours')",
    shows: "2024-02-28 22:00:00",
    overloads: &[Overload::new(&[DATE, INTERVAL], TIMESTAMP, |call| moved_by(call, 0, 1, true))],
};

pub(super) static INTERVAL_PL_DATE: Function = Function {
    name: "interval_pl_date",
    purpose: "The timestamp an interval after a date begins: interval + date",
    example: "interval_pl_date('1 month', '2024-01-31')",
    shows: "2024-02-29 00:00:00",
    overloads: &[Overload::new(&[INTERVAL, DATE], TIMESTAMP, |call| moved_by(call, 1, 0, false))],
};

pub(super) static DATETIME_PL: Function = Function {
    name: "datetime_pl",
    purpose: "The timestamp of a date and a time of day: date + time",
    example: "datetime_pl('2024-05-06', '07:08:09')",
    shows: "2024-05-06 07:08:09",
    overloads: &[Overload::new(&[DATE, TIME], TIMESTAMP, |call| with_time(call, 0, 1))],
};

pub(super) static TIMEDATE_PL: Function = Function {
    name: "timedate_pl",
    purpose: "The timestamp of a time of day and a date: time + date",
    example: "timedate_pl('07:08:09', '2024-05-06')",
    shows: "2024-05-06 07:08:09",
    overloads: &[Overload::new(&[TIME, DATE], TIMESTAMP, |call| with_time(call, 1, 0))],
};

fn days_between(call: &Call<'_>) -> Result<ArrayRef> {
    let (later, earlier) = (call.dates(0)?, call.dates(1)?);
    call.int4_of(|row| {
        let (later, earlier) = (later.value(row), earlier.value(row));
        if is_infinite_date(later) || is_infinite_date(earlier) {
            return Err(endless("dates"));
        }
        let days = later.checked_sub(earlier);
        days.map(Some).ok_or_else(|| Failure::new(Fault::NumericOutOfRange, "integer out of range"))
    })
}

fn days_later(call: &Call<'_>, date: usize, days: usize, sign: i64) -> Result<ArrayRef> {
    let (dates, days) = (call.dates(date)?, call.int4s(days)?);
    call.date_of(|row| {
        let date = dates.value(row);
        if is_infinite_date(date) {
            return Ok(Some(date));
        }
        let moved = i64::from(date) + sign * i64::from(days.value(row));
        let moved = moved::day(moved).and_then(|day| i32::try_from(day).ok());
        moved.map(Some).ok_or_else(|| out_of_range("date"))
    })
}

fn moved_by(call: &Call<'_>, date: usize, by: usize, is_back: bool) -> Result<ArrayRef> {
    let dates = call.dates(date)?;
    each_moved(call, by, |call, by| {
        call.timestamp_of(|row| {
            let by = if is_back { moved::back(by(row)) } else { Some(by(row)) };
            let moved = moved::begins(dates.value(row)).zip(by).and_then(|(begins, by)| moved::local(begins, by));
            moved.map(Some).ok_or_else(|| out_of_range("timestamp"))
        })
    })
}

fn with_time(call: &Call<'_>, date: usize, time: usize) -> Result<ArrayRef> {
    let (dates, times) = (call.dates(date)?, call.times(time)?);
    call.timestamp_of(|row| {
        let moment = moved::on_day(dates.value(row), times.value(row));
        moment.map(Some).ok_or_else(|| out_of_range("timestamp"))
    })
}

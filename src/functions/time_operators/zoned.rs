//! Times of day on the clocks of zones, with intervals added to them, past midnight, and with dates.

use arrow::array::ArrayRef;

use super::{
    each_moved,
    moved::{self, MICROS_A_DAY},
    out_of_range,
};
use crate::{
    fault::Result,
    functions::{Call, Function, Overload},
    pgtype::{DATE, INTERVAL, TIMESTAMPTZ, TIMETZ, ZonedTime},
};

pub(super) static TIMETZ_PL_INTERVAL: Function = Function {
    name: "timetz_pl_interval",
    purpose: "The time of day an interval later: timetz + interval",
    example: "timetz_pl_interval('22:00-08', '1 day 03:00')",
    shows: "01:00:00-08",
    overloads: &[Overload::new(&[TIMETZ, INTERVAL], TIMETZ, |call| moved_by(call, 0, 1, false))],
};

pub(super) static TIMETZ_MI_INTERVAL: Function = Function {
    name: "timetz_mi_interval",
    purpose: "The time of day an interval earlier: timetz - interval",
    example: "timetz_mi_interval('01:00-08', '03:00')",
    shows: "22:00:00-08",
    overloads: &[Overload::new(&[TIMETZ, INTERVAL], TIMETZ, |call| moved_by(call, 0, 1, true))],
};

pub(super) static INTERVAL_PL_TIMETZ: Function = Function {
    name: "interval_pl_timetz",
    purpose: "The time of day an interval later: interval + timetz",
    example: "interval_pl_timetz('03:00', '22:00-08')",
    shows: "01:00:00-08",
    overloads: &[Overload::new(&[INTERVAL, TIMETZ], TIMETZ, |call| moved_by(call, 1, 0, false))],
};

pub(super) static DATETIMETZ_PL: Function = Function {
    name: "datetimetz_pl",
    purpose: "The instant of a date and a time of day with a zone: date + timetz",
    example: "datetimetz_pl('2024-05-06', '07:08:09+02')",
    shows: "2024-05-06 05:08:09+00",
    overloads: &[Overload::new(&[DATE, TIMETZ], TIMESTAMPTZ, |call| on_days(call, 0, 1))],
};

pub(super) static TIMETZDATE_PL: Function = Function {
    name: "timetzdate_pl",
    purpose: "The instant of a time of day with a zone and a date: timetz + date",
    example: "timetzdate_pl('07:08:09+02', '2024-05-06')",
    shows: "2024-05-06 05:08:09+00",
    overloads: &[Overload::new(&[TIMETZ, DATE], TIMESTAMPTZ, |call| on_days(call, 1, 0))],
};

/// Only the time of an interval moves one.
fn moved_by(call: &Call<'_>, time: usize, by: usize, is_back: bool) -> Result<ArrayRef> {
    let times = call.zoned_times(time)?;
    each_moved(call, by, |call, by| {
        call.zoned_time_of(|row| {
            let (time, by) = (times.value(row)?, by(row).micros % MICROS_A_DAY);
            let micros = (time.micros + if is_back { -by } else { by }).rem_euclid(MICROS_A_DAY);
            Ok(Some(ZonedTime { micros, ..time }))
        })
    })
}

fn on_days(call: &Call<'_>, date: usize, time: usize) -> Result<ArrayRef> {
    let (dates, times) = (call.dates(date)?, call.zoned_times(time)?);
    call.timestamp_of(|row| {
        let moment = moved::on_day(dates.value(row), times.value(row)?.utc());
        moment.map(Some).ok_or_else(|| out_of_range("timestamp"))
    })
}

//! Times of day: what lies between them, and intervals added to them, past midnight.

use arrow::array::ArrayRef;

use super::{each_moved, moved::MICROS_A_DAY, stored};
use crate::{
    fault::Result,
    functions::{Call, Function, Overload},
    pgtype::{INTERVAL, Span, TIME},
};

pub(super) static TIME_MI_TIME: Function = Function {
    name: "time_mi_time",
    purpose: "The interval from the second time of day to the first: time - time",
    example: "time_mi_time('09:00', '10:30')",
    shows: "-01:30:00",
    overloads: &[Overload::new(&[TIME, TIME], INTERVAL, between)],
};

pub(super) static TIME_PL_INTERVAL: Function = Function {
    name: "time_pl_interval",
    purpose: "The time of day an interval later: time + interval",
    example: "time_pl_interval('22:00', '1 day 03:00')",
    shows: "01:00:00",
    overloads: &[Overload::new(&[TIME, INTERVAL], TIME, |call| moved_by(call, 0, 1, false))],
};

pub(super) static TIME_MI_INTERVAL: Function = Function {
    name: "time_mi_interval",
    purpose: "The time of day an interval earlier: time - interval",
    example: "time_mi_interval('01:00', '03:00')",
    shows: "22:00:00",
    overloads: &[Overload::new(&[TIME, INTERVAL], TIME, |call| moved_by(call, 0, 1, true))],
};

pub(super) static INTERVAL_PL_TIME: Function = Function {
    name: "interval_pl_time",
    purpose: "The time of day an interval later: interval + time",
    example: "interval_pl_time('03:00', '22:00')",
    shows: "01:00:00",
    overloads: &[Overload::new(&[INTERVAL, TIME], TIME, |call| moved_by(call, 1, 0, false))],
};

fn between(call: &Call<'_>) -> Result<ArrayRef> {
    let (later, earlier) = (call.times(0)?, call.times(1)?);
    call.interval_of(|row| stored(Some(Span { micros: later.value(row) - earlier.value(row), ..Span::default() })))
}

/// Only the time of an interval moves one.
fn moved_by(call: &Call<'_>, time: usize, by: usize, is_back: bool) -> Result<ArrayRef> {
    let times = call.times(time)?;
    each_moved(call, by, |call, by| {
        call.time_of(|row| {
            let by = by(row).micros % MICROS_A_DAY;
            Ok(Some((times.value(row) + if is_back { -by } else { by }).rem_euclid(MICROS_A_DAY)))
        })
    })
}

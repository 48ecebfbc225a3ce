//! Times of day on the clocks of zones: those that times and instants are in a session, and rounded ones.

use arrow::array::ArrayRef;

use super::{
    calendar::{MICROS_PER_DAY, is_infinite, timestamp_out_of_range},
    digits::digits_within,
};
use crate::{
    fault::{Failure, Fault, Result},
    functions::{Call, Function, Overload, call::same},
    pgtype::{INT4, TIME, TIMESTAMPTZ, TIMETZ, Zone, ZonedTime},
};

pub(super) static TIMETZ_OF: Function = Function {
    name: "timetz",
    purpose: "The time of day with the distance to UTC of the session's clocks, or with so many digits of a second",
    example: "\"timetz\"(timetz '07:08:09.5-08', 0)",
    shows: "07:08:10-08",
    overloads: &[
        Overload::new(&[TIME], TIMETZ, of_times).stable(),
        Overload::new(&[TIMESTAMPTZ], TIMETZ, of_instants).stable(),
        Overload::new(&[TIMETZ, INT4], TIMETZ, with_digits),
        Overload::new(&[TIMETZ], TIMETZ, same),
    ],
};

/// Of a time of day, the clocks' distance is that of today.
fn of_times(call: &Call<'_>) -> Result<ArrayRef> {
    let (times, zone) = (call.times(0)?, Zone::of_session(call.zone()));
    let shown = zone.shown_at(now()).unwrap_or_default();
    let midnight = shown - shown.rem_euclid(MICROS_PER_DAY);
    call.zoned_time_of(|row| {
        let micros = times.value(row);
        let east = near(zone.seconds_where(midnight + micros))?;
        Ok(Some(ZonedTime { micros, east }))
    })
}

fn of_instants(call: &Call<'_>) -> Result<ArrayRef> {
    let (instants, zone) = (call.timestamps(0)?, Zone::of_session(call.zone()));
    call.zoned_time_of(|row| {
        let instant = instants.value(row);
        if is_infinite(instant) {
            return Ok(None);
        }
        let shown = zone.shown_at(instant).ok_or_else(timestamp_out_of_range)?;
        let east = near(zone.seconds_at(instant))?;
        Ok(Some(ZonedTime { micros: shown.rem_euclid(MICROS_PER_DAY), east }))
    })
}

fn with_digits(call: &Call<'_>) -> Result<ArrayRef> {
    let (times, numbers) = (call.zoned_times(0)?, call.int4s(1)?);
    call.zoned_time_of(|row| {
        let time = times.value(row)?;
        Ok(digits_within(numbers.value(row)).map_or(Some(time), |digits| time.rounded(digits)))
    })
}

/// The time by which the distances of clocks are told that depend on it, in microseconds since 1970.
pub(super) fn now() -> i64 {
    chrono::Utc::now().timestamp_micros()
}

/// A distance from UTC.
pub(super) fn near(seconds: i64) -> Result<i32> {
    i32::try_from(seconds).map_err(|_| Failure::new(Fault::ZoneOutOfRange, "time zone displacement out of range"))
}

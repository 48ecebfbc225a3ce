//! Dates, times and timestamps made of one another, as by casts: what the functions do that are called as their types are.

use arrow::array::ArrayRef;

use super::{
    calendar::{
        self, MICROS_PER_DAY, date_out_of_range, infinite_date, interval_out_of_range, is_infinite, is_infinite_date,
    },
    zones,
};
use crate::{
    fault::Result,
    functions::Call,
    pgtype::{Span, Zone},
};

/// The time of day of an interval, whose months and days do not count.
pub(super) fn time_of_intervals(call: &Call<'_>) -> Result<ArrayRef> {
    let intervals = call.intervals(0)?;
    call.time_of(|row| Ok(Some(Span::of(intervals.value(row)).micros.rem_euclid(MICROS_PER_DAY))))
}

pub(super) fn time_of_timestamps(call: &Call<'_>) -> Result<ArrayRef> {
    let timestamps = call.timestamps(0)?;
    call.time_of(|row| Ok(time_of(timestamps.value(row))))
}

pub(super) fn time_of_instants(call: &Call<'_>) -> Result<ArrayRef> {
    let (instants, zone) = (call.timestamps(0)?, Zone::of_session(call.zone()));
    call.time_of(|row| Ok(time_of(zones::shown_at(zone, instants.value(row))?)))
}

/// None of what is before or after all others.
fn time_of(shown: i64) -> Option<i64> {
    (!is_infinite(shown)).then(|| shown.rem_euclid(MICROS_PER_DAY))
}

pub(super) fn intervals_of_times(call: &Call<'_>) -> Result<ArrayRef> {
    let times = call.times(0)?;
    call.interval_of(|row| {
        let span = Span { months: 0, days: 0, micros: times.value(row) };
        span.arrow().map(Some).ok_or_else(interval_out_of_range)
    })
}

pub(super) fn timestamps_of_dates(call: &Call<'_>) -> Result<ArrayRef> {
    let dates = call.dates(0)?;
    call.timestamp_of(|row| moment(dates.value(row), 0).map(Some))
}

pub(super) fn timestamps_of_dates_and_times(call: &Call<'_>) -> Result<ArrayRef> {
    let (dates, times) = (call.dates(0)?, call.times(1)?);
    call.timestamp_of(|row| moment(dates.value(row), times.value(row)).map(Some))
}

pub(super) fn timestamps_of_instants(call: &Call<'_>) -> Result<ArrayRef> {
    let (instants, zone) = (call.timestamps(0)?, Zone::of_session(call.zone()));
    call.timestamp_of(|row| zones::shown_at(zone, instants.value(row)).map(Some))
}

pub(super) fn instants_of_timestamps(call: &Call<'_>) -> Result<ArrayRef> {
    let (timestamps, zone) = (call.timestamps(0)?, Zone::of_session(call.zone()));
    call.timestamp_of(|row| zones::instant_of(zone, timestamps.value(row)).map(Some))
}

pub(super) fn instants_of_dates(call: &Call<'_>) -> Result<ArrayRef> {
    let (dates, zone) = (call.dates(0)?, Zone::of_session(call.zone()));
    call.timestamp_of(|row| zones::instant_of(zone, moment(dates.value(row), 0)?).map(Some))
}

pub(super) fn instants_of_dates_and_times(call: &Call<'_>) -> Result<ArrayRef> {
    let (dates, times, zone) = (call.dates(0)?, call.times(1)?, Zone::of_session(call.zone()));
    call.timestamp_of(|row| zones::instant_of(zone, moment(dates.value(row), times.value(row))?).map(Some))
}

pub(super) fn instants_of_dates_and_zoned_times(call: &Call<'_>) -> Result<ArrayRef> {
    let (dates, times) = (call.dates(0)?, call.zoned_times(1)?);
    call.timestamp_of(|row| moment(dates.value(row), times.value(row)?.utc()).map(Some))
}

pub(super) fn dates_of_timestamps(call: &Call<'_>) -> Result<ArrayRef> {
    let timestamps = call.timestamps(0)?;
    call.date_of(|row| date_of(timestamps.value(row)).map(Some))
}

pub(super) fn dates_of_instants(call: &Call<'_>) -> Result<ArrayRef> {
    let (instants, zone) = (call.timestamps(0)?, Zone::of_session(call.zone()));
    call.date_of(|row| date_of(zones::shown_at(zone, instants.value(row))?).map(Some))
}

fn date_of(shown: i64) -> Result<i32> {
    if is_infinite(shown) {
        return Ok(infinite_date(shown < 0));
    }
    i32::try_from(shown.div_euclid(MICROS_PER_DAY)).map_err(|_| date_out_of_range())
}

/// So many microseconds after a day began.
fn moment(days: i32, micros: i64) -> Result<i64> {
    if is_infinite_date(days) {
        return Ok(calendar::infinite(days < 0));
    }
    calendar::timestamp(i128::from(days) * i128::from(MICROS_PER_DAY) + i128::from(micros))
}

//! Dates, times and timestamps made of one another, as by casts: what the functions do that are called as their types are.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, PrimitiveArray},
    datatypes::{ArrowPrimitiveType, DataType, Date32Type, TimeUnit, TimestampMicrosecondType},
};
use datafusion::{
    common::{Result as PlanResult, ScalarValue},
    logical_expr::{Expr, interval_arithmetic::Interval, preimage::PreimageResult, simplify::SimplifyContext},
};

use super::{
    calendar::{
        self, MICROS_PER_DAY, date_out_of_range, infinite_date, interval_out_of_range, is_infinite, is_infinite_date,
    },
    zones,
};
use crate::{
    fault::Result,
    functions::Call,
    interrupt::step,
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
    made::<_, TimestampMicrosecondType>(call, dates, |date| moment(date, 0))
}

pub(super) fn timestamps_of_dates_and_times(call: &Call<'_>) -> Result<ArrayRef> {
    let (dates, times) = (call.dates(0)?, call.times(1)?);
    call.timestamp_of(|row| moment(dates.value(row), times.value(row)).map(Some))
}

pub(super) fn timestamps_of_instants(call: &Call<'_>) -> Result<ArrayRef> {
    let (instants, zone) = (call.timestamps(0)?, Zone::of_session(call.zone()));
    made::<_, TimestampMicrosecondType>(call, instants, |instant| zones::shown_at(zone, instant))
}

pub(super) fn instants_of_timestamps(call: &Call<'_>) -> Result<ArrayRef> {
    let (timestamps, zone) = (call.timestamps(0)?, Zone::of_session(call.zone()));
    made::<_, TimestampMicrosecondType>(call, timestamps, |shown| zones::instant_of(zone, shown))
}

pub(super) fn instants_of_dates(call: &Call<'_>) -> Result<ArrayRef> {
    let (dates, zone) = (call.dates(0)?, Zone::of_session(call.zone()));
    made::<_, TimestampMicrosecondType>(call, dates, |date| zones::instant_of(zone, moment(date, 0)?))
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
    made::<_, Date32Type>(call, timestamps, date_of)
}

pub(super) fn dates_of_instants(call: &Call<'_>) -> Result<ArrayRef> {
    let (instants, zone) = (call.timestamps(0)?, Zone::of_session(call.zone()));
    made::<_, Date32Type>(call, instants, |instant| date_of(zones::shown_at(zone, instant)?))
}

/// The timestamps of which a date is the one: from where the day begins to where the next does.
pub(super) fn timestamps_of_day(
    arguments: &[Expr],
    value: &Expr,
    context: &SimplifyContext,
) -> PlanResult<PreimageResult> {
    let ([of], Expr::Literal(ScalarValue::Date32(Some(day)), _)) = (arguments, value) else {
        return Ok(PreimageResult::None);
    };
    let next = day.checked_add(1).filter(|next| ![*day, *next].into_iter().any(is_infinite_date));
    let bounds = next.and_then(|next| moment(*day, 0).ok().zip(moment(next, 0).ok()));
    // Those of other units are of files.
    let is_of_micros = context.get_data_type(of)? == DataType::Timestamp(TimeUnit::Microsecond, None);
    let Some((begins, ends)) = bounds.filter(|_| is_of_micros) else { return Ok(PreimageResult::None) };
    let at = |micros: i64| ScalarValue::TimestampMicrosecond(Some(micros), None);
    let interval = Box::new(Interval::try_new(at(begins), at(ends))?);
    Ok(PreimageResult::Range { expr: of.clone(), interval })
}

fn date_of(shown: i64) -> Result<i32> {
    if is_infinite(shown) {
        return Ok(infinite_date(shown < 0));
    }
    i32::try_from(shown.div_euclid(MICROS_PER_DAY)).map_err(|_| date_out_of_range())
}

/// What is made of each value of the only argument. It is called where tables are read, so that it makes no list of the values.
fn made<F: ArrowPrimitiveType, T: ArrowPrimitiveType>(
    call: &Call<'_>,
    values: &PrimitiveArray<F>,
    make: impl Fn(F::Native) -> Result<T::Native>,
) -> Result<ArrayRef> {
    let made: PrimitiveArray<T> = values.try_unary(|value| {
        step()?;
        make(value)
    })?;
    Ok(Arc::new(made.with_data_type(call.result().clone())))
}

/// So many microseconds after a day began.
fn moment(days: i32, micros: i64) -> Result<i64> {
    if is_infinite_date(days) {
        return Ok(calendar::infinite(days < 0));
    }
    calendar::timestamp(i128::from(days) * i128::from(MICROS_PER_DAY) + i128::from(micros))
}

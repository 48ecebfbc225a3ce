//! The functions behind PostgreSQL's operators on dates, times, timestamps and intervals, by their names in its catalog: `a - b`
//! of two timestamps is `timestamp_mi(a, b)`. Whoever plans an operator finds its function with [`of`].

mod dates;
mod find;
mod intervals;
mod moments;
mod moved;
mod overlaps;
mod scaled;
mod times;
mod zoned;

pub(crate) use find::{Kind, Sign, negated, of};
pub(super) use intervals::{added, less};
pub(super) use scaled::{divided, times};

use arrow::{array::ArrayRef, datatypes::IntervalMonthDayNano};

use super::{Call, Function};
use crate::{
    fault::{Failure, Fault, Result},
    pgtype::Span,
};

pub(super) const ROOM: &[&Function] = &[
    &dates::DATE_MI,
    &dates::DATE_PLI,
    &dates::DATE_MII,
    &dates::INTEGER_PL_DATE,
    &dates::DATE_PL_INTERVAL,
    &dates::DATE_MI_INTERVAL,
    &dates::INTERVAL_PL_DATE,
    &dates::DATETIME_PL,
    &dates::TIMEDATE_PL,
    &times::TIME_MI_TIME,
    &times::TIME_PL_INTERVAL,
    &times::TIME_MI_INTERVAL,
    &times::INTERVAL_PL_TIME,
    &moments::TIMESTAMP_MI,
    &moments::TIMESTAMP_PL_INTERVAL,
    &moments::TIMESTAMP_MI_INTERVAL,
    &moments::INTERVAL_PL_TIMESTAMP,
    &moments::TIMESTAMPTZ_MI,
    &moments::TIMESTAMPTZ_PL_INTERVAL,
    &moments::TIMESTAMPTZ_MI_INTERVAL,
    &moments::INTERVAL_PL_TIMESTAMPTZ,
    &intervals::INTERVAL_PL,
    &intervals::INTERVAL_MI,
    &intervals::INTERVAL_MUL,
    &intervals::MUL_D_INTERVAL,
    &intervals::INTERVAL_DIV,
    &intervals::INTERVAL_UM,
    &overlaps::OVERLAPS,
    &zoned::TIMETZ_PL_INTERVAL,
    &zoned::TIMETZ_MI_INTERVAL,
    &zoned::INTERVAL_PL_TIMETZ,
    &zoned::DATETIMETZ_PL,
    &zoned::TIMETZDATE_PL,
];

/// What PostgreSQL says where a value is beyond those of its type: `interval out of range`.
fn out_of_range(name: &str) -> Failure {
    Failure::new(Fault::DatetimeOutOfRange, format!("{name} out of range"))
}

/// What it says of the time between two of which one is before or after all others: `cannot subtract infinite dates`.
fn endless(name: &str) -> Failure {
    Failure::new(Fault::DatetimeOutOfRange, format!("cannot subtract infinite {name}"))
}

/// The interval that a span is.
pub(super) fn stored(span: Option<Span>) -> Result<Option<IntervalMonthDayNano>> {
    span.and_then(Span::arrow).map(Some).ok_or_else(|| out_of_range("interval"))
}

/// What each value of one argument becomes by the interval in another.
fn each_moved(
    call: &Call<'_>,
    by: usize,
    build: impl FnOnce(&Call<'_>, &dyn Fn(usize) -> Span) -> Result<ArrayRef>,
) -> Result<ArrayRef> {
    let intervals = call.intervals(by)?;
    build(call, &|row| Span::of(intervals.value(row)))
}

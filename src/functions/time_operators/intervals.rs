//! Intervals among themselves and times numbers.

use arrow::array::ArrayRef;

use super::{moved, scaled, stored};
use crate::{
    fault::{Failure, Fault, Result},
    functions::{Call, Function, Overload},
    pgtype::{FLOAT8, INTERVAL, Span},
};

pub(super) static INTERVAL_PL: Function = Function {
    name: "interval_pl",
    purpose: "The sum of two intervals: interval + interval",
    example: "interval_pl('1 month 20 days', '15 days 12:00')",
    shows: "1 mon 35 days 12:00:00",
    overloads: &[Overload::new(&[INTERVAL, INTERVAL], INTERVAL, sum)],
};

pub(super) static INTERVAL_MI: Function = Function {
    name: "interval_mi",
    purpose: "An interval less another: interval - interval",
    example: "interval_mi('1 month', '15 days 12:00')",
    shows: "1 mon -15 days -12:00:00",
    overloads: &[Overload::new(&[INTERVAL, INTERVAL], INTERVAL, difference)],
};

pub(super) static INTERVAL_MUL: Function = Function {
    name: "interval_mul",
    purpose: "An interval so many times: interval * number",
    example: "interval_mul('1 month 1 day', 1.5)",
    shows: "1 mon 16 days 12:00:00",
    overloads: &[Overload::new(&[INTERVAL, FLOAT8], INTERVAL, |call| times(call, 0, 1))],
};

pub(super) static MUL_D_INTERVAL: Function = Function {
    name: "mul_d_interval",
    purpose: "So many times an interval: number * interval",
    example: "mul_d_interval(2, '1 day 12:00')",
    shows: "2 days 24:00:00",
    overloads: &[Overload::new(&[FLOAT8, INTERVAL], INTERVAL, |call| times(call, 1, 0))],
};

pub(super) static INTERVAL_DIV: Function = Function {
    name: "interval_div",
    purpose: "A part of an interval: interval / number",
    example: "interval_div('1 month', 4)",
    shows: "7 days 12:00:00",
    overloads: &[Overload::new(&[INTERVAL, FLOAT8], INTERVAL, divided)],
};

pub(super) static INTERVAL_UM: Function = Function {
    name: "interval_um",
    purpose: "The interval the other way: - interval",
    example: "interval_um('1 day -02:00')",
    shows: "-1 days +02:00:00",
    overloads: &[Overload::new(&[INTERVAL], INTERVAL, negated)],
};

fn sum(call: &Call<'_>) -> Result<ArrayRef> {
    let (left, right) = (call.intervals(0)?, call.intervals(1)?);
    call.interval_of(|row| stored(added(Span::of(left.value(row)), Span::of(right.value(row)))))
}

fn difference(call: &Call<'_>) -> Result<ArrayRef> {
    let (left, right) = (call.intervals(0)?, call.intervals(1)?);
    call.interval_of(|row| stored(less(Span::of(left.value(row)), Span::of(right.value(row)))))
}

/// An interval less another; none if it is out of range.
pub(in crate::functions) fn less(left: Span, right: Span) -> Option<Span> {
    Some(Span {
        months: left.months.checked_sub(right.months)?,
        days: left.days.checked_sub(right.days)?,
        micros: left.micros.checked_sub(right.micros)?,
    })
}

/// The sum of two intervals; none if it is out of range.
pub(in crate::functions) fn added(left: Span, right: Span) -> Option<Span> {
    Some(Span {
        months: left.months.checked_add(right.months)?,
        days: left.days.checked_add(right.days)?,
        micros: left.micros.checked_add(right.micros)?,
    })
}

fn times(call: &Call<'_>, interval: usize, factor: usize) -> Result<ArrayRef> {
    let (intervals, factors) = (call.intervals(interval)?, call.float8s(factor)?);
    call.interval_of(|row| stored(scaled::times(Span::of(intervals.value(row)), factors.value(row))))
}

fn divided(call: &Call<'_>) -> Result<ArrayRef> {
    let (intervals, divisors) = (call.intervals(0)?, call.float8s(1)?);
    call.interval_of(|row| {
        let divisor = divisors.value(row);
        if divisor == 0.0 {
            return Err(Failure::new(Fault::DivisionByZero, "division by zero"));
        }
        stored(scaled::divided(Span::of(intervals.value(row)), divisor))
    })
}

fn negated(call: &Call<'_>) -> Result<ArrayRef> {
    let intervals = call.intervals(0)?;
    call.interval_of(|row| stored(moved::back(Span::of(intervals.value(row)))))
}

//! `(a, b) OVERLAPS (c, d)`: whether two spans of time have an instant in common, each from one end to the other, or as long as
//! an interval says.

use arrow::array::ArrayRef;

use super::{moved, moved::MICROS_A_DAY, out_of_range};
use crate::{
    fault::Result,
    functions::{Call, Function, Overload},
    pgtype::{BOOL, INTERVAL, PgType, Span, TIME, TIMESTAMP, TIMESTAMPTZ, TIMETZ, Zone},
};

/// An overload for each pair of ends, which are moments or intervals.
const fn overload(arguments: &'static [PgType], run: fn(&Call<'_>) -> Result<ArrayRef>) -> Overload {
    Overload::new(arguments, BOOL, run).called_on_null()
}

pub(super) static OVERLAPS: Function = Function {
    name: "overlaps",
    purpose: "Whether two spans of time have an instant in common",
    example: "\"overlaps\"(date '2024-02-16', date '2024-12-21', date '2024-10-30', date '2025-10-30')",
    shows: "true",
    overloads: &[
        overload(&[TIMESTAMPTZ, TIMESTAMPTZ, TIMESTAMPTZ, TIMESTAMPTZ], |call| of_instants(call, false, false))
            .stable(),
        overload(&[TIMESTAMPTZ, INTERVAL, TIMESTAMPTZ, INTERVAL], |call| of_instants(call, true, true)).stable(),
        overload(&[TIMESTAMPTZ, TIMESTAMPTZ, TIMESTAMPTZ, INTERVAL], |call| of_instants(call, false, true)).stable(),
        overload(&[TIMESTAMPTZ, INTERVAL, TIMESTAMPTZ, TIMESTAMPTZ], |call| of_instants(call, true, false)).stable(),
        overload(&[TIMESTAMP, TIMESTAMP, TIMESTAMP, TIMESTAMP], |call| of_timestamps(call, false, false)),
        overload(&[TIMESTAMP, INTERVAL, TIMESTAMP, INTERVAL], |call| of_timestamps(call, true, true)),
        overload(&[TIMESTAMP, TIMESTAMP, TIMESTAMP, INTERVAL], |call| of_timestamps(call, false, true)),
        overload(&[TIMESTAMP, INTERVAL, TIMESTAMP, TIMESTAMP], |call| of_timestamps(call, true, false)),
        overload(&[TIMETZ, TIMETZ, TIMETZ, TIMETZ], of_zoned_times),
        overload(&[TIME, TIME, TIME, TIME], |call| of_times(call, false, false)),
        overload(&[TIME, INTERVAL, TIME, INTERVAL], |call| of_times(call, true, true)),
        overload(&[TIME, TIME, TIME, INTERVAL], |call| of_times(call, false, true)),
        overload(&[TIME, INTERVAL, TIME, TIME], |call| of_times(call, true, false)),
    ],
};

fn of_instants(call: &Call<'_>, first_lasts: bool, second_lasts: bool) -> Result<ArrayRef> {
    let zone = Zone::of_session(call.zone());
    let moment = |at: usize, row: usize| -> Result<i64> { Ok(call.timestamps(at)?.value(row)) };
    let moved = |from: i64, by: Span| moved::instant(from, by, zone).ok_or_else(|| out_of_range("timestamp"));
    compared(call, [first_lasts, second_lasts], moment, moved)
}

fn of_timestamps(call: &Call<'_>, first_lasts: bool, second_lasts: bool) -> Result<ArrayRef> {
    let moment = |at: usize, row: usize| -> Result<i64> { Ok(call.timestamps(at)?.value(row)) };
    let moved = |from: i64, by: Span| moved::local(from, by).ok_or_else(|| out_of_range("timestamp"));
    compared(call, [first_lasts, second_lasts], moment, moved)
}

fn of_times(call: &Call<'_>, first_lasts: bool, second_lasts: bool) -> Result<ArrayRef> {
    let moment = |at: usize, row: usize| -> Result<i64> { Ok(call.times(at)?.value(row)) };
    let moved = |from: i64, by: Span| Ok((from + by.micros % MICROS_A_DAY).rem_euclid(MICROS_A_DAY));
    compared(call, [first_lasts, second_lasts], moment, moved)
}

/// Of times that are the same instant of a day, the one whose clock is further west comes later.
fn of_zoned_times(call: &Call<'_>) -> Result<ArrayRef> {
    let moment = |at: usize, row: usize| -> Result<i64> {
        let time = call.zoned_times(at)?.value(row)?;
        Ok(time.utc() * MORE_THAN_SECONDS_OF_CLOCKS - i64::from(time.east))
    };
    compared(call, [false, false], moment, |from, _| Ok(from))
}

/// Clocks are fewer seconds apart.
const MORE_THAN_SECONDS_OF_CLOCKS: i64 = 1 << 17;

fn compared(
    call: &Call<'_>,
    lasts: [bool; 2],
    moment: impl Fn(usize, usize) -> Result<i64>,
    moved: impl Fn(i64, Span) -> Result<i64>,
) -> Result<ArrayRef> {
    let known = |at: usize, row: usize| match call.is_null(at, row) {
        true => Ok(None),
        false => moment(at, row).map(Some),
    };
    let span = |at: usize, lasts: bool, row: usize| -> Result<[Option<i64>; 2]> {
        let start = known(at, row)?;
        if !lasts {
            return Ok([start, known(at + 1, row)?]);
        }
        let end = match start {
            Some(start) if !call.is_null(at + 1, row) => {
                Some(moved(start, Span::of(call.intervals(at + 1)?.value(row)))?)
            }
            _ => None,
        };
        Ok([start, end])
    };
    call.boolean_of(|row| Ok(overlap(span(0, lasts[0], row)?, span(2, lasts[1], row)?)))
}

/// Whether two spans overlap; none where that depends on an end that is not known.
fn overlap(one: [Option<i64>; 2], other: [Option<i64>; 2]) -> Option<bool> {
    let (start, end) = ordered(one)?;
    let (other_start, other_end) = ordered(other)?;
    if start == other_start {
        return end.and(other_end).map(|_| true);
    }
    let is_later = start > other_start;
    let (later, earlier_end, later_end) =
        if is_later { (start, other_end, end) } else { (other_start, end, other_end) };
    match earlier_end {
        Some(earlier_end) if later < earlier_end => Some(true),
        Some(_) => later_end.map(|_| false),
        None => None,
    }
}

/// The earlier end, which is the one that is known, and the later one.
fn ordered(ends: [Option<i64>; 2]) -> Option<(i64, Option<i64>)> {
    match ends {
        [Some(one), Some(other)] => Some((one.min(other), Some(one.max(other)))),
        [Some(one), None] | [None, Some(one)] => Some((one, None)),
        [None, None] => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PostgreSQL 15: SELECT (timestamp 'epoch' + 1 * interval '1 s', …) OVERLAPS (…).
    #[test]
    fn spans_overlap_as_postgresql_says() {
        for (one, other, expected) in [
            ([Some(3), Some(2)], [Some(1), Some(3)], Some(true)),
            ([Some(3), Some(1)], [Some(3), Some(1)], Some(true)),
            ([Some(2), None], [Some(3), Some(3)], None),
            ([Some(3), Some(1)], [Some(2), Some(3)], Some(true)),
            ([Some(3), Some(2)], [Some(3), None], None),
            ([Some(3), None], [Some(1), Some(3)], None),
            ([Some(1), Some(3)], [Some(1), Some(3)], Some(true)),
            ([Some(1), Some(3)], [None, Some(3)], None),
            ([Some(2), None], [None, Some(2)], None),
            ([Some(3), Some(1)], [Some(2), Some(2)], Some(true)),
            ([Some(2), Some(1)], [Some(1), Some(2)], Some(true)),
            ([None, Some(3)], [None, None], None),
            ([None, Some(2)], [Some(3), Some(3)], None),
            ([Some(3), None], [Some(3), Some(1)], None),
            ([Some(2), None], [None, Some(3)], None),
            ([Some(1), Some(3)], [Some(2), Some(1)], Some(true)),
            ([Some(2), Some(2)], [None, Some(1)], None),
            ([Some(2), Some(1)], [Some(3), Some(1)], Some(true)),
            ([Some(3), None], [Some(2), Some(3)], None),
            ([Some(3), Some(3)], [None, Some(3)], None),
            ([None, Some(1)], [Some(2), None], None),
            ([Some(1), Some(3)], [None, Some(2)], Some(true)),
            ([Some(1), None], [Some(3), Some(1)], None),
            ([None, Some(2)], [Some(1), None], None),
            ([None, Some(1)], [Some(1), Some(3)], None),
            ([Some(2), None], [Some(2), Some(1)], None),
            ([Some(3), None], [Some(3), Some(3)], None),
            ([Some(3), Some(2)], [None, Some(3)], None),
            ([Some(2), Some(3)], [None, Some(1)], None),
            ([Some(2), Some(2)], [None, Some(2)], None),
            ([None, None], [Some(2), Some(2)], None),
            ([Some(2), Some(1)], [Some(2), None], None),
            ([Some(1), Some(2)], [Some(1), Some(1)], Some(true)),
            ([Some(3), Some(3)], [Some(2), None], None),
            ([Some(2), Some(2)], [Some(1), Some(3)], Some(true)),
            ([Some(2), Some(3)], [Some(3), Some(1)], Some(true)),
            ([Some(1), Some(2)], [Some(2), Some(3)], Some(false)),
            ([Some(1), Some(1)], [Some(1), Some(1)], Some(true)),
            ([Some(1), Some(3)], [Some(2), None], Some(true)),
            ([None, Some(1)], [Some(1), None], None),
        ] {
            assert_eq!(overlap(one, other), expected, "{one:?} {other:?}");
        }
    }
}

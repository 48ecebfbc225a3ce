//! Timestamps: what lies between them, and intervals added to them. Those with a zone are moved by the session's clocks.

use arrow::array::ArrayRef;

use super::{each_moved, endless, moved, out_of_range, stored};
use crate::{
    fault::Result,
    functions::{Call, Function, Overload},
    pgtype::{INTERVAL, TIMESTAMP, TIMESTAMPTZ, Zone, calendar::is_infinite},
};

pub(super) static TIMESTAMP_MI: Function = Function {
    name: "timestamp_mi",
    purpose: "The days and the time from the second timestamp to the first: timestamp - timestamp",
    example: "timestamp_mi('2024-03-01 05:30', '2024-02-01')",
    shows: "29 days 05:30:00",
    overloads: &[Overload::new(&[TIMESTAMP, TIMESTAMP], INTERVAL, between)],
};

pub(super) static TIMESTAMP_PL_INTERVAL: Function = Function {
    name: "timestamp_pl_interval",
    purpose: "The timestamp an interval later: timestamp + interval",
    example: "timestamp_pl_interval('2024-01-31 12:00', '1 month')",
    shows: "2024-02-29 12:00:00",
    overloads: &[Overload::new(&[TIMESTAMP, INTERVAL], TIMESTAMP, |call| moved_by(call, 0, 1, false))],
};

pub(super) static TIMESTAMP_MI_INTERVAL: Function = Function {
    name: "timestamp_mi_interval",
    purpose: "The timestamp an interval earlier: timestamp - interval",
    example: "timestamp_mi_interval('2024-03-31 12:00', '1 month')",
    shows: "2024-02-29 12:00:00",
    overloads: &[Overload::new(&[TIMESTAMP, INTERVAL], TIMESTAMP, |call| moved_by(call, 0, 1, true))],
};

pub(super) static INTERVAL_PL_TIMESTAMP: Function = Function {
    name: "interval_pl_timestamp",
    purpose: "The timestamp an interval later: interval + timestamp",
    example: "interval_pl_timestamp('1 day', '2024-02-28 12:00')",
    shows: "2024-02-29 12:00:00",
    overloads: &[Overload::new(&[INTERVAL, TIMESTAMP], TIMESTAMP, |call| moved_by(call, 1, 0, false))],
};

pub(super) static TIMESTAMPTZ_MI: Function = Function {
    name: "timestamptz_mi",
    purpose: "The days and the time from the second instant to the first: timestamptz - timestamptz",
    example: "timestamptz_mi('2024-03-01 05:30+00', '2024-02-01+00')",
    shows: "29 days 05:30:00",
    overloads: &[Overload::new(&[TIMESTAMPTZ, TIMESTAMPTZ], INTERVAL, between)],
};

pub(super) static TIMESTAMPTZ_PL_INTERVAL: Function = Function {
    name: "timestamptz_pl_interval",
    purpose: "The instant an interval later, by the session's clocks: timestamptz + interval",
    example: "timestamptz_pl_interval('2024-01-31 12:00+00', '1 month')",
    shows: "2024-02-29 12:00:00+00",
    overloads: &[Overload::new(&[TIMESTAMPTZ, INTERVAL], TIMESTAMPTZ, |call| moved_in_zone(call, 0, 1, false)).stable()],
};

pub(super) static TIMESTAMPTZ_MI_INTERVAL: Function = Function {
    name: "timestamptz_mi_interval",
    purpose: "The instant an interval earlier, by the session's clocks: timestamptz - interval",
    example: "timestamptz_mi_interval('2024-03-31 12:00+00', '1 month')",
    shows: "2024-02-29 12:00:00+00",
    overloads: &[Overload::new(&[TIMESTAMPTZ, INTERVAL], TIMESTAMPTZ, |call| moved_in_zone(call, 0, 1, true)).stable()],
};

pub(super) static INTERVAL_PL_TIMESTAMPTZ: Function = Function {
    name: "interval_pl_timestamptz",
    purpose: "The instant an interval later, by the session's clocks: interval + timestamptz",
    example: "interval_pl_timestamptz('1 day', '2024-02-28 12:00+00')",
    shows: "2024-02-29 12:00:00+00",
    overloads: &[Overload::new(&[INTERVAL, TIMESTAMPTZ], TIMESTAMPTZ, |call| moved_in_zone(call, 1, 0, false)).stable()],
};

fn between(call: &Call<'_>) -> Result<ArrayRef> {
    let (later, earlier) = (call.timestamps(0)?, call.timestamps(1)?);
    call.interval_of(|row| {
        let (later, earlier) = (later.value(row), earlier.value(row));
        if is_infinite(later) || is_infinite(earlier) {
            return Err(endless("timestamps"));
        }
        stored(moved::between(later, earlier))
    })
}

fn moved_by(call: &Call<'_>, at: usize, by: usize, is_back: bool) -> Result<ArrayRef> {
    let timestamps = call.timestamps(at)?;
    each_moved(call, by, |call, by| {
        call.timestamp_of(|row| {
            let by = if is_back { moved::back(by(row)) } else { Some(by(row)) };
            let moved = by.and_then(|by| moved::local(timestamps.value(row), by));
            moved.map(Some).ok_or_else(|| out_of_range("timestamp"))
        })
    })
}

fn moved_in_zone(call: &Call<'_>, at: usize, by: usize, is_back: bool) -> Result<ArrayRef> {
    let instants = call.timestamps(at)?;
    let zone = Zone::of_session(call.zone());
    each_moved(call, by, |call, by| {
        call.timestamp_of(|row| {
            let by = if is_back { moved::back(by(row)) } else { Some(by(row)) };
            let moved = by.and_then(|by| moved::instant(instants.value(row), by, zone));
            moved.map(Some).ok_or_else(|| out_of_range("timestamp"))
        })
    })
}

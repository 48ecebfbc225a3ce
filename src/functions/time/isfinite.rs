//! `isfinite`: whether a time is not before or after all others.
//!
//! ```sql
//! SELECT count(*) FROM contracts WHERE isfinite(valid_to)
//! ```

use arrow::array::ArrayRef;

use super::calendar::{is_infinite, is_infinite_date};
use crate::{
    fault::Result,
    functions::{Call, Function, Overload},
    pgtype::{BOOL, DATE, INTERVAL, TIMESTAMP, TIMESTAMPTZ},
};

pub(super) static ISFINITE: Function = Function {
    name: "isfinite",
    purpose: "Whether the time is not before or after all others",
    example: "isfinite(date '2024-02-29')",
    shows: "true",
    overloads: &[
        Overload::new(&[DATE], BOOL, of_dates),
        Overload::new(&[TIMESTAMP], BOOL, of_timestamps),
        Overload::new(&[TIMESTAMPTZ], BOOL, of_timestamps),
        // All intervals are.
        Overload::new(&[INTERVAL], BOOL, |call| call.boolean_of(|_row| Ok(Some(true)))),
    ],
};

fn of_dates(call: &Call<'_>) -> Result<ArrayRef> {
    let dates = call.dates(0)?;
    call.boolean_of(|row| Ok(Some(!is_infinite_date(dates.value(row)))))
}

fn of_timestamps(call: &Call<'_>) -> Result<ArrayRef> {
    let timestamps = call.timestamps(0)?;
    call.boolean_of(|row| Ok(Some(!is_infinite(timestamps.value(row)))))
}

//! `trim_array`: an array without its last elements.

use arrow::array::ArrayRef;

use super::lists::{Builder, Lists};
use crate::{
    fault::{Failure, Fault, Result},
    functions::{Call, Function, Overload},
    pgtype::{ANYARRAY, INT4},
};

pub(super) static TRIM_ARRAY: Function = Function {
    name: "trim_array",
    purpose: "The array without so many elements at its end",
    example: "trim_array(ARRAY[1, 2, 3, 4], 2)",
    shows: "{1,2}",
    overloads: &[Overload::new(&[ANYARRAY, INT4], ANYARRAY, trim)],
};

fn trim(call: &Call<'_>) -> Result<ArrayRef> {
    let (lists, counts) = (Lists::of(call.argument(0)?)?, call.int4s(1)?);
    let mut builder = Builder::new(call.result());
    for row in 0..call.rows() {
        let Some(mut array) = lists.array(row).filter(|_| !call.is_null(1, row)) else {
            builder.push_null();
            continue;
        };
        lists.check_box(row)?;
        let length = array.dimensions.first().copied().unwrap_or(0);
        let kept = usize::try_from(counts.value(row)).ok().and_then(|count| length.checked_sub(count));
        let Some(kept) = kept else {
            let message = format!("number of elements to trim must be between 0 and {length}");
            return Err(Failure::new(Fault::ArraySubscript, message));
        };
        if let Some(first) = array.dimensions.first_mut() {
            *first = kept;
        }
        let count: usize = array.dimensions.iter().product();
        let count = if array.is_empty() { 0 } else { count };
        builder.push(array.dimensions, array.elements.take(count).map(|at| (0, at)))?;
    }
    builder.finish(&[&lists.leaves])
}

//! `array_matching` and `array_accumulated`: what `ARRAY[…]` and `array_agg` of arrays are checked by.

use arrow::array::ArrayRef;

use super::lists::{Builder, Lists};
use crate::{
    fault::{Failure, Fault, Result},
    functions::{Call, Function, Overload},
    pgtype::ANYARRAY,
};

pub(crate) static ARRAY_MATCHING: Function = Function {
    name: "array_matching",
    purpose: "The array, if the arrays in it are equally long; nothing but NULL and empty ones are an empty array",
    example: "array_matching(ARRAY[[1, 2], [3, 4]])",
    shows: "{{1,2},{3,4}}",
    overloads: &[Overload::new(&[ANYARRAY], ANYARRAY, matching)],
};

pub(crate) static ARRAY_ACCUMULATED: Function = Function {
    name: "array_accumulated",
    purpose: "The array, if the arrays in it are equally long and neither NULL nor empty",
    example: "array_accumulated(ARRAY[[1, 2], [3, 4]])",
    shows: "{{1,2},{3,4}}",
    overloads: &[Overload::new(&[ANYARRAY], ANYARRAY, accumulated)],
};

fn matching(call: &Call<'_>) -> Result<ArrayRef> {
    checked(call, Lists::check_box)
}

fn accumulated(call: &Call<'_>) -> Result<ArrayRef> {
    checked(call, |lists, row| {
        let (has_null, has_empty) = lists.within(row);
        if has_null {
            return Err(Failure::new(Fault::NullNotAllowed, "cannot accumulate null arrays"));
        }
        let unequal = |message| Failure::new(Fault::ArraySubscript, message);
        if has_empty {
            return Err(unequal("cannot accumulate empty arrays"));
        }
        lists.check_box(row).map_err(|_| unequal("cannot accumulate arrays of different dimensionality"))
    })
}

fn checked(call: &Call<'_>, check: fn(&Lists, usize) -> Result<()>) -> Result<ArrayRef> {
    let lists = Lists::of(call.argument(0)?)?;
    let mut builder = Builder::new(call.result());
    for row in 0..call.rows() {
        let Some(array) = lists.array(row) else {
            builder.push_null();
            continue;
        };
        check(&lists, row)?;
        builder.push(array.dimensions, array.elements.map(|at| (0, at)))?;
    }
    builder.finish(&[&lists.leaves])
}

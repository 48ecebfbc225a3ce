//! `array_remove` and `array_replace`: arrays without an element, or with another in its place. NULL is equal to NULL.

use arrow::array::ArrayRef;

use super::lists::{Builder, Lists, comparing};
use crate::{
    fault::{Failure, Fault, Result},
    functions::{Call, Function, Overload},
    interrupt::step,
    pgtype::{ANYCOMPATIBLE, ANYCOMPATIBLEARRAY},
};

pub(super) static ARRAY_REMOVE: Function = Function {
    name: "array_remove",
    purpose: "The array without all elements that are equal to the value",
    example: "array_remove(ARRAY[1, 2, 1], 1)",
    shows: "{2}",
    overloads: &[Overload::new(&[ANYCOMPATIBLEARRAY, ANYCOMPATIBLE], ANYCOMPATIBLEARRAY, remove).called_on_null()],
};

pub(super) static ARRAY_REPLACE: Function = Function {
    name: "array_replace",
    purpose: "The array with the third argument in the place of all elements that are equal to the second",
    example: "array_replace(ARRAY[1, 2, 1], 1, 9)",
    shows: "{9,2,9}",
    overloads: &[Overload::new(&[ANYCOMPATIBLEARRAY, ANYCOMPATIBLE, ANYCOMPATIBLE], ANYCOMPATIBLEARRAY, replace)
        .called_on_null()],
};

fn remove(call: &Call<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(call.argument(0)?)?;
    let compare = comparing(&lists.leaves, call.argument(1)?)?;
    let mut builder = Builder::new(call.result());
    for row in 0..call.rows() {
        let Some(array) = lists.array(row) else {
            builder.push_null();
            continue;
        };
        if array.dimensions.len() > 1 {
            let message = "removing elements from multidimensional arrays is not supported";
            return Err(Failure::new(Fault::FeatureNotSupported, message));
        }
        let mut kept = Vec::new();
        for element in array.elements {
            step()?;
            if compare(element, row).is_ne() {
                kept.push(element);
            }
        }
        builder.push(vec![kept.len()], kept.into_iter().map(|at| (0, at)))?;
    }
    builder.finish(&[&lists.leaves])
}

fn replace(call: &Call<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(call.argument(0)?)?;
    let compare = comparing(&lists.leaves, call.argument(1)?)?;
    let mut builder = Builder::new(call.result());
    for row in 0..call.rows() {
        let Some(array) = lists.array(row) else {
            builder.push_null();
            continue;
        };
        lists.check_box(row)?;
        let picked = |element: usize| if compare(element, row).is_eq() { (1, row) } else { (0, element) };
        builder.push(array.dimensions, array.elements.map(picked))?;
    }
    builder.finish(&[&lists.leaves, call.argument(2)?])
}

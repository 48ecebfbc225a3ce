//! `arraycontains`, `arraycontained` and `arrayoverlap`: what the operators `@>`, `<@` and `&&` are between arrays. NULL is
//! in no array.

use std::ops::Range;

use arrow::{
    array::{Array as _, ArrayRef},
    buffer::NullBuffer,
};

use super::lists::{Lists, comparing};
use crate::{
    fault::Result,
    functions::{Call, Function, Overload},
    pgtype::{ANYARRAY, BOOL},
};

pub(crate) static ARRAYCONTAINS: Function = Function {
    name: "arraycontains",
    purpose: "Whether all elements of the second array are in the first",
    example: "arraycontains(ARRAY[1, 2, 3], ARRAY[3, 1])",
    shows: "true",
    overloads: &[Overload::new(&[ANYARRAY, ANYARRAY], BOOL, |call| contained(call, 1, 0))],
};

pub(crate) static ARRAYCONTAINED: Function = Function {
    name: "arraycontained",
    purpose: "Whether all elements of the first array are in the second",
    example: "arraycontained(ARRAY[1, 4], ARRAY[1, 2, 3])",
    shows: "false",
    overloads: &[Overload::new(&[ANYARRAY, ANYARRAY], BOOL, |call| contained(call, 0, 1))],
};

pub(crate) static ARRAYOVERLAP: Function = Function {
    name: "arrayoverlap",
    purpose: "Whether an element of the first array is in the second",
    example: "arrayoverlap(ARRAY[1, 4], ARRAY[1, 2, 3])",
    shows: "true",
    overloads: &[Overload::new(&[ANYARRAY, ANYARRAY], BOOL, overlap)],
};

/// Whether all elements of one argument are in another.
fn contained(call: &Call<'_>, inner: usize, outer: usize) -> Result<ArrayRef> {
    compared(call, inner, outer, |mut elements, is_in| elements.all(is_in))
}

fn overlap(call: &Call<'_>) -> Result<ArrayRef> {
    compared(call, 0, 1, |mut elements, is_in| elements.any(is_in))
}

/// What is told of the elements of one argument, and of whether one of them is in another.
fn compared(
    call: &Call<'_>,
    inner: usize,
    outer: usize,
    told: fn(Range<usize>, &mut dyn FnMut(usize) -> bool) -> bool,
) -> Result<ArrayRef> {
    let (inner, outer) = (Lists::of(call.argument(inner)?)?, Lists::of(call.argument(outer)?)?);
    let compare = comparing(&inner.leaves, &outer.leaves)?;
    let (of_inner, of_outer) = (inner.leaves.logical_nulls(), outer.leaves.logical_nulls());
    let is_null = |nulls: Option<&NullBuffer>, at: usize| nulls.is_some_and(|nulls| nulls.is_null(at));
    call.boolean_of(|row| {
        let (Some(inner), Some(outer)) = (inner.array(row), outer.array(row)) else { return Ok(None) };
        let mut is_in = |element: usize| {
            !is_null(of_inner.as_ref(), element)
                && outer
                    .elements
                    .clone()
                    .any(|other| !is_null(of_outer.as_ref(), other) && compare(element, other).is_eq())
        };
        Ok(Some(told(inner.elements, &mut is_in)))
    })
}

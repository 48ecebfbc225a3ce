//! How long arrays are, and in how many dimensions: `array_length`, `cardinality` and the like.

use std::fmt::Write;

use arrow::array::ArrayRef;

use super::lists::{Array, Builder, Lists};
use crate::{
    fault::{Failure, Fault, Result},
    functions::{Call, Function, Overload},
    pgtype::{ANYARRAY, BOOL, INT4, INT4_ARRAY, TEXT},
};

pub(super) static ARRAY_DIMS: Function = Function {
    name: "array_dims",
    purpose: "The places of each dimension of the array, as text",
    example: "array_dims(ARRAY[[1, 2, 3], [4, 5, 6]])",
    shows: "[1:2][1:3]",
    overloads: &[Overload::new(&[ANYARRAY], TEXT, dims)],
};

pub(super) static ARRAY_NDIMS: Function = Function {
    name: "array_ndims",
    purpose: "The number of dimensions of the array",
    example: "array_ndims(ARRAY[[1, 2, 3], [4, 5, 6]])",
    shows: "2",
    overloads: &[Overload::new(&[ANYARRAY], INT4, ndims)],
};

/// With an array alone it is the length of its first dimension, as other engines have it.
pub(super) static ARRAY_LENGTH: Function = Function {
    name: "array_length",
    purpose: "The length of a dimension of the array",
    example: "array_length(ARRAY[1, 2, 3], 1)",
    shows: "3",
    overloads: &[Overload::new(&[ANYARRAY, INT4], INT4, upper), Overload::new(&[ANYARRAY], INT4, length)],
};

pub(super) static ARRAY_LOWER: Function = Function {
    name: "array_lower",
    purpose: "The first place of a dimension of the array, which is 1",
    example: "array_lower(ARRAY[1, 2, 3], 1)",
    shows: "1",
    overloads: &[Overload::new(&[ANYARRAY, INT4], INT4, lower)],
};

pub(super) static ARRAY_UPPER: Function = Function {
    name: "array_upper",
    purpose: "The last place of a dimension of the array",
    example: "array_upper(ARRAY[1, 2, 3], 1)",
    shows: "3",
    overloads: &[Overload::new(&[ANYARRAY, INT4], INT4, upper)],
};

pub(super) static CARDINALITY: Function = Function {
    name: "cardinality",
    purpose: "The number of elements of the array in all dimensions",
    example: "cardinality(ARRAY[[1, 2, 3], [4, 5, 6]])",
    shows: "6",
    overloads: &[Overload::new(&[ANYARRAY], INT4, cardinality)],
};

/// In a SELECT list or in FROM it is a row for each.
pub(super) static GENERATE_SUBSCRIPTS: Function = Function {
    name: "generate_subscripts",
    purpose: "The places of a dimension of the array, from the last on if the third argument is true",
    example: "(SELECT array_agg(s) FROM generate_subscripts(ARRAY['a', 'b', 'c'], 1, true) AS s)",
    shows: "{3,2,1}",
    overloads: &[
        Overload::new(&[ANYARRAY, INT4], INT4_ARRAY, subscripts),
        Overload::new(&[ANYARRAY, INT4, BOOL], INT4_ARRAY, subscripts),
    ],
};

fn dims(call: &Call<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(call.argument(0)?)?;
    call.text_of(|row| {
        let Some(array) = filled(&lists, row) else { return Ok(None) };
        Ok(Some(array.dimensions.iter().fold(String::new(), |mut text, length| {
            // A text is written to without fail.
            _ = write!(text, "[1:{length}]");
            text
        })))
    })
}

fn ndims(call: &Call<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(call.argument(0)?)?;
    call.int4_of(|row| filled(&lists, row).map(|array| number(array.dimensions.len())).transpose())
}

fn length(call: &Call<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(call.argument(0)?)?;
    call.int4_of(|row| {
        let length = lists.array(row).map(|array| array.dimensions.first().copied().unwrap_or(0));
        length.map(number).transpose()
    })
}

fn lower(call: &Call<'_>) -> Result<ArrayRef> {
    let (lists, wanted) = (Lists::of(call.argument(0)?)?, call.int4s(1)?);
    call.int4_of(|row| Ok(dimension(&lists, row, wanted.value(row)).map(|_| 1)))
}

fn upper(call: &Call<'_>) -> Result<ArrayRef> {
    let (lists, wanted) = (Lists::of(call.argument(0)?)?, call.int4s(1)?);
    call.int4_of(|row| dimension(&lists, row, wanted.value(row)).map(number).transpose())
}

fn cardinality(call: &Call<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(call.argument(0)?)?;
    call.int4_of(|row| lists.array(row).map(|array| number(array.elements.len())).transpose())
}

fn subscripts(call: &Call<'_>) -> Result<ArrayRef> {
    let (lists, wanted) = (Lists::of(call.argument(0)?)?, call.int4s(1)?);
    let reversed = if call.len() > 2 { Some(call.booleans(2)?) } else { None };
    let mut builder = Builder::new(call.result());
    let mut longest = 0;
    for row in 0..call.rows() {
        let is_null = (0..call.len()).any(|at| call.is_null(at, row));
        match dimension(&lists, row, wanted.value(row)).filter(|_| !is_null) {
            None => builder.push_null(),
            Some(length) => {
                longest = longest.max(length);
                match reversed.is_some_and(|reversed| reversed.value(row)) {
                    true => builder.push(vec![length], (0..length).rev().map(|at| (0, at)))?,
                    false => builder.push(vec![length], (0..length).map(|at| (0, at)))?,
                }
            }
        }
    }
    let places: arrow::array::Int32Array = (1..=number(longest)?).collect();
    let places: ArrayRef = std::sync::Arc::new(places);
    builder.finish(&[&places])
}

/// The array of a row, if it has elements.
fn filled(lists: &Lists, row: usize) -> Option<Array> {
    lists.array(row).filter(|array| !array.is_empty())
}

/// The length of a dimension, of which the first is 1.
fn dimension(lists: &Lists, row: usize, wanted: i32) -> Option<usize> {
    let at = usize::try_from(wanted).ok()?.checked_sub(1)?;
    lists.array(row)?.dimensions.get(at).copied()
}

fn number(count: usize) -> Result<i32> {
    i32::try_from(count).map_err(|_| Failure::new(Fault::LimitExceeded, "an array has too many elements"))
}

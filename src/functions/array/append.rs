//! `array_append`, `array_prepend` and `array_cat`: longer arrays; what the operator `||` is between arrays.

use arrow::array::ArrayRef;

use super::lists::{Array, Builder, Lists};
use crate::{
    fault::{Failure, Fault, Result},
    functions::{Call, Function, Overload},
    pgtype::{ANYCOMPATIBLE, ANYCOMPATIBLEARRAY},
};

pub(crate) static ARRAY_APPEND: Function = Function {
    name: "array_append",
    purpose: "The array with an element behind its last",
    example: "array_append(ARRAY[1, 2], 3)",
    shows: "{1,2,3}",
    overloads: &[Overload::new(&[ANYCOMPATIBLEARRAY, ANYCOMPATIBLE], ANYCOMPATIBLEARRAY, append).called_on_null()],
};

pub(crate) static ARRAY_PREPEND: Function = Function {
    name: "array_prepend",
    purpose: "The array with an element before its first",
    example: "array_prepend(1, ARRAY[2, 3])",
    shows: "{1,2,3}",
    overloads: &[Overload::new(&[ANYCOMPATIBLE, ANYCOMPATIBLEARRAY], ANYCOMPATIBLEARRAY, prepend).called_on_null()],
};

pub(crate) static ARRAY_CAT: Function = Function {
    name: "array_cat",
    purpose: "The elements of one array behind those of another",
    example: "array_cat(ARRAY[1, 2], ARRAY[3])",
    shows: "{1,2,3}",
    overloads: &[Overload::new(&[ANYCOMPATIBLEARRAY, ANYCOMPATIBLEARRAY], ANYCOMPATIBLEARRAY, cat).called_on_null()],
};

/// Where elements come from: the first argument or the second.
const LEFT: usize = 0;
const RIGHT: usize = 1;

fn append(call: &Call<'_>) -> Result<ArrayRef> {
    let (lists, value) = (Lists::of(call.argument(0)?)?, call.argument(1)?);
    let mut builder = Builder::new(call.result());
    for row in 0..call.rows() {
        let elements = of_one_dimension(lists.array(row))?.map(|at| (LEFT, at));
        builder.push(vec![elements.len() + 1], elements.chain([(RIGHT, row)]))?;
    }
    builder.finish(&[&lists.leaves, value])
}

fn prepend(call: &Call<'_>) -> Result<ArrayRef> {
    let (value, lists) = (call.argument(0)?, Lists::of(call.argument(1)?)?);
    let mut builder = Builder::new(call.result());
    for row in 0..call.rows() {
        let elements = of_one_dimension(lists.array(row))?.map(|at| (RIGHT, at));
        builder.push(vec![elements.len() + 1], [(LEFT, row)].into_iter().chain(elements))?;
    }
    builder.finish(&[value, &lists.leaves])
}

/// Where the elements of an array are that takes one more; NULL has none.
fn of_one_dimension(array: Option<Array>) -> Result<std::ops::Range<usize>> {
    match array {
        None => Ok(0..0),
        Some(array) if array.dimensions.len() < 2 => Ok(array.elements),
        Some(_) => Err(Failure::new(Fault::InvalidData, "argument must be empty or one-dimensional array")),
    }
}

fn cat(call: &Call<'_>) -> Result<ArrayRef> {
    let (left, right) = (Lists::of(call.argument(0)?)?, Lists::of(call.argument(1)?)?);
    let mut builder = Builder::new(call.result());
    for row in 0..call.rows() {
        let elements = |array: &Array, source: usize| array.elements.clone().map(move |at| (source, at));
        match (left.array(row), right.array(row)) {
            (None, None) => builder.push_null(),
            (Some(one), None) => builder.push(one.dimensions.clone(), elements(&one, LEFT))?,
            (None, Some(other)) => builder.push(other.dimensions.clone(), elements(&other, RIGHT))?,
            (Some(one), Some(other)) => {
                let dimensions = together(&one, &other)?;
                builder.push(dimensions, elements(&one, LEFT).chain(elements(&other, RIGHT)))?;
            }
        }
    }
    builder.finish(&[&left.leaves, &right.leaves])
}

/// The dimensions of two arrays together, of which one may be an element of the other.
fn together(one: &Array, other: &Array) -> Result<Vec<usize>> {
    if one.is_empty() || other.is_empty() {
        return Ok(if one.is_empty() { other.dimensions.clone() } else { one.dimensions.clone() });
    }
    let (left, right) = (one.dimensions.as_slice(), other.dimensions.as_slice());
    let joined = match (left.split_first(), right.split_first()) {
        (Some((first, inner)), Some((second, others))) if inner == others => Some((first + second, inner)),
        (Some((first, inner)), _) if inner == right => Some((first + 1, inner)),
        (_, Some((second, others))) if others == left => Some((second + 1, others)),
        _ => None,
    };
    let (length, inner) =
        joined.ok_or_else(|| Failure::new(Fault::ArraySubscript, "cannot concatenate incompatible arrays"))?;
    Ok(std::iter::once(length).chain(inner.iter().copied()).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// As PostgreSQL 15 puts arrays of ones together.
    #[test]
    fn arrays_fit_or_are_refused() {
        let array = |dimensions: &[usize]| Array { dimensions: dimensions.to_vec(), elements: 0..0 };
        for (one, other, expected) in [
            (&[2][..], &[3][..], Some(&[5][..])),
            (&[], &[3], Some(&[3])),
            (&[2, 3], &[], Some(&[2, 3])),
            (&[2, 3], &[3], Some(&[3, 3])),
            (&[3], &[2, 3], Some(&[3, 3])),
            (&[2, 3], &[1, 3], Some(&[3, 3])),
            (&[2, 3], &[2], None),
            (&[2, 2], &[2, 3], None),
            (&[2, 2, 2], &[2], None),
        ] {
            assert_eq!(together(&array(one), &array(other)).ok().as_deref(), expected, "{one:?} {other:?}");
        }
    }
}

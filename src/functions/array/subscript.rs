//! `array_subscript` and `array_part`: what `a[1]`, `a[1][2]` and `a[1:2]` are.

use arrow::{
    array::{Array as _, ArrayRef, Int32Array, UInt64Array},
    compute::take,
};

use super::lists::{Array, Builder, Lists};
use crate::{
    fault::{Failure, Fault, Result},
    functions::{Call, Function, Overload},
    pgtype::{ANYARRAY, ANYELEMENT, INT4},
};

pub(crate) static ARRAY_SUBSCRIPT: Function = Function {
    name: "array_subscript",
    purpose: "The element at a place of each dimension of the array, as a[1] and a[1][2]; NULL where there is none",
    example: "array_subscript(ARRAY[['a', 'b'], ['c', 'd']], 1, 2)",
    shows: "b",
    overloads: &[Overload::new(&[ANYARRAY, INT4], ANYELEMENT, element).variadic()],
};

pub(crate) static ARRAY_PART: Function = Function {
    name: "array_part",
    purpose: "The part of the array from the first to the last place of each dimension, as a[2:3]",
    example: "array_part(ARRAY['a', 'b', 'c', 'd'], 2, 3)",
    shows: "{b,c}",
    overloads: &[Overload::new(&[ANYARRAY, INT4, INT4], ANYARRAY, part).variadic()],
};

fn element(call: &Call<'_>) -> Result<ArrayRef> {
    let (lists, places) = (Lists::of(call.argument(0)?)?, places(call)?);
    let element = |row: usize| {
        let is_null = call.is_null(0, row) || places.iter().any(|place| place.is_null(row));
        let at: Vec<i32> = places.iter().map(|place| place.value(row)).collect();
        lists.element(row, &at).filter(|_| !is_null).and_then(|at| u64::try_from(at).ok())
    };
    let picked: UInt64Array = (0..call.rows()).map(element).collect();
    take(&lists.leaves, &picked, None).map_err(|error| Failure::new(Fault::Internal, error.to_string()))
}

fn part(call: &Call<'_>) -> Result<ArrayRef> {
    let (lists, places) = (Lists::of(call.argument(0)?)?, places(call)?);
    let mut builder = Builder::new(call.result());
    for row in 0..call.rows() {
        let is_null = places.iter().any(|place| place.is_null(row));
        let Some(array) = lists.array(row).filter(|_| !is_null) else {
            builder.push_null();
            continue;
        };
        lists.check_box(row)?;
        let bounds: Vec<(i32, i32)> = places
            .chunks(2)
            .map(|bounds| match bounds {
                [low, high] => (low.value(row), high.value(row)),
                _ => (1, i32::MAX),
            })
            .collect();
        let (dimensions, elements) = within(&array, &bounds);
        builder.push(dimensions, elements.into_iter().map(|at| (0, at)))?;
    }
    builder.finish(&[&lists.leaves])
}

fn places<'a>(call: &Call<'a>) -> Result<Vec<&'a Int32Array>> {
    (1..call.len()).map(|at| call.int4s(at)).collect()
}

/// The lengths of what is between the bounds of an array, and where its elements are. Dimensions without bounds are whole.
fn within(array: &Array, bounds: &[(i32, i32)]) -> (Vec<usize>, Vec<usize>) {
    if bounds.len() > array.dimensions.len() {
        return (Vec::new(), Vec::new());
    }
    let place = |bound: i32| usize::try_from(bound).unwrap_or(0);
    let mut elements: Vec<usize> = vec![0];
    let mut dimensions = Vec::with_capacity(array.dimensions.len());
    for (at, length) in array.dimensions.iter().enumerate() {
        let (low, high) =
            bounds.get(at).map_or((1, *length), |(low, high)| (place(*low).max(1), place(*high).min(*length)));
        let kept = (high + 1).saturating_sub(low);
        dimensions.push(kept);
        elements = elements.iter().flat_map(|before| (low..=high).map(move |at| before * length + at - 1)).collect();
    }
    if dimensions.contains(&0) {
        return (Vec::new(), Vec::new());
    }
    (dimensions, elements.into_iter().map(|at| array.elements.start + at).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected as PostgreSQL 15 has them, of `{10,11,12}` and `{{10,11,12},{13,14,15}}`.
    #[test]
    fn parts_are_those_between_the_bounds() {
        let flat = Array { dimensions: vec![3], elements: 10..13 };
        let deep = Array { dimensions: vec![2, 3], elements: 10..16 };
        for (array, bounds, dimensions, elements) in [
            (&flat, &[(1, 2)][..], &[2][..], &[10, 11][..]),
            (&flat, &[(-5, 1)], &[1], &[10]),
            (&flat, &[(3, i32::MAX)], &[1], &[12]),
            (&flat, &[(4, 9)], &[], &[]),
            (&flat, &[(3, 2)], &[], &[]),
            (&flat, &[(1, 1), (1, 1)], &[], &[]),
            (&deep, &[(2, 2)], &[1, 3], &[13, 14, 15]),
            (&deep, &[(1, 2), (2, 3)], &[2, 2], &[11, 12, 14, 15]),
            (&deep, &[(1, 2), (4, 4)], &[], &[]),
        ] {
            assert_eq!(within(array, bounds), (dimensions.to_vec(), elements.to_vec()), "{array:?} {bounds:?}");
        }
    }
}

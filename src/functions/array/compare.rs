//! `array_eq`, `array_lt` and the others: arrays compared element by element, and after that by their lengths; what the
//! operators are between arrays.

use std::cmp::Ordering;

use arrow::array::ArrayRef;

use super::lists::{Lists, comparing};
use crate::{
    fault::Result,
    functions::{Call, Function, Overload},
    interrupt::step,
    pgtype::{ANYARRAY, BOOL},
};

/// Makes a function of each line.
macro_rules! comparisons {
    ($($constant:ident $name:literal $purpose:literal $example:literal $shows:literal $is:path;)*) => {
        $(
            pub(crate) static $constant: Function = Function {
                name: $name,
                purpose: $purpose,
                example: $example,
                shows: $shows,
                overloads: &[Overload::new(&[ANYARRAY, ANYARRAY], BOOL, |call| compared(call, $is))],
            };
        )*
    };
}

comparisons! {
    ARRAY_EQ "array_eq" "Whether arrays have the same elements" "array_eq(ARRAY[1, 2], ARRAY[1, 2])" "true" Ordering::is_eq;
    ARRAY_NE "array_ne" "Whether arrays differ" "array_ne(ARRAY[1, 2], ARRAY[1, 2])" "false" Ordering::is_ne;
    ARRAY_LT "array_lt" "Whether an array comes before another" "array_lt(ARRAY[1, 2], ARRAY[1, 3])" "true" Ordering::is_lt;
    ARRAY_LE "array_le" "Whether an array does not come after another" "array_le(ARRAY[1, 2], ARRAY[1])" "false" Ordering::is_le;
    ARRAY_GT "array_gt" "Whether an array comes after another" "array_gt(ARRAY[1, 2], ARRAY[1])" "true" Ordering::is_gt;
    ARRAY_GE "array_ge" "Whether an array does not come before another" "array_ge(ARRAY[1], ARRAY[2])" "false" Ordering::is_ge;
}

fn compared(call: &Call<'_>, is: fn(Ordering) -> bool) -> Result<ArrayRef> {
    let (left, right) = (Lists::of(call.argument(0)?)?, Lists::of(call.argument(1)?)?);
    let compare = comparing(&left.leaves, &right.leaves)?;
    call.boolean_of(|row| {
        let (Some(one), Some(other)) = (left.array(row), right.array(row)) else { return Ok(None) };
        for (element, beside) in one.elements.clone().zip(other.elements.clone()) {
            step()?;
            let order = compare(element, beside);
            if order.is_ne() {
                return Ok(Some(is(order)));
            }
        }
        let by_length = one.elements.len().cmp(&other.elements.len());
        let by_dimensions = one.dimensions.len().cmp(&other.dimensions.len());
        let order = by_length.then(by_dimensions).then_with(|| one.dimensions.cmp(&other.dimensions));
        Ok(Some(is(order)))
    })
}

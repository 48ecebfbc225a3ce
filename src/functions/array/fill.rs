//! `array_fill`: an array of one value.

use arrow::array::ArrayRef;

use super::lists::{Builder, Lists};
use crate::{
    fault::{Failure, Fault, Result},
    functions::{Call, Function, Overload},
    pgtype::{ANYARRAY, ANYELEMENT, INT4_ARRAY},
};

pub(super) static ARRAY_FILL: Function = Function {
    name: "array_fill",
    purpose: "An array of the value, as long as the second argument says",
    example: "array_fill('x'::text, ARRAY[3])",
    shows: "{x,x,x}",
    overloads: &[
        Overload::new(&[ANYELEMENT, INT4_ARRAY], ANYARRAY, fill).called_on_null(),
        Overload::new(&[ANYELEMENT, INT4_ARRAY, INT4_ARRAY], ANYARRAY, fill).called_on_null(),
    ],
};

/// PostgreSQL's limit on the elements of an array.
const MAX_ELEMENTS: usize = 134_217_727;

fn fill(call: &Call<'_>) -> Result<ArrayRef> {
    let value = call.argument(0)?;
    let mut builder = Builder::new(call.result());
    for row in 0..call.rows() {
        let Some(lengths) = numbers(call, 1, row)? else { return Err(null_bounds()) };
        if call.len() > 2 {
            let Some(first) = numbers(call, 2, row)? else { return Err(null_bounds()) };
            if first.len() != lengths.len() {
                return Err(Failure::new(Fault::ArraySubscript, "wrong number of array subscripts"));
            }
            if first.iter().any(|first| *first != 1) {
                let message = "the places of an array count from 1; leave the third argument out";
                return Err(Failure::new(Fault::FeatureNotSupported, message));
            }
        }
        let count = lengths.iter().try_fold(1_usize, |count, length| {
            usize::try_from(*length)
                .ok()
                .and_then(|length| count.checked_mul(length))
                .filter(|all| *all <= MAX_ELEMENTS)
        });
        let Some(count) = count else {
            let message = format!("array size exceeds the maximum allowed ({MAX_ELEMENTS})");
            return Err(Failure::new(Fault::LimitExceeded, message));
        };
        match lengths.len() {
            0 => builder.push(Vec::new(), [])?,
            1 => builder.push(vec![count], std::iter::repeat_n((0, row), count))?,
            _ if count == 0 => builder.push(Vec::new(), [])?,
            several => {
                let message = format!("array_fill makes arrays of one dimension, not of {several}; write ARRAY[…]");
                return Err(Failure::new(Fault::FeatureNotSupported, message));
            }
        }
    }
    builder.finish(&[value])
}

/// The numbers of an array of a row; none if it is NULL.
fn numbers(call: &Call<'_>, at: usize, row: usize) -> Result<Option<Vec<i32>>> {
    use arrow::{
        array::{Array as _, AsArray},
        datatypes::Int32Type,
    };

    let lists = Lists::of(call.argument(at)?)?;
    let Some(array) = lists.array(row) else { return Ok(None) };
    if array.dimensions.len() > 1 {
        return Err(Failure::new(Fault::ArraySubscript, "wrong number of array subscripts"));
    }
    let Some(numbers) = lists.leaves.as_primitive_opt::<Int32Type>() else {
        return Err(Failure::new(Fault::Internal, "the lengths of an array are no integers"));
    };
    let number = |at: usize| match numbers.is_null(at) {
        true => Err(Failure::new(Fault::NullNotAllowed, "dimension values cannot be null")),
        false => Ok(numbers.value(at)),
    };
    array.elements.map(number).collect::<Result<_>>().map(Some)
}

fn null_bounds() -> Failure {
    Failure::new(Fault::NullNotAllowed, "dimension array or low bound array cannot be null")
}

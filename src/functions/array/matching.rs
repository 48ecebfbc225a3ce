//! `array_matching`: what `ARRAY[…]` of arrays is checked by.

use arrow::array::ArrayRef;

use super::lists::{Builder, Lists};
use crate::{
    fault::Result,
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

fn matching(call: &Call<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(call.argument(0)?)?;
    let mut builder = Builder::new(call.result());
    for row in 0..call.rows() {
        let Some(array) = lists.array(row) else {
            builder.push_null();
            continue;
        };
        lists.check_box(row)?;
        builder.push(array.dimensions, array.elements.map(|at| (0, at)))?;
    }
    builder.finish(&[&lists.leaves])
}

//! `num_nulls` and `num_nonnulls`: how many of some values are NULL, and how many are not.

use arrow::array::{Array, ArrayRef};

use crate::{
    fault::Result,
    functions::{Call, Function, Overload, array::Lists, call::counted},
    interrupt::steps,
    pgtype::{ANY, ANYARRAY, INT4},
};

pub(super) static NUM_NULLS: Function = Function {
    name: "num_nulls",
    purpose: "How many of the values are NULL",
    example: "num_nulls(1, NULL, 'a')",
    shows: "1",
    overloads: &[Overload::new(&[ANY], INT4, |call| of_arguments(call, true)).variadic().called_on_null()],
};

pub(super) static NUM_NONNULLS: Function = Function {
    name: "num_nonnulls",
    purpose: "How many of the values are not NULL",
    example: "num_nonnulls(1, NULL, 'a')",
    shows: "2",
    overloads: &[Overload::new(&[ANY], INT4, |call| of_arguments(call, false)).variadic().called_on_null()],
};

/// The same of the elements of an array, which VARIADIC gives.
pub(super) static NUM_NULLS_OF: Function = Function {
    name: "num_nulls_of",
    purpose: "How many of the elements are NULL",
    example: "num_nulls_of(ARRAY[1, NULL])",
    shows: "1",
    overloads: &[Overload::new(&[ANYARRAY], INT4, |call| of_elements(call, true))],
};

pub(super) static NUM_NONNULLS_OF: Function = Function {
    name: "num_nonnulls_of",
    purpose: "How many of the elements are not NULL",
    example: "num_nonnulls_of(ARRAY[1, NULL, 3])",
    shows: "2",
    overloads: &[Overload::new(&[ANYARRAY], INT4, |call| of_elements(call, false))],
};

fn of_arguments(call: &Call<'_>, is_null: bool) -> Result<ArrayRef> {
    call.int4_of(|row| counted((0..call.len()).filter(|at| call.is_null(*at, row) == is_null).count()))
}

fn of_elements(call: &Call<'_>, is_null: bool) -> Result<ArrayRef> {
    let lists = Lists::of(call.argument(0)?)?;
    let nulls = lists.leaves.logical_nulls();
    let is_missing = |at: usize| nulls.as_ref().is_some_and(|nulls| nulls.is_null(at));
    call.int4_of(|row| {
        let Some(array) = lists.array(row) else { return Ok(None) };
        steps(array.elements.len())?;
        counted(array.elements.filter(|at| is_missing(*at) == is_null).count())
    })
}

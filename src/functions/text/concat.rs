//! `concat` and `concat_ws`: values of any types as clients see them, one behind the other; NULL is none.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray, StringViewBuilder};

use super::printed;
use crate::{
    fault::Result,
    functions::{Call, Function, Overload},
    interrupt::step,
    pgtype::{ANY, TEXT},
};

pub(super) static CONCAT: Function = Function {
    name: "concat",
    purpose: "The texts of all values but NULL",
    example: "concat('a', NULL, 1, true)",
    shows: "a1t",
    overloads: &[Overload::new(&[ANY], TEXT, concat).variadic().called_on_null().stable()],
};

pub(super) static CONCAT_WS: Function = Function {
    name: "concat_ws",
    purpose: "The texts of all values but NULL, with the first argument between them",
    example: "concat_ws(', ', 'a', NULL, 1)",
    shows: "a, 1",
    overloads: &[Overload::new(&[TEXT, ANY], TEXT, concat_with).variadic().called_on_null().stable()],
};

fn concat(call: &Call<'_>) -> Result<ArrayRef> {
    joined(call, 0, |_| Some(""))
}

fn concat_with(call: &Call<'_>) -> Result<ArrayRef> {
    let separators = call.texts(0)?;
    joined(call, 1, |row| separators.is_valid(row).then(|| separators.value(row)))
}

/// The texts of the arguments from one on with a separator between them; NULL without a separator.
fn joined<'a>(call: &Call<'_>, first: usize, separator: impl Fn(usize) -> Option<&'a str>) -> Result<ArrayRef> {
    let texts = (first..call.len()).map(|at| printed(call, at)).collect::<Result<Vec<StringArray>>>()?;
    let mut joined = StringViewBuilder::with_capacity(call.rows());
    let mut text = String::new();
    for row in 0..call.rows() {
        step()?;
        let Some(separator) = separator(row) else {
            joined.append_null();
            continue;
        };
        text.clear();
        let mut shown = texts.iter().filter(|texts| texts.is_valid(row));
        if let Some(first) = shown.next() {
            text.push_str(first.value(row));
        }
        for texts in shown {
            text.push_str(separator);
            text.push_str(texts.value(row));
        }
        joined.append_value(&text);
    }
    Ok(Arc::new(joined.finish()))
}

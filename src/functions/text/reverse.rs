//! `reverse`: the characters of a text from its end.

use arrow::array::ArrayRef;

use crate::{
    fault::Result,
    functions::{Call, Function, Overload},
    pgtype::TEXT,
};

pub(super) static REVERSE: Function = Function {
    name: "reverse",
    purpose: "The characters from the last one to the first",
    example: "reverse('abc')",
    shows: "cba",
    overloads: &[Overload::new(&[TEXT], TEXT, reversed)],
};

fn reversed(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    call.text_of(|row| Ok(Some(texts.value(row).chars().rev().collect())))
}

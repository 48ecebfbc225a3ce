//! `string_to_array`: the parts of a text.

use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, StringArray};

use super::lists::Builder;
use crate::{
    fault::Result,
    functions::{Call, Function, Overload, text::pieces_of},
    pgtype::{TEXT, TEXT_ARRAY},
};

pub(super) static STRING_TO_ARRAY: Function = Function {
    name: "string_to_array",
    purpose: "The parts of the text between delimiters; with NULL as the delimiter, its characters",
    example: "string_to_array('a,b,-', ',', '-')",
    shows: "{a,b,NULL}",
    overloads: &[
        Overload::new(&[TEXT, TEXT], TEXT_ARRAY, split).called_on_null(),
        Overload::new(&[TEXT, TEXT, TEXT], TEXT_ARRAY, split).called_on_null(),
    ],
};

fn split(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, delimiters) = (call.texts(0)?, call.texts(1)?);
    let nulls = if call.len() > 2 { Some(call.texts(2)?) } else { None };
    let mut builder = Builder::new(call.result());
    let mut all: Vec<Option<&str>> = Vec::new();
    for row in 0..call.rows() {
        if texts.is_null(row) {
            builder.push_null();
            continue;
        }
        let delimiter = delimiters.is_valid(row).then(|| delimiters.value(row));
        let null = nulls.filter(|nulls| nulls.is_valid(row)).map(|nulls| nulls.value(row));
        let before = all.len();
        let parts = pieces_of(texts.value(row), delimiter).into_iter();
        all.extend(parts.map(|part| Some(part).filter(|part| null != Some(*part))));
        builder.push(vec![all.len() - before], (before..all.len()).map(|at| (0, at)))?;
    }
    let parts: ArrayRef = Arc::new(all.into_iter().collect::<StringArray>());
    builder.finish(&[&parts])
}

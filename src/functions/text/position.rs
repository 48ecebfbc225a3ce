//! `position`: where a text stands in another, or bytes in others.

use arrow::array::ArrayRef;

use crate::{
    fault::Result,
    functions::{Call, Function, Overload},
    pgtype::{BYTEA, INT4, TEXT},
};

pub(super) static POSITION: Function = Function {
    name: "position",
    purpose: "The place of the second argument in the first, from 1 on, and 0 where it is not",
    example: "position('om' IN 'Thomas')",
    shows: "3",
    overloads: &[Overload::new(&[TEXT, TEXT], INT4, in_text), Overload::new(&[BYTEA, BYTEA], INT4, in_bytes)],
};

fn in_text(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, parts) = (call.texts(0)?, call.texts(1)?);
    call.int4_of(|row| {
        let text = texts.value(row);
        let before = text.find(parts.value(row)).and_then(|at| text.get(..at));
        Ok(Some(place(before.map(|before| before.chars().count()))))
    })
}

fn in_bytes(call: &Call<'_>) -> Result<ArrayRef> {
    let (bytes, parts) = (call.bytes(0)?, call.bytes(1)?);
    call.int4_of(|row| Ok(Some(place(memchr::memmem::find(bytes.value(row), parts.value(row))))))
}

/// A place by its number, of which that of the first is 1.
fn place(before: Option<usize>) -> i32 {
    before.and_then(|before| i32::try_from(before + 1).ok()).unwrap_or(0)
}

//! `array_to_string`: the elements of an array as one text.

use arrow::array::{Array as _, ArrayRef};

use super::lists::Lists;
use crate::{
    fault::Result,
    functions::{Call, Function, Overload},
    pgtype::{ANYARRAY, TEXT},
    print::{self, Form, Zone},
};

pub(super) static ARRAY_TO_STRING: Function = Function {
    name: "array_to_string",
    purpose: "The texts of the array's elements with a delimiter between them; NULL is left out, or is the third argument",
    example: "array_to_string(ARRAY[1, NULL, 3], ', ', '-')",
    shows: "1, -, 3",
    overloads: &[
        Overload::new(&[ANYARRAY, TEXT], TEXT, joined).stable(),
        Overload::new(&[ANYARRAY, TEXT, TEXT], TEXT, joined).called_on_null().stable(),
    ],
};

fn joined(call: &Call<'_>) -> Result<ArrayRef> {
    let (lists, delimiters) = (Lists::of(call.argument(0)?)?, call.texts(1)?);
    let nulls = if call.len() > 2 { Some(call.texts(2)?) } else { None };
    let form = Form { zone: Some(Zone::named(call.zone())), in_micros: true, is_json: false };
    let texts = print::texts(&lists.leaves, form)?;
    call.text_of(|row| {
        let Some(array) = lists.array(row).filter(|_| delimiters.is_valid(row)) else { return Ok(None) };
        let null = nulls.filter(|nulls| nulls.is_valid(row)).map(|nulls| nulls.value(row));
        let shown = array.elements.filter_map(|at| if texts.is_null(at) { null } else { Some(texts.value(at)) });
        Ok(Some(shown.collect::<Vec<_>>().join(delimiters.value(row))))
    })
}

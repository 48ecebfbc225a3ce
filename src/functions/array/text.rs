//! `array_to_string` and `string_joined`: the elements of an array as one text.

use arrow::array::{Array as _, ArrayRef};

use super::lists::Lists;
use crate::{
    fault::Result,
    functions::{Call, Function, Overload, Room},
    interrupt::steps,
    pgtype::{ANYARRAY, TEXT, TEXT_ARRAY},
    print::{self, Form},
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

/// What `string_agg` is whose delimiters differ.
pub(super) static STRING_JOINED: Function = Function {
    name: "string_joined",
    purpose: "The texts of the first array, each but the first behind its delimiter in the second",
    example: "string_joined(ARRAY['a', 'b', 'c'], ARRAY['-', '+', NULL])",
    shows: "a+bc",
    overloads: &[Overload::new(&[TEXT_ARRAY, TEXT_ARRAY], TEXT, with_delimiters)],
};

fn joined(call: &Call<'_>) -> Result<ArrayRef> {
    let (lists, delimiters) = (Lists::of(call.argument(0)?)?, call.texts(1)?);
    let nulls = if call.len() > 2 { Some(call.texts(2)?) } else { None };
    let form = Form::of_session(call.zone(), call.styles());
    let texts = print::texts(&lists.leaves, form)?;
    let mut room = Room::default();
    call.text_of(|row| {
        let Some(array) = lists.array(row).filter(|_| delimiters.is_valid(row)) else { return Ok(None) };
        steps(array.elements.len())?;
        let null = nulls.filter(|nulls| nulls.is_valid(row)).map(|nulls| nulls.value(row));
        let shown = array.elements.filter_map(|at| if texts.is_null(at) { null } else { Some(texts.value(at)) });
        let (shown, delimiter) = (shown.collect::<Vec<_>>(), delimiters.value(row));
        // A long delimiter between many may be more than there is room for.
        room.take(shown.len().saturating_sub(1).saturating_mul(delimiter.len()))?;
        room.take(shown.iter().map(|text| text.len()).sum())?;
        Ok(Some(shown.join(delimiter)))
    })
}

fn with_delimiters(call: &Call<'_>) -> Result<ArrayRef> {
    let (lists, between) = (Lists::of(call.argument(0)?)?, Lists::of(call.argument(1)?)?);
    let texts = print::texts(&lists.leaves, Form::default())?;
    let delimiters = print::texts(&between.leaves, Form::default())?;
    call.text_of(|row| {
        let (Some(array), Some(between)) = (lists.array(row), between.array(row)) else { return Ok(None) };
        steps(array.elements.len())?;
        let mut text = String::new();
        for (place, (at, delimiter)) in array.elements.zip(between.elements).enumerate() {
            if place > 0 && delimiters.is_valid(delimiter) {
                text.push_str(delimiters.value(delimiter));
            }
            if texts.is_valid(at) {
                text.push_str(texts.value(at));
            }
        }
        Ok(Some(text))
    })
}

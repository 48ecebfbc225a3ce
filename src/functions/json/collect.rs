//! What `json_agg` and `json_object_agg` are, and the same of `jsonb`: the texts of elements or entries are collected in an
//! array, `json_agg_of(array_agg(json_element(x)))`, and put together.

use arrow::array::{Array as _, ArrayRef};

use super::{
    TextArrays,
    build::Kind,
    write::{COMMA, form, is_structured, keys, writer},
};
use crate::{
    fault::{Failure, Fault, Result},
    functions::{Call, Function, Overload, array::Lists},
    interrupt::steps,
    pgtype::{ANY, ANYARRAY, ANYELEMENT, JSON, JSONB, TEXT, TEXT_ARRAY, write_json_text},
};

/// What an element begins with that has a line of its own; no JSON begins so.
pub(super) const LINE: &str = "\u{1}";

pub(super) static JSON_ELEMENT: Function = Function {
    name: "json_element",
    purpose: "The value as an element of what json_agg makes",
    example: "json_element(1.50)",
    shows: "1.50",
    overloads: &[Overload::new(&[ANYELEMENT], TEXT, element).stable()],
};

pub(super) static JSON_ENTRY: Function = Function {
    name: "json_entry",
    purpose: "The key and the value as an entry of what json_object_agg makes",
    example: "json_entry('a', 1.50)",
    shows: r#""a" : 1.50"#,
    overloads: &[Overload::new(&[ANY, ANY], TEXT, entry).called_on_null().stable()],
};

pub(super) static JSON_AGG_OF: Function = Function {
    name: "json_agg_of",
    purpose: "The elements, which are JSON, as an array",
    example: "json_agg_of(ARRAY['1', NULL, '{}'])",
    shows: "[1, null, {}]",
    overloads: &[Overload::new(&[TEXT_ARRAY], JSON, |call| collected(call, ["[", "]"], Kind::Json))],
};

pub(super) static JSONB_AGG_OF: Function = Function {
    name: "jsonb_agg_of",
    purpose: "The elements, which are JSON, as an array",
    example: "jsonb_agg_of(ARRAY['1', NULL, '{}'])",
    shows: "[1, null, {}]",
    overloads: &[Overload::new(&[TEXT_ARRAY], JSONB, |call| collected(call, ["[", "]"], Kind::Jsonb))],
};

pub(super) static JSON_OBJECT_AGG_OF: Function = Function {
    name: "json_object_agg_of",
    purpose: "The entries, each a key and a value of JSON, as an object",
    example: r#"json_object_agg_of(ARRAY['"a" : 1'])"#,
    shows: r#"{ "a" : 1 }"#,
    overloads: &[Overload::new(&[TEXT_ARRAY], JSON, |call| collected(call, ["{ ", " }"], Kind::Json))],
};

pub(super) static JSONB_OBJECT_AGG_OF: Function = Function {
    name: "jsonb_object_agg_of",
    purpose: "The entries, each a key and a value of JSON, as an object",
    example: r#"jsonb_object_agg_of(ARRAY['"a" : 1'])"#,
    shows: r#"{"a": 1}"#,
    overloads: &[Overload::new(&[TEXT_ARRAY], JSONB, |call| collected(call, ["{ ", " }"], Kind::Jsonb))],
};

/// What `json_agg(DISTINCT x)` is, whose values have to be told apart before they are JSON.
pub(super) static JSON_DISTINCT_OF: Function = Function {
    name: "json_distinct_of",
    purpose: "The array as json_agg makes it of its elements",
    example: "json_distinct_of(ARRAY[1, 2])",
    shows: "[1, 2]",
    overloads: &[Overload::new(&[ANYARRAY], JSON, elements).stable()],
};

fn element(call: &Call<'_>) -> Result<ArrayRef> {
    let values = call.argument(0)?;
    let before = if is_structured(values.data_type()) { LINE } else { "" };
    let write = writer(values, form(call), COMMA)?;
    call.text_of(|row| {
        let mut json = String::from(before);
        write(&mut json, row)?;
        Ok(Some(json))
    })
}

fn entry(call: &Call<'_>) -> Result<ArrayRef> {
    let form = form(call);
    let (keys, write) = (keys(call.argument(0)?, form)?, writer(call.argument(1)?, form, COMMA)?);
    call.text_of(|row| {
        if keys.is_null(row) {
            return Err(Failure::new(Fault::InvalidArgument, "field name must not be null"));
        }
        let mut json = String::new();
        write_json_text(keys.value(row), &mut json);
        json.push_str(" : ");
        write(&mut json, row)?;
        Ok(Some(json))
    })
}

/// What was collected, between these.
fn collected(call: &Call<'_>, [first, last]: [&str; 2], kind: Kind) -> Result<ArrayRef> {
    let parts = TextArrays::of(call, 0)?;
    call.text_of(|row| {
        let parts = parts.array(row);
        steps(parts.len())?;
        let mut json = String::from(first);
        for (number, part) in parts.into_iter().enumerate() {
            json.push_str(if number == 0 { "" } else { ", " });
            let part = part.unwrap_or("null");
            match part.strip_prefix(LINE) {
                Some(part) => {
                    json.push_str(if number == 0 { "" } else { "\n " });
                    json.push_str(part);
                }
                None => json.push_str(part),
            }
        }
        json.push_str(last);
        kind.of(json).map(Some)
    })
}

fn elements(call: &Call<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(call.argument(0)?)?;
    let between = if is_structured(lists.leaves.data_type()) { ", \n " } else { ", " };
    let write = writer(&lists.leaves, form(call), COMMA)?;
    call.text_of(|row| {
        let Some(array) = lists.array(row) else { return Ok(None) };
        let mut json = String::from("[");
        for (number, at) in array.elements.enumerate() {
            json.push_str(if number == 0 { "" } else { between });
            write(&mut json, at)?;
        }
        json.push(']');
        Ok(Some(json))
    })
}

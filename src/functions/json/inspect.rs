//! `json_typeof`, `json_array_length`, `json_strip_nulls`, `jsonb_pretty` and the same of the other type: what a value is, and
//! how else it is written.

use arrow::array::ArrayRef;

use super::{BYTES_OF_STEP, no_json, read};
use crate::{
    fault::{Failure, Fault, Result},
    functions::{Call, Function, Overload, call::counted},
    interrupt::steps,
    pgtype::{INT4, JSON, JSONB, JsonItems, TEXT, json_items, json_text, write_json_text},
};

pub(super) static JSON_TYPEOF: Function = Function {
    name: "json_typeof",
    purpose: "The kind of the value: object, array, string, number, boolean or null",
    example: "json_typeof('[1]')",
    shows: "array",
    overloads: &[Overload::new(&[JSON], TEXT, json_kind)],
};

pub(super) static JSONB_TYPEOF: Function = Function {
    name: "jsonb_typeof",
    purpose: "The kind of the value: object, array, string, number, boolean or null",
    example: "jsonb_typeof('[1]')",
    shows: "array",
    overloads: &[Overload::new(&[JSONB], TEXT, jsonb_kind)],
};

pub(super) static JSON_ARRAY_LENGTH: Function = Function {
    name: "json_array_length",
    purpose: "How many elements the array has",
    example: "json_array_length('[1, [2, 3]]')",
    shows: "2",
    overloads: &[Overload::new(&[JSON], INT4, json_length)],
};

pub(super) static JSONB_ARRAY_LENGTH: Function = Function {
    name: "jsonb_array_length",
    purpose: "How many elements the array has",
    example: "jsonb_array_length('[1, [2, 3]]')",
    shows: "2",
    overloads: &[Overload::new(&[JSONB], INT4, jsonb_length)],
};

pub(super) static JSON_STRIP_NULLS: Function = Function {
    name: "json_strip_nulls",
    purpose: "The value without the entries of objects that are null",
    example: r#"json_strip_nulls('{"a": null, "b": [null]}')"#,
    shows: r#"{"b":[null]}"#,
    overloads: &[Overload::new(&[JSON], JSON, json_without_nulls)],
};

pub(super) static JSONB_STRIP_NULLS: Function = Function {
    name: "jsonb_strip_nulls",
    purpose: "The value without the entries of objects that are null",
    example: r#"jsonb_strip_nulls('{"a": null, "b": [null]}')"#,
    shows: r#"{"b": [null]}"#,
    overloads: &[Overload::new(&[JSONB], JSONB, jsonb_without_nulls)],
};

pub(super) static JSONB_PRETTY: Function = Function {
    name: "jsonb_pretty",
    purpose: "The value over several lines",
    example: "replace(jsonb_pretty('[1]'), E'\\n', '/')",
    shows: "[/    1/]",
    overloads: &[Overload::new(&[JSONB], TEXT, pretty)],
};

/// What may stand around a value of JSON.
const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];

fn json_kind(call: &Call<'_>) -> Result<ArrayRef> {
    let values = call.texts(0)?;
    call.text_of(|row| {
        let text = values.value(row);
        let kind = match items(text)? {
            JsonItems::Object(_) => "object",
            JsonItems::Array(_) => "array",
            JsonItems::Alone => match text.trim_start_matches(BLANKS).as_bytes().first() {
                Some(b'"') => "string",
                Some(b't' | b'f') => "boolean",
                Some(b'n') => "null",
                _ => "number",
            },
        };
        Ok(Some(kind.to_owned()))
    })
}

fn jsonb_kind(call: &Call<'_>) -> Result<ArrayRef> {
    let values = call.texts(0)?;
    call.text_of(|row| Ok(Some(read(values.value(row))?.kind().to_owned())))
}

fn json_length(call: &Call<'_>) -> Result<ArrayRef> {
    let values = call.texts(0)?;
    call.int4_of(|row| match items(values.value(row))? {
        JsonItems::Array(elements) => counted(elements.len()),
        JsonItems::Object(_) => Err(no_array("a non-array")),
        JsonItems::Alone => Err(no_array("a scalar")),
    })
}

fn jsonb_length(call: &Call<'_>) -> Result<ArrayRef> {
    let values = call.texts(0)?;
    call.int4_of(|row| {
        let value = read(values.value(row))?;
        let found = if value.is_scalar() { "a scalar" } else { "a non-array" };
        value.elements().map_or_else(|| Err(no_array(found)), |elements| counted(elements.len()))
    })
}

fn no_array(found: &str) -> Failure {
    Failure::new(Fault::InvalidArgument, format!("cannot get array length of {found}"))
}

/// What a text of JSON holds.
fn items(text: &str) -> Result<JsonItems<'_>> {
    steps(text.len() / BYTES_OF_STEP)?;
    json_items(text).map_err(no_json)
}

fn json_without_nulls(call: &Call<'_>) -> Result<ArrayRef> {
    let values = call.texts(0)?;
    call.text_of(|row| {
        let mut out = String::new();
        write_without_nulls(values.value(row), &mut out)?;
        Ok(Some(out))
    })
}

/// Each level is read again for those within it; a value has a thousand of them at most.
fn write_without_nulls(text: &str, out: &mut String) -> Result<()> {
    match items(text)? {
        JsonItems::Array(elements) => {
            out.push('[');
            for (at, element) in elements.into_iter().enumerate() {
                out.push_str(if at == 0 { "" } else { "," });
                write_without_nulls(element, out)?;
            }
            out.push(']');
        }
        JsonItems::Object(entries) => {
            out.push('{');
            for (at, (key, value)) in entries.into_iter().filter(|(_, value)| *value != "null").enumerate() {
                out.push_str(if at == 0 { "" } else { "," });
                write_json_text(&key, out);
                out.push(':');
                write_without_nulls(value, out)?;
            }
            out.push('}');
        }
        JsonItems::Alone => {
            let alone = text.trim_matches(BLANKS);
            match json_text(alone).map_err(no_json)? {
                Some(text) if alone.starts_with('"') => write_json_text(&text, out),
                _ => out.push_str(alone),
            }
        }
    }
    Ok(())
}

fn jsonb_without_nulls(call: &Call<'_>) -> Result<ArrayRef> {
    let values = call.texts(0)?;
    call.text_of(|row| Ok(Some(read(values.value(row))?.without_nulls().printed())))
}

fn pretty(call: &Call<'_>) -> Result<ArrayRef> {
    let values = call.texts(0)?;
    call.text_of(|row| Ok(Some(read(values.value(row))?.pretty())))
}

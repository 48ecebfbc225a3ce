//! `json_object_field`, `json_array_element` and `json_extract_path`, and the same of `jsonb`: parts of values, which the
//! operators `->`, `->>`, `#>` and `#>>` have. Those of `json` are as they are written there.

use arrow::array::ArrayRef;

use super::{BYTES_OF_STEP, Texts, no_json, read};
use crate::{
    fault::Result,
    functions::{Call, Function, Overload},
    interrupt::steps,
    pgtype::{INT4, JSON, JSONB, Json, JsonStep, TEXT, TEXT_ARRAY, json_part, json_text},
};

pub(super) static JSON_OBJECT_FIELD: Function = Function {
    name: "json_object_field",
    purpose: "The value of a key of an object",
    example: r#"json_object_field('{"a": {"b": 1.50}}', 'a')"#,
    shows: r#"{"b": 1.50}"#,
    overloads: &[Overload::new(&[JSON, TEXT], JSON, |call| field(call, Part::Json))],
};

pub(super) static JSON_OBJECT_FIELD_TEXT: Function = Function {
    name: "json_object_field_text",
    purpose: "The value of a key of an object, as a text",
    example: r#"json_object_field_text('{"a": {"b": 1.50}}', 'a')"#,
    shows: r#"{"b": 1.50}"#,
    overloads: &[Overload::new(&[JSON, TEXT], TEXT, |call| field(call, Part::JsonText))],
};

pub(super) static JSON_ARRAY_ELEMENT: Function = Function {
    name: "json_array_element",
    purpose: "The element at a place of an array, which is counted from 0, or from its end",
    example: r#"json_array_element('["x",  [2]]', -1)"#,
    shows: "[2]",
    overloads: &[Overload::new(&[JSON, INT4], JSON, |call| element(call, Part::Json))],
};

pub(super) static JSON_ARRAY_ELEMENT_TEXT: Function = Function {
    name: "json_array_element_text",
    purpose: "The element at a place of an array, which is counted from 0, or from its end, as a text",
    example: r#"json_array_element_text('["x",  [2]]', -1)"#,
    shows: "[2]",
    overloads: &[Overload::new(&[JSON, INT4], TEXT, |call| element(call, Part::JsonText))],
};

pub(super) static JSON_EXTRACT_PATH: Function = Function {
    name: "json_extract_path",
    purpose: "The part of a value to which keys and places lead",
    example: r#"json_extract_path('{"a": [1, "x"]}', 'a', '1')"#,
    shows: r#""x""#,
    overloads: &[Overload::new(&[JSON, TEXT], JSON, |call| path(call, Part::Json)).variadic()],
};

/// The same of an array, which the operator takes and VARIADIC gives.
pub(super) static JSON_EXTRACT_PATH_OF: Function = Function {
    name: "json_extract_path_of",
    purpose: "The part of a value to which the keys and places of an array lead",
    example: r#"json_extract_path_of('{"a": [1, "x"]}', ARRAY['a', '1'])"#,
    shows: r#""x""#,
    overloads: &[Overload::new(&[JSON, TEXT_ARRAY], JSON, |call| path(call, Part::Json))],
};

pub(super) static JSON_EXTRACT_PATH_TEXT: Function = Function {
    name: "json_extract_path_text",
    purpose: "The part of a value to which keys and places lead, as a text",
    example: r#"json_extract_path_text('{"a": [1, "x"]}', 'a', '1')"#,
    shows: "x",
    overloads: &[Overload::new(&[JSON, TEXT], TEXT, |call| path(call, Part::JsonText)).variadic()],
};

/// The same of an array, which the operator takes and VARIADIC gives.
pub(super) static JSON_EXTRACT_PATH_TEXT_OF: Function = Function {
    name: "json_extract_path_text_of",
    purpose: "The part of a value to which the keys and places of an array lead, as a text",
    example: r#"json_extract_path_text_of('{"a": [1, "x"]}', ARRAY['a', '1'])"#,
    shows: "x",
    overloads: &[Overload::new(&[JSON, TEXT_ARRAY], TEXT, |call| path(call, Part::JsonText))],
};

pub(super) static JSONB_OBJECT_FIELD: Function = Function {
    name: "jsonb_object_field",
    purpose: "The value of a key of an object",
    example: r#"jsonb_object_field('{"a": {"b": 1.50}}', 'a')"#,
    shows: r#"{"b": 1.50}"#,
    overloads: &[Overload::new(&[JSONB, TEXT], JSONB, |call| field(call, Part::Jsonb))],
};

pub(super) static JSONB_OBJECT_FIELD_TEXT: Function = Function {
    name: "jsonb_object_field_text",
    purpose: "The value of a key of an object, as a text",
    example: r#"jsonb_object_field_text('{"a": {"b": 1.50}}', 'a')"#,
    shows: r#"{"b": 1.50}"#,
    overloads: &[Overload::new(&[JSONB, TEXT], TEXT, |call| field(call, Part::JsonbText))],
};

pub(super) static JSONB_ARRAY_ELEMENT: Function = Function {
    name: "jsonb_array_element",
    purpose: "The element at a place of an array, which is counted from 0, or from its end",
    example: r#"jsonb_array_element('["x",  [2]]', -1)"#,
    shows: "[2]",
    overloads: &[Overload::new(&[JSONB, INT4], JSONB, |call| element(call, Part::Jsonb))],
};

pub(super) static JSONB_ARRAY_ELEMENT_TEXT: Function = Function {
    name: "jsonb_array_element_text",
    purpose: "The element at a place of an array, which is counted from 0, or from its end, as a text",
    example: r#"jsonb_array_element_text('["x",  [2]]', -1)"#,
    shows: "[2]",
    overloads: &[Overload::new(&[JSONB, INT4], TEXT, |call| element(call, Part::JsonbText))],
};

pub(super) static JSONB_EXTRACT_PATH: Function = Function {
    name: "jsonb_extract_path",
    purpose: "The part of a value to which keys and places lead",
    example: r#"jsonb_extract_path('{"a": [1, "x"]}', 'a', '1')"#,
    shows: r#""x""#,
    overloads: &[Overload::new(&[JSONB, TEXT], JSONB, |call| path(call, Part::Jsonb)).variadic()],
};

/// The same of an array, which the operator takes and VARIADIC gives.
pub(super) static JSONB_EXTRACT_PATH_OF: Function = Function {
    name: "jsonb_extract_path_of",
    purpose: "The part of a value to which the keys and places of an array lead",
    example: r#"jsonb_extract_path_of('{"a": [1, "x"]}', ARRAY['a', '1'])"#,
    shows: r#""x""#,
    overloads: &[Overload::new(&[JSONB, TEXT_ARRAY], JSONB, |call| path(call, Part::Jsonb))],
};

pub(super) static JSONB_EXTRACT_PATH_TEXT: Function = Function {
    name: "jsonb_extract_path_text",
    purpose: "The part of a value to which keys and places lead, as a text",
    example: r#"jsonb_extract_path_text('{"a": [1, "x"]}', 'a', '1')"#,
    shows: "x",
    overloads: &[Overload::new(&[JSONB, TEXT], TEXT, |call| path(call, Part::JsonbText)).variadic()],
};

/// The same of an array, which the operator takes and VARIADIC gives.
pub(super) static JSONB_EXTRACT_PATH_TEXT_OF: Function = Function {
    name: "jsonb_extract_path_text_of",
    purpose: "The part of a value to which the keys and places of an array lead, as a text",
    example: r#"jsonb_extract_path_text_of('{"a": [1, "x"]}', ARRAY['a', '1'])"#,
    shows: "x",
    overloads: &[Overload::new(&[JSONB, TEXT_ARRAY], TEXT, |call| path(call, Part::JsonbText))],
};

/// What a part is taken of, and what is made of it.
#[derive(Clone, Copy)]
enum Part {
    Json,
    JsonText,
    Jsonb,
    JsonbText,
}

impl Part {
    fn of(self, text: &str, path: &[JsonStep<'_>]) -> Result<Option<String>> {
        match self {
            Self::Json | Self::JsonText => {
                steps(text.len() / BYTES_OF_STEP)?;
                let Some(part) = json_part(text, path).map_err(no_json)? else { return Ok(None) };
                if matches!(self, Self::Json) {
                    return Ok(Some(part.to_owned()));
                }
                Ok(json_text(part).map_err(no_json)?.map(String::from))
            }
            Self::Jsonb => Ok(read(text)?.part(path).map(|part| part.printed())),
            Self::JsonbText => Ok(read(text)?.part(path).and_then(Json::text)),
        }
    }
}

fn field(call: &Call<'_>, part: Part) -> Result<ArrayRef> {
    let (values, keys) = (call.texts(0)?, call.texts(1)?);
    call.text_of(|row| part.of(values.value(row), &[JsonStep::Key(keys.value(row))]))
}

fn element(call: &Call<'_>, part: Part) -> Result<ArrayRef> {
    let (values, places) = (call.texts(0)?, call.int4s(1)?);
    call.text_of(|row| part.of(values.value(row), &[JsonStep::Place(places.value(row))]))
}

/// A path with NULL in it leads nowhere.
fn path(call: &Call<'_>, part: Part) -> Result<ArrayRef> {
    let (values, paths) = (call.texts(0)?, Texts::of(call)?);
    call.text_of(|row| {
        let path = paths.of_row(row).into_iter().map(|step| step.map(JsonStep::Either));
        match path.collect::<Option<Vec<_>>>() {
            Some(path) => part.of(values.value(row), &path),
            None => Ok(None),
        }
    })
}

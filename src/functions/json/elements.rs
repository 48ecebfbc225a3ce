//! `json_array_elements`, `json_object_keys` and the same of `jsonb`: the elements of an array and the keys of an object, each a
//! row.

use std::sync::Arc;

use arrow::array::{ArrayRef, ListBuilder, StringBuilder};

use super::{BYTES_OF_STEP, no_json, read};
use crate::{
    fault::{Failure, Fault, Result},
    functions::{Call, Function, Overload},
    interrupt::steps,
    pgtype::{JSON, JSON_ARRAY, JSONB, JSONB_ARRAY, Json, JsonItems, TEXT_ARRAY, json_items, json_text},
};

pub(super) static JSON_ARRAY_ELEMENTS: Function = Function {
    name: "json_array_elements",
    purpose: "The elements of the array, each a row",
    example: r#"json_array_elements('[1, "a"]')"#,
    shows: "1",
    overloads: &[Overload::new(&[JSON], JSON_ARRAY, |call| {
        rows(call, |json| json_elements("json_array_elements", json))
    })],
};

pub(super) static JSON_ARRAY_ELEMENTS_TEXT: Function = Function {
    name: "json_array_elements_text",
    purpose: "The elements of the array as texts, each a row",
    example: r#"json_array_elements_text('["a", 1]')"#,
    shows: "a",
    overloads: &[Overload::new(&[JSON], TEXT_ARRAY, |call| rows(call, json_texts))],
};

pub(super) static JSONB_ARRAY_ELEMENTS: Function = Function {
    name: "jsonb_array_elements",
    purpose: "The elements of the array, each a row",
    example: r#"jsonb_array_elements('[1, "a"]')"#,
    shows: "1",
    overloads: &[Overload::new(&[JSONB], JSONB_ARRAY, |call| rows(call, jsonb_elements))],
};

pub(super) static JSONB_ARRAY_ELEMENTS_TEXT: Function = Function {
    name: "jsonb_array_elements_text",
    purpose: "The elements of the array as texts, each a row",
    example: r#"jsonb_array_elements_text('["a", 1]')"#,
    shows: "a",
    overloads: &[Overload::new(&[JSONB], TEXT_ARRAY, |call| rows(call, jsonb_texts))],
};

pub(super) static JSON_OBJECT_KEYS: Function = Function {
    name: "json_object_keys",
    purpose: "The keys of the object, each a row",
    example: r#"json_object_keys('{"a": 1}')"#,
    shows: "a",
    overloads: &[Overload::new(&[JSON], TEXT_ARRAY, |call| rows(call, json_keys))],
};

pub(super) static JSONB_OBJECT_KEYS: Function = Function {
    name: "jsonb_object_keys",
    purpose: "The keys of the object, each a row",
    example: r#"jsonb_object_keys('{"a": 1}')"#,
    shows: "a",
    overloads: &[Overload::new(&[JSONB], TEXT_ARRAY, |call| rows(call, jsonb_keys))],
};

/// The rows that are made of each value.
fn rows(call: &Call<'_>, of: impl Fn(&str) -> Result<Vec<Option<String>>>) -> Result<ArrayRef> {
    let values = call.texts(0)?;
    let rows = call.each(|row| {
        let text = values.value(row);
        steps(text.len() / BYTES_OF_STEP)?;
        of(text).map(Some)
    })?;
    let mut lists = ListBuilder::new(StringBuilder::new());
    for row in rows {
        let is_valid = row.is_some();
        row.unwrap_or_default().into_iter().for_each(|part| lists.values().append_option(part));
        lists.append(is_valid);
    }
    Ok(Arc::new(lists.finish()))
}

fn refused(message: String) -> Failure {
    Failure::new(Fault::InvalidArgument, message)
}

fn json_elements(name: &str, json: &str) -> Result<Vec<Option<String>>> {
    match json_items(json).map_err(no_json)? {
        JsonItems::Array(elements) => Ok(elements.into_iter().map(|element| Some(element.to_owned())).collect()),
        JsonItems::Object(_) => Err(refused(format!("cannot call {name} on a non-array"))),
        JsonItems::Alone => Err(refused(format!("cannot call {name} on a scalar"))),
    }
}

fn json_texts(json: &str) -> Result<Vec<Option<String>>> {
    let text = |element: Option<String>| -> Result<Option<String>> {
        let Some(element) = element else { return Ok(None) };
        Ok(json_text(&element).map_err(no_json)?.map(String::from))
    };
    json_elements("json_array_elements_text", json)?.into_iter().map(text).collect()
}

fn elements_of(json: &str) -> Result<Vec<Json>> {
    let value = read(json)?;
    let found = if value.is_scalar() { "a scalar" } else { "an object" };
    value.elements().ok_or_else(|| refused(format!("cannot extract elements from {found}")))
}

fn jsonb_elements(json: &str) -> Result<Vec<Option<String>>> {
    Ok(elements_of(json)?.iter().map(|element| Some(element.printed())).collect())
}

fn jsonb_texts(json: &str) -> Result<Vec<Option<String>>> {
    Ok(elements_of(json)?.into_iter().map(Json::text).collect())
}

fn json_keys(json: &str) -> Result<Vec<Option<String>>> {
    match json_items(json).map_err(no_json)? {
        JsonItems::Object(entries) => Ok(entries.into_iter().map(|(key, _)| Some(key)).collect()),
        JsonItems::Array(_) => Err(refused("cannot call json_object_keys on an array".to_owned())),
        JsonItems::Alone => Err(refused("cannot call json_object_keys on a scalar".to_owned())),
    }
}

fn jsonb_keys(json: &str) -> Result<Vec<Option<String>>> {
    let value = read(json)?;
    let found = if value.is_scalar() { "a scalar" } else { "an array" };
    let keys = value.keys().ok_or_else(|| refused(format!("cannot call jsonb_object_keys on {found}")))?;
    Ok(keys.into_iter().map(Some).collect())
}

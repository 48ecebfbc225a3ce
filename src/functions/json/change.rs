//! `jsonb_concat`, `jsonb_set`, `jsonb_delete` and `jsonb_delete_path`: what is added to a value and taken out of it, which the
//! operators `||`, `-` and `#-` do.

use arrow::array::ArrayRef;

use super::{TextArrays, Texts, read};
use crate::{
    fault::{Failure, Fault, Result},
    functions::{Call, Function, Overload},
    pgtype::{BOOL, INT4, JSONB, Json, NoStep, TEXT, TEXT_ARRAY},
};

pub(super) static JSONB_CONCAT: Function = Function {
    name: "jsonb_concat",
    purpose: "The entries of two objects, or the elements of two arrays",
    example: r#"jsonb_concat('{"a": 1, "b": 2}', '{"b": 3}')"#,
    shows: r#"{"a": 1, "b": 3}"#,
    overloads: &[Overload::new(&[JSONB, JSONB], JSONB, concat)],
};

pub(super) static JSONB_DELETE: Function = Function {
    name: "jsonb_delete",
    purpose: "A value without the entries of keys, without elements that are texts, or without the element at a place",
    example: r#"jsonb_delete('{"a": 1, "b": 2}', 'a')"#,
    shows: r#"{"b": 2}"#,
    overloads: &[
        Overload::new(&[JSONB, TEXT], JSONB, delete_texts),
        Overload::new(&[JSONB, INT4], JSONB, delete_place),
        Overload::new(&[JSONB, TEXT, TEXT], JSONB, delete_texts).variadic().called_on_null(),
    ],
};

/// The same of an array, which the operator takes and VARIADIC gives.
pub(super) static JSONB_DELETE_OF: Function = Function {
    name: "jsonb_delete_of",
    purpose: "A value without the entries of the keys of an array, or without elements that are texts in it",
    example: r#"jsonb_delete_of('{"a": 1, "b": 2}', ARRAY['a', NULL])"#,
    shows: r#"{"b": 2}"#,
    overloads: &[Overload::new(&[JSONB, TEXT_ARRAY], JSONB, delete_texts)],
};

pub(super) static JSONB_DELETE_PATH: Function = Function {
    name: "jsonb_delete_path",
    purpose: "A value without the part to which keys and places lead",
    example: r#"jsonb_delete_path('{"a": [1, 2]}', ARRAY['a', '0'])"#,
    shows: r#"{"a": [2]}"#,
    overloads: &[Overload::new(&[JSONB, TEXT_ARRAY], JSONB, delete_path)],
};

pub(super) static JSONB_SET: Function = Function {
    name: "jsonb_set",
    purpose: "A value with another one where keys and places lead, which is added there unless the last argument forbids it",
    example: r#"jsonb_set('{"a": [1, 2]}', ARRAY['a', '0'], '"x"')"#,
    shows: r#"{"a": ["x", 2]}"#,
    overloads: &[
        Overload::new(&[JSONB, TEXT_ARRAY, JSONB], JSONB, set_path),
        Overload::new(&[JSONB, TEXT_ARRAY, JSONB, BOOL], JSONB, set_path),
    ],
};

fn concat(call: &Call<'_>) -> Result<ArrayRef> {
    let (values, others) = (call.texts(0)?, call.texts(1)?);
    call.text_of(|row| Ok(Some(read(values.value(row))?.joined(read(others.value(row))?).printed())))
}

/// Texts that are NULL are in no value.
fn delete_texts(call: &Call<'_>) -> Result<ArrayRef> {
    let (values, texts) = (call.texts(0)?, Texts::of(call)?);
    call.text_of(|row| {
        if call.is_null(0, row) {
            return Ok(None);
        }
        let texts = texts.list_of_row(row)?;
        let value = divisible(values.value(row), "cannot delete from scalar")?;
        let texts: Vec<&str> = texts.into_iter().flatten().collect();
        Ok(Some(value.without(&texts).printed()))
    })
}

fn delete_place(call: &Call<'_>) -> Result<ArrayRef> {
    let (values, places) = (call.texts(0)?, call.int4s(1)?);
    call.text_of(|row| {
        let value = divisible(values.value(row), "cannot delete from scalar")?;
        if value.is_object() {
            return Err(Failure::new(Fault::InvalidArgument, "cannot delete from object using integer index"));
        }
        Ok(Some(value.without_place(places.value(row)).printed()))
    })
}

fn delete_path(call: &Call<'_>) -> Result<ArrayRef> {
    let (values, paths) = (call.texts(0)?, TextArrays::of(call, 1)?);
    call.text_of(|row| {
        let path = paths.list(row)?;
        let value = divisible(values.value(row), "cannot delete path in scalar")?;
        let rest = value.without_part(&path).map_err(|fault| no_step(fault, &path))?;
        Ok(Some(rest.printed()))
    })
}

fn set_path(call: &Call<'_>) -> Result<ArrayRef> {
    let (values, paths, others) = (call.texts(0)?, TextArrays::of(call, 1)?, call.texts(2)?);
    let added = if call.len() > 3 { Some(call.booleans(3)?) } else { None };
    call.text_of(|row| {
        let path = paths.list(row)?;
        let value = divisible(values.value(row), "cannot set path in scalar")?;
        let is_added = added.is_none_or(|added| added.value(row));
        let set = value.with_part(&path, read(others.value(row))?, is_added);
        Ok(Some(set.map_err(|fault| no_step(fault, &path))?.printed()))
    })
}

/// A value that has parts.
fn divisible(text: &str, refusal: &str) -> Result<Json> {
    let value = read(text)?;
    if value.is_scalar() { Err(Failure::new(Fault::InvalidArgument, refusal)) } else { Ok(value) }
}

fn no_step(fault: NoStep, path: &[Option<&str>]) -> Failure {
    match fault {
        NoStep::Null(number) => {
            Failure::new(Fault::NullNotAllowed, format!("path element at position {number} is null"))
        }
        NoStep::NoInteger(number) => {
            let step = path.get(number - 1).copied().flatten().unwrap_or_default();
            let message = format!("path element at position {number} is not an integer: \"{step}\"");
            Failure::new(Fault::InvalidText, message)
        }
    }
}

//! `jsonb_contains`, `jsonb_contained`, `jsonb_exists`, `jsonb_exists_any` and `jsonb_exists_all`: what is in a value, which the
//! operators `@>`, `<@`, `?`, `?|` and `?&` ask.

use arrow::array::ArrayRef;

use super::{TextArrays, read};
use crate::{
    fault::Result,
    functions::{Call, Function, Overload},
    interrupt::step,
    pgtype::{BOOL, JSONB, Json, TEXT, TEXT_ARRAY},
};

pub(super) static JSONB_CONTAINS: Function = Function {
    name: "jsonb_contains",
    purpose: "Whether all that is in the second value is in the first",
    example: r#"jsonb_contains('{"a": [1, 2], "b": 3}', '{"a": [2.0]}')"#,
    shows: "true",
    overloads: &[Overload::new(&[JSONB, JSONB], BOOL, |call| contains(call, 0, 1))],
};

pub(super) static JSONB_CONTAINED: Function = Function {
    name: "jsonb_contained",
    purpose: "Whether all that is in the first value is in the second",
    example: "jsonb_contained('[1, 4]', '[1, 2, 3]')",
    shows: "false",
    overloads: &[Overload::new(&[JSONB, JSONB], BOOL, |call| contains(call, 1, 0))],
};

pub(super) static JSONB_EXISTS: Function = Function {
    name: "jsonb_exists",
    purpose: "Whether a text is a key or an element of a value",
    example: r#"jsonb_exists('{"a": 1}', 'a')"#,
    shows: "true",
    overloads: &[Overload::new(&[JSONB, TEXT], BOOL, exists)],
};

pub(super) static JSONB_EXISTS_ANY: Function = Function {
    name: "jsonb_exists_any",
    purpose: "Whether one of several texts is a key or an element of a value",
    example: r#"jsonb_exists_any('["a", "b"]', ARRAY['b', 'c'])"#,
    shows: "true",
    overloads: &[Overload::new(&[JSONB, TEXT_ARRAY], BOOL, |call| {
        exist(call, |value, texts| texts.iter().flatten().any(|text| value.has(text)))
    })],
};

pub(super) static JSONB_EXISTS_ALL: Function = Function {
    name: "jsonb_exists_all",
    purpose: "Whether several texts are all keys or elements of a value",
    example: r#"jsonb_exists_all('["a", "b"]', ARRAY['b', 'c'])"#,
    shows: "false",
    overloads: &[Overload::new(&[JSONB, TEXT_ARRAY], BOOL, |call| {
        exist(call, |value, texts| texts.iter().flatten().all(|text| value.has(text)))
    })],
};

fn contains(call: &Call<'_>, outer: usize, inner: usize) -> Result<ArrayRef> {
    let (outer, inner) = (call.texts(outer)?, call.texts(inner)?);
    call.boolean_of(|row| Ok(Some(read(outer.value(row))?.contains(&read(inner.value(row))?, &mut step)?)))
}

fn exists(call: &Call<'_>) -> Result<ArrayRef> {
    let (values, texts) = (call.texts(0)?, call.texts(1)?);
    call.boolean_of(|row| Ok(Some(read(values.value(row))?.has(texts.value(row)))))
}

/// What is found of arrays of texts, in which NULL is none.
fn exist(call: &Call<'_>, found: fn(&Json, &[Option<&str>]) -> bool) -> Result<ArrayRef> {
    let (values, arrays) = (call.texts(0)?, TextArrays::of(call, 1)?);
    call.boolean_of(|row| Ok(Some(found(&read(values.value(row))?, &arrays.array(row)))))
}

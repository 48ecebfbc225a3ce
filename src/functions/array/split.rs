//! `string_to_array`: the parts of a text.

use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, StringArray};

use super::lists::Builder;
use crate::{
    fault::Result,
    functions::{Call, Function, Overload},
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
    let mut all: Vec<Option<String>> = Vec::new();
    for row in 0..call.rows() {
        if texts.is_null(row) {
            builder.push_null();
            continue;
        }
        let delimiter = delimiters.is_valid(row).then(|| delimiters.value(row));
        let null = nulls.filter(|nulls| nulls.is_valid(row)).map(|nulls| nulls.value(row));
        let before = all.len();
        all.extend(
            parts(texts.value(row), delimiter).into_iter().map(|part| (Some(part.as_str()) != null).then_some(part)),
        );
        builder.push(vec![all.len() - before], (before..all.len()).map(|at| (0, at)))?;
    }
    let parts: ArrayRef = Arc::new(all.into_iter().collect::<StringArray>());
    builder.finish(&[&parts])
}

fn parts(text: &str, delimiter: Option<&str>) -> Vec<String> {
    match delimiter {
        _ if text.is_empty() => Vec::new(),
        None => text.chars().map(String::from).collect(),
        Some("") => vec![text.to_owned()],
        Some(delimiter) => text.split(delimiter).map(str::to_owned).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected as PostgreSQL 15 has them.
    #[test]
    fn a_text_is_split_as_postgresql_splits_it() {
        for (text, delimiter, expected) in [
            ("a,b,,c", Some(","), &["a", "b", "", "c"][..]),
            (",a,", Some(","), &["", "a", ""]),
            ("aaa", Some("aa"), &["", "a"]),
            ("añb", None, &["a", "ñ", "b"]),
            ("abc", Some(""), &["abc"]),
            ("", Some(","), &[]),
            ("", None, &[]),
        ] {
            assert_eq!(parts(text, delimiter), expected, "{text} {delimiter:?}");
        }
    }
}

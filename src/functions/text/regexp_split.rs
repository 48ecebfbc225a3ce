//! `regexp_split_to_array` and `regexp_split_to_table`: what stands between the matches of an expression.

use arrow::array::ArrayRef;

use super::{
    TEXTS, lists_of,
    regexp::{Compiled, Known, Matches},
};
use crate::{
    fault::Result,
    functions::{Call, Function, Overload},
    pgtype::TEXT,
};

pub(super) static REGEXP_SPLIT_TO_ARRAY: Function = Function {
    name: "regexp_split_to_array",
    purpose: "The pieces of the text between the matches of an expression, as an array",
    example: "regexp_split_to_array('hello  world', '\\s+')",
    shows: "{hello,world}",
    overloads: &[Overload::new(&[TEXT, TEXT], TEXTS, array), Overload::new(&[TEXT, TEXT, TEXT], TEXTS, array)],
};

pub(super) static REGEXP_SPLIT_TO_TABLE: Function = Function {
    name: "regexp_split_to_table",
    purpose: "The pieces of the text between the matches of an expression, as rows",
    example: "regexp_split_to_table('hello  world', '\\s+')",
    shows: "hello",
    overloads: &[
        Overload::new(&[TEXT, TEXT], TEXTS, rows).called_on_null(),
        Overload::new(&[TEXT, TEXT, TEXT], TEXTS, rows).called_on_null(),
    ],
};

fn array(call: &Call<'_>) -> Result<ArrayRef> {
    pieces(call, "regexp_split_to_array", None)
}

fn rows(call: &Call<'_>) -> Result<ArrayRef> {
    // Of NULL there are no rows.
    pieces(call, "regexp_split_to_table", Some(Vec::new()))
}

fn pieces<'a>(call: &Call<'a>, name: &str, of_null: Option<Vec<Option<&'a str>>>) -> Result<ArrayRef> {
    let (texts, patterns) = (call.texts(0)?, call.texts(1)?);
    let flags = if call.len() > 2 { Some(call.texts(2)?) } else { None };
    let mut known = Known::default();
    let rows = (0..call.rows()).map(|row| {
        if (0..call.len()).any(|at| call.is_null(at, row)) {
            return Ok(of_null.clone());
        }
        let flags = flags.map_or("", |flags| flags.value(row));
        let compiled = known.without_global(patterns.value(row), flags, name)?;
        Ok(Some(split(texts.value(row), compiled)?.into_iter().map(Some).collect()))
    });
    Ok(lists_of(rows.collect::<Result<Vec<_>>>()?))
}

/// What stands between the matches. Empty ones at either end of the text, or behind another, separate nothing.
fn split<'a>(text: &'a str, compiled: &mut Compiled) -> Result<Vec<&'a str>> {
    let mut pieces = Vec::new();
    let mut matches = Matches::new(compiled, text, 0);
    let (mut copied, mut last) = (0, 0);
    while let Some(((start, end), _)) = matches.advance()? {
        if start < text.len() && end > last {
            pieces.push(&text[copied..start]);
            copied = end;
        }
        last = end;
    }
    pieces.push(&text[copied..]);
    Ok(pieces)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{super::regexp::compile, *};

    /// Expected as PostgreSQL 15 has them.
    #[test]
    fn pieces_stand_between_matches() {
        for (text, pattern, expected) in [
            ("hello  world", "\\s+", &["hello", "world"][..]),
            ("the quick", "\\s*", &["t", "h", "e", "q", "u", "i", "c", "k"]),
            ("", "b", &[""]),
            ("abc", "", &["a", "b", "c"]),
            ("abab", "b", &["a", "a", ""]),
            ("baac", "a*", &["b", "c"]),
            ("aXé", "x*", &["a", "X", "é"]),
            ("ab", "$", &["ab"]),
            ("ab", "^", &["ab"]),
        ] {
            assert_eq!(split(text, &mut compile(pattern, "").unwrap()).unwrap(), expected, "{text} {pattern}");
        }
    }
}

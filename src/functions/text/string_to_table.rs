//! `string_to_table`: the pieces of a text between separators, each a row.

use arrow::array::ArrayRef;

use super::{TEXTS, lists_of};
use crate::{
    fault::Result,
    functions::{Call, Function, Overload},
    interrupt::step,
    pgtype::TEXT,
};

pub(super) static STRING_TO_TABLE: Function = Function {
    name: "string_to_table",
    purpose: "The pieces of the text between separators, each a row; NULL for one that is the third argument",
    example: "string_to_table('a,b', ',')",
    shows: "a",
    overloads: &[
        Overload::new(&[TEXT, TEXT], TEXTS, pieces).called_on_null(),
        Overload::new(&[TEXT, TEXT, TEXT], TEXTS, pieces).called_on_null(),
    ],
};

fn pieces(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, separators) = (call.texts(0)?, call.texts(1)?);
    let nulls = if call.len() > 2 { Some(call.texts(2)?) } else { None };
    let rows = (0..call.rows()).map(|row| {
        step()?;
        let text = if call.is_null(0, row) { "" } else { texts.value(row) };
        let separator = (!call.is_null(1, row)).then(|| separators.value(row));
        let null = nulls.filter(|_| !call.is_null(2, row)).map(|nulls| nulls.value(row));
        let pieces = pieces_of(text, separator).into_iter();
        Ok(Some(pieces.map(|piece| Some(piece).filter(|piece| null != Some(*piece))).collect()))
    });
    Ok(lists_of::<&str>(rows.collect::<Result<_>>()?))
}

/// The pieces of a text; without a separator, its characters. An empty one separates nothing, and an empty text has none.
pub(in crate::functions) fn pieces_of<'a>(text: &'a str, separator: Option<&str>) -> Vec<&'a str> {
    match separator {
        _ if text.is_empty() => Vec::new(),
        None => text.split_inclusive(|_: char| true).collect(),
        Some("") => vec![text],
        Some(separator) => text.split(separator).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected as PostgreSQL 15 has them.
    #[test]
    fn pieces_stand_between_separators() {
        for (text, separator, expected) in [
            ("a,,b,", Some(","), &["a", "", "b", ""][..]),
            ("aé", None, &["a", "é"]),
            ("a,b", Some(""), &["a,b"]),
            ("", Some(","), &[]),
            ("", None, &[]),
            ("aaa", Some("aa"), &["", "a"]),
            (",a,", Some(","), &["", "a", ""]),
        ] {
            assert_eq!(pieces_of(text, separator), expected, "{text}");
        }
    }
}

//! `quote_literal` and `quote_nullable`: values as SQL would write them.

use arrow::{
    array::{Array, ArrayRef},
    datatypes::DataType,
};

use super::printed;
use crate::{
    fault::Result,
    functions::{Call, Function, Overload},
    pgtype::{ANYELEMENT, TEXT},
};

pub(super) static QUOTE_LITERAL: Function = Function {
    name: "quote_literal",
    purpose: "The text of a value as a literal of SQL",
    example: "quote_literal('it''s')",
    shows: "'it''s'",
    overloads: &[Overload::new(&[TEXT], TEXT, literal), Overload::new(&[ANYELEMENT], TEXT, literal_of_any).stable()],
};

pub(super) static QUOTE_NULLABLE: Function = Function {
    name: "quote_nullable",
    purpose: "The text of a value as a literal of SQL, and NULL for NULL",
    example: "quote_nullable(NULL)",
    shows: "NULL",
    overloads: &[
        Overload::new(&[TEXT], TEXT, nullable).called_on_null(),
        Overload::new(&[ANYELEMENT], TEXT, nullable_of_any).called_on_null().stable(),
    ],
};

fn literal(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    call.text_of(|row| Ok(Some(quoted(texts.value(row)))))
}

fn nullable(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    call.text_of(|row| Ok(Some(if call.is_null(0, row) { "NULL".to_owned() } else { quoted(texts.value(row)) })))
}

fn literal_of_any(call: &Call<'_>) -> Result<ArrayRef> {
    any(call, None)
}

fn nullable_of_any(call: &Call<'_>) -> Result<ArrayRef> {
    any(call, Some("NULL"))
}

/// The literals of values of any type, and of NULL another text.
fn any(call: &Call<'_>, null: Option<&str>) -> Result<ArrayRef> {
    let texts = printed(call, 0)?;
    let is_boolean = *call.argument(0)?.data_type() == DataType::Boolean;
    call.text_of(|row| {
        Ok(match texts.is_valid(row).then(|| texts.value(row)) {
            // A boolean that is cast to a text is a word.
            Some("t") if is_boolean => Some(quoted("true")),
            Some("f") if is_boolean => Some(quoted("false")),
            Some(text) => Some(quoted(text)),
            None => null.map(str::to_owned),
        })
    })
}

/// Quotes are doubled, and with backslashes in it, which are too, it is an escape string.
pub(super) fn quoted(text: &str) -> String {
    let start = if text.contains('\\') { "E'" } else { "'" };
    let inside = text.replace('\'', "''").replace('\\', "\\\\");
    format!("{start}{inside}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected as PostgreSQL 15 has them.
    #[test]
    fn quotes_and_backslashes_are_doubled() {
        for (text, expected) in [("", "''"), ("it's", "'it''s'"), ("a\\b", "E'a\\\\b'"), ("'\\", "E'''\\\\'")] {
            assert_eq!(quoted(text), expected);
        }
    }
}

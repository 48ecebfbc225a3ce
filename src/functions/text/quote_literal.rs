//! `quote_literal` and `quote_nullable`: values as SQL would write them.

use arrow::array::ArrayRef;

use crate::{
    fault::Result,
    functions::{Call, Function, Overload},
    pgtype::TEXT,
};

pub(super) static QUOTE_LITERAL: Function = Function {
    name: "quote_literal",
    purpose: "The text as a literal of SQL",
    example: "quote_literal('it''s')",
    shows: "'it''s'",
    overloads: &[Overload::new(&[TEXT], TEXT, literal)],
};

pub(super) static QUOTE_NULLABLE: Function = Function {
    name: "quote_nullable",
    purpose: "The text as a literal of SQL, and NULL for NULL",
    example: "quote_nullable(NULL)",
    shows: "NULL",
    overloads: &[Overload::new(&[TEXT], TEXT, nullable).called_on_null()],
};

fn literal(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    call.text_of(|row| Ok(Some(quoted(texts.value(row)))))
}

fn nullable(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    call.text_of(|row| Ok(Some(if call.is_null(0, row) { "NULL".to_owned() } else { quoted(texts.value(row)) })))
}

/// Quotes are doubled, and with backslashes in it, which are too, it is an escape string.
fn quoted(text: &str) -> String {
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

//! `LIKE … ESCAPE`: the query engine knows the backslash alone, so the pattern is written with it.

use datafusion::sql::sqlparser::ast::{Expr, Value};

use crate::{Error, Fault, Result};

/// Writes the pattern of a LIKE with another escape character with backslashes.
pub(super) fn rewrite(expression: &mut Expr) -> Result<()> {
    let (Expr::Like { pattern, escape_char, .. } | Expr::ILike { pattern, escape_char, .. }) = expression else {
        return Ok(());
    };
    let Some(escape) = escape_char else { return Ok(()) };
    let escape = match &escape.value {
        Value::SingleQuotedString(text) if text == "\\" => return Ok(()),
        Value::SingleQuotedString(text) if text.chars().count() <= 1 => text.chars().next(),
        Value::SingleQuotedString(_) => {
            let message = "invalid escape string: it has one character, or none";
            return Err(Error::new(Fault::InvalidEscape, message));
        }
        _ => return Ok(()),
    };
    let Expr::Value(value) = pattern.as_mut() else {
        let message = "LIKE … ESCAPE is supported with a pattern that is written out only";
        return Err(Error::new(Fault::FeatureNotSupported, message));
    };
    if let Value::SingleQuotedString(text) = &value.value {
        value.value = Value::SingleQuotedString(with_backslashes(text, escape)?);
    }
    *escape_char = None;
    Ok(())
}

fn with_backslashes(pattern: &str, escape: Option<char>) -> Result<String> {
    let mut written = String::with_capacity(pattern.len());
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        if Some(character) == escape {
            let Some(next) = characters.next() else {
                return Err(Error::new(Fault::InvalidEscape, "LIKE pattern must not end with escape character"));
            };
            written.push('\\');
            written.push(next);
        } else {
            if character == '\\' {
                written.push('\\');
            }
            written.push(character);
        }
    }
    Ok(written)
}

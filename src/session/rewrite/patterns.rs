//! `LIKE … ESCAPE`: the query engine knows the backslash alone, so the pattern is written with it.

use datafusion::sql::sqlparser::ast::{Expr, Value, ValueWithSpan};

use super::{call, null};
use crate::{Error, Fault, Result};

/// Writes the pattern of a LIKE with another escape character with backslashes: here if it is written out, else by the function.
pub(super) fn rewrite(expression: &mut Expr) -> Result<()> {
    let (Expr::Like { pattern, escape_char, .. } | Expr::ILike { pattern, escape_char, .. }) = expression else {
        return Ok(());
    };
    let Some(escape) = escape_char.take() else { return Ok(()) };
    let known = match &escape.value {
        Value::SingleQuotedString(text) if text.chars().count() <= 1 => Some(text.chars().next()),
        Value::SingleQuotedString(_) => {
            let message = "invalid escape string: it has one character, or none";
            return Err(Error::new(Fault::InvalidEscape, message));
        }
        _ => None,
    };
    if known == Some(Some('\\')) {
        return Ok(());
    }
    match (pattern.as_mut(), known) {
        (Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(text), .. }), Some(escape)) => {
            *text = with_backslashes(text, escape)?;
        }
        _ => {
            let written = std::mem::replace(pattern.as_mut(), null());
            **pattern = call("like_escape", vec![written, Expr::Value(escape)]);
        }
    }
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

//! `like_escape`: the pattern of a LIKE with another escape character, with backslashes.
//!
//! ```sql
//! SELECT * FROM orders WHERE name LIKE prefix || '%' ESCAPE '/'   -- name LIKE like_escape(prefix || '%', '/')
//! ```

use arrow::array::ArrayRef;

use crate::{
    fault::{Failure, Fault, Result},
    functions::{Call, Function, Overload},
    interrupt::steps,
    pgtype::TEXT,
};

pub(super) static LIKE_ESCAPE: Function = Function {
    name: "like_escape",
    purpose: "The pattern of a LIKE with backslashes in place of another escape character, or of none",
    example: "like_escape('10/%', '/')",
    shows: r"10\%",
    overloads: &[Overload::new(&[TEXT, TEXT], TEXT, escaped)],
};

fn escaped(call: &Call<'_>) -> Result<ArrayRef> {
    let (patterns, escapes) = (call.texts(0)?, call.texts(1)?);
    call.text_of(|row| {
        let pattern = patterns.value(row);
        steps(pattern.len())?;
        with_backslashes(pattern, escapes.value(row)).map(Some)
    })
}

/// Of two escape characters in a row the first escapes the second, and so does a backslash behind one.
fn with_backslashes(pattern: &str, escape: &str) -> Result<String> {
    let mut characters = escape.chars();
    let (escape, more) = (characters.next(), characters.next());
    if more.is_some() {
        return Err(Failure::new(Fault::InvalidEscape, "invalid escape string: it has one character, or none"));
    }
    if escape == Some('\\') {
        return Ok(pattern.to_owned());
    }
    let mut written = String::with_capacity(pattern.len());
    let mut is_escaped = false;
    for character in pattern.chars() {
        if Some(character) == escape && !is_escaped {
            written.push('\\');
            is_escaped = true;
            continue;
        }
        if character == '\\' && !is_escaped {
            written.push('\\');
        }
        written.push(character);
        is_escaped = false;
    }
    Ok(written)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Expected as PostgreSQL 15 has them.
    #[test]
    fn escapes_become_backslashes() {
        for (pattern, escape, expected) in [
            (r"a/_b\c%", "/", r"a\_b\\c%"),
            (r"a\b", "", r"a\\b"),
            ("//x/", "/", r"\/x\"),
            (r"a\_", r"\", r"a\_"),
            (r"/\", "/", r"\\"),
            ("", "/", ""),
        ] {
            assert_eq!(with_backslashes(pattern, escape).unwrap(), expected, "{pattern} {escape}");
        }
        assert!(with_backslashes("a", "ab").is_err());
    }
}

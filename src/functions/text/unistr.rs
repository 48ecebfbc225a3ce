//! `unistr`: the characters of Unicode that escapes stand for.

use arrow::array::ArrayRef;

use crate::{
    fault::{Failure, Fault, Result},
    functions::{Call, Function, Overload},
    pgtype::TEXT,
};

pub(super) static UNISTR: Function = Function {
    name: "unistr",
    purpose: "The text with the characters that its escapes stand for",
    example: "unistr('d\\0061t\\+000061 \\u00e9')",
    shows: "data é",
    overloads: &[Overload::new(&[TEXT], TEXT, unistr)],
};

fn unistr(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    call.text_of(|row| {
        let wrong = |code: u32| Failure::new(Fault::InvalidArgument, format!("invalid Unicode code point: {code:04X}"));
        read(texts.value(row), '\\', true, wrong).map(Some)
    })
}

/// What the text of a literal `U&'…'` stands for, with its escape character.
pub(crate) fn unescaped(text: &str, escape: char) -> Result<String> {
    read(text, escape, false, |_| Failure::new(Fault::Syntax, "invalid Unicode escape value"))
}

/// The text with escapes of four digits, of six behind a plus, and, where there are letters, of four behind `u` and of eight
/// behind `U`.
fn read(text: &str, escape: char, has_letters: bool, wrong: impl Fn(u32) -> Failure) -> Result<String> {
    let mut read = String::with_capacity(text.len());
    let mut rest = text;
    // The first half of a pair.
    let mut high: Option<u32> = None;
    let pair = || Failure::new(Fault::Syntax, "invalid Unicode surrogate pair");
    while let Some(at) = rest.find(escape) {
        let (plain, after) = rest.split_at(at);
        if high.is_some() && !plain.is_empty() {
            return Err(pair());
        }
        read.push_str(plain);
        let after = after.get(escape.len_utf8()..).unwrap_or_default();
        if let Some(after) = after.strip_prefix(escape) {
            if high.is_some() {
                return Err(pair());
            }
            read.push(escape);
            rest = after;
            continue;
        }
        let (digits, length) = match after.chars().next() {
            Some('+') => (after.get(1..), 6),
            Some('u') if has_letters => (after.get(1..), 4),
            Some('U') if has_letters => (after.get(1..), 8),
            _ => (Some(after), 4),
        };
        let digits = digits.unwrap_or_default();
        let number = digits.get(..length).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let code = number.and_then(|number| u32::from_str_radix(number, 16).ok());
        let code = code.ok_or_else(|| Failure::new(Fault::Syntax, "invalid Unicode escape"))?;
        rest = digits.get(length..).unwrap_or_default();
        match (high.take(), code) {
            (None, 0xd800..=0xdbff) => high = Some(code),
            (Some(high), 0xdc00..=0xdfff) => {
                let both = 0x10000 + ((high & 0x3ff) << 10) + (code & 0x3ff);
                read.push(char::from_u32(both).ok_or_else(pair)?);
            }
            (Some(_), _) | (None, 0xdc00..=0xdfff) => return Err(pair()),
            (None, code) => read.push(char::from_u32(code).filter(|found| *found != '\0').ok_or_else(|| wrong(code))?),
        }
    }
    if high.is_some() {
        return Err(pair());
    }
    read.push_str(rest);
    Ok(read)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn letters(text: &str) -> Result<String> {
        read(text, '\\', true, |_| Failure::new(Fault::InvalidArgument, "no character"))
    }

    /// Expected as PostgreSQL 15 has them.
    #[test]
    fn escapes_stand_for_characters() {
        for (text, expected) in [
            ("d\\0061t\\+000061", "data"),
            ("\\u0061\\U00000061", "aa"),
            ("a\\\\b", "a\\b"),
            ("\\d83d\\de00!", "😀!"),
            ("\\+01f600", "😀"),
            ("é", "é"),
        ] {
            assert_eq!(letters(text).unwrap(), expected, "{text}");
        }
        assert_eq!(unescaped("!00e9\\", '!').unwrap(), "é\\");
        assert_eq!(unescaped("\\00e9!!", '\\').unwrap(), "é!!");
    }

    /// As PostgreSQL 15 says them.
    #[test]
    fn what_is_no_escape_is_told() {
        for (text, told) in [
            ("\\zz", "invalid Unicode escape"),
            ("\\00e", "invalid Unicode escape"),
            ("\\", "invalid Unicode escape"),
            ("\\u0061", "invalid Unicode escape"),
            ("\\d83d", "invalid Unicode surrogate pair"),
            ("\\d83da", "invalid Unicode surrogate pair"),
            ("\\de00", "invalid Unicode surrogate pair"),
            ("\\d83d\\0061", "invalid Unicode surrogate pair"),
            ("\\0000", "invalid Unicode escape value"),
            ("\\+110000", "invalid Unicode escape value"),
        ] {
            assert_eq!(unescaped(text, '\\').unwrap_err().to_string(), told, "{text}");
        }
    }
}

//! Bytes as a text has them: in hexadecimal behind `\x`, or the older form, where an escape is an octal number.

use crate::fault::{Failure, Fault, Result};

/// The bytes that a text is as a value of the type `bytea`.
pub(crate) fn read(text: &str) -> Result<Vec<u8>> {
    match text.strip_prefix("\\x") {
        Some(digits) => from_hex(digits),
        None => unescaped(text),
    }
}

/// Pairs of digits, between which there may be blanks.
pub(super) fn from_hex(text: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 2);
    let mut characters = text.chars();
    while let Some(first) = characters.next() {
        if matches!(first, ' ' | '\n' | '\t' | '\r') {
            continue;
        }
        let high = digit(first)?;
        let second = characters.next();
        let second = second.ok_or_else(|| invalid("invalid hexadecimal data: odd number of digits".to_owned()))?;
        bytes.push((high << 4) | digit(second)?);
    }
    Ok(bytes)
}

fn digit(character: char) -> Result<u8> {
    let digit = character.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    digit.ok_or_else(|| invalid(format!("invalid hexadecimal digit: \"{character}\"")))
}

/// What `\\` and `\ooo` stand for; all else is itself.
pub(super) fn unescaped(text: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let (byte, after) = match (first, after) {
            (b'\\', [b'\\', after @ ..]) => (b'\\', after),
            (b'\\', [high @ b'0'..=b'3', middle @ b'0'..=b'7', low @ b'0'..=b'7', after @ ..]) => {
                (((high - b'0') << 6) | ((middle - b'0') << 3) | (low - b'0'), after)
            }
            (b'\\', _) => return Err(Failure::new(Fault::InvalidText, "invalid input syntax for type bytea")),
            (plain, after) => (*plain, after),
        };
        bytes.push(byte);
        rest = after;
    }
    Ok(bytes)
}

fn invalid(message: String) -> Failure {
    Failure::new(Fault::InvalidArgument, message)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Expected as PostgreSQL 15 has them.
    #[test]
    fn both_forms_are_read() {
        for (text, expected) in [
            ("\\x", &[][..]),
            ("\\xABcd", &[0xab, 0xcd]),
            ("\\x01 02\n 03", &[1, 2, 3]),
            ("a\\\\b\\001\\377", &[b'a', b'\\', b'b', 1, 0xff]),
            ("é", &[0xc3, 0xa9]),
            ("", &[]),
        ] {
            assert_eq!(read(text).unwrap(), expected, "{text}");
        }
        for (text, told) in [
            ("\\x0", "invalid hexadecimal data: odd number of digits"),
            ("\\x0g", "invalid hexadecimal digit: \"g\""),
            ("\\x0 1", "invalid hexadecimal digit: \" \""),
            ("a\\z", "invalid input syntax for type bytea"),
            ("\\400", "invalid input syntax for type bytea"),
            ("\\", "invalid input syntax for type bytea"),
        ] {
            assert_eq!(read(text).unwrap_err().to_string(), told, "{text}");
        }
    }
}

//! `LIKE` of bytes: `_` is any byte, `%` any number of them, and a backslash makes the byte behind it one of itself.

use arrow::array::ArrayRef;

use crate::{
    fault::{Failure, Fault, Result},
    functions::{Call, Function, Overload},
    interrupt::step,
    pgtype::{BOOL, BYTEA},
};

pub(crate) static BYTEALIKE: Function = Function {
    name: "bytealike",
    purpose: "Whether bytes fit a pattern, as LIKE has it",
    example: "bytealike('\\x616263'::bytea, 'a%'::bytea)",
    shows: "true",
    overloads: &[Overload::new(&[BYTEA, BYTEA], BOOL, |call| fitting(call, true))],
};

pub(crate) static BYTEANLIKE: Function = Function {
    name: "byteanlike",
    purpose: "Whether bytes do not fit a pattern, as NOT LIKE has it",
    example: "byteanlike('\\x616263'::bytea, '_b'::bytea)",
    shows: "true",
    overloads: &[Overload::new(&[BYTEA, BYTEA], BOOL, |call| fitting(call, false))],
};

fn fitting(call: &Call<'_>, wanted: bool) -> Result<ArrayRef> {
    let (values, patterns) = (call.bytes(0)?, call.bytes(1)?);
    call.boolean_of(|row| Ok(Some(fits(values.value(row), patterns.value(row))? == wanted)))
}

/// Whether all bytes fit a pattern. A backslash at its end is refused where bytes come to it.
fn fits(bytes: &[u8], pattern: &[u8]) -> Result<bool> {
    let (mut at, mut of_pattern) = (0, 0);
    // Where it goes on when what stands behind the last `%` does not fit: a byte later.
    let mut again: Option<(usize, usize)> = None;
    while let Some(byte) = bytes.get(at) {
        let taken = match pattern.get(of_pattern..).unwrap_or_default() {
            [b'%', ..] => {
                while let Some(own @ (b'%' | b'_')) = pattern.get(of_pattern) {
                    at += usize::from(*own == b'_');
                    of_pattern += 1;
                }
                if at > bytes.len() {
                    return Ok(false);
                }
                match pattern.get(of_pattern..).unwrap_or_default() {
                    [] => return Ok(true),
                    [b'\\'] => return Err(ends_with_escape()),
                    _ => again = Some((at, of_pattern)),
                }
                continue;
            }
            [b'_', ..] => Some(1),
            [b'\\'] => return Err(ends_with_escape()),
            [b'\\', own, ..] => (own == byte).then_some(2),
            [own, ..] => (own == byte).then_some(1),
            [] => None,
        };
        (at, of_pattern) = match (taken, again) {
            (Some(taken), _) => (at + 1, of_pattern + taken),
            (None, Some((from, behind))) => {
                step()?;
                again = Some((from + 1, behind));
                (from + 1, behind)
            }
            (None, None) => return Ok(false),
        };
    }
    Ok(pattern.iter().skip(of_pattern).all(|own| *own == b'%'))
}

fn ends_with_escape() -> Failure {
    Failure::new(Fault::InvalidEscape, "LIKE pattern must not end with escape character")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `SELECT 'ab'::bytea LIKE 'a%'::bytea` and so on of PostgreSQL 15.
    #[test]
    fn bytes_fit_patterns() {
        for (bytes, pattern, expected) in [
            ("ab", "a%", Some(true)),
            ("", "%", Some(true)),
            ("", "", Some(true)),
            ("a", "", Some(false)),
            ("aab", "%ab", Some(true)),
            ("abcabc", "a%b_", Some(true)),
            ("abcabd", "a%b_", Some(true)),
            ("a%", "a\\%", Some(true)),
            ("ab", "a\\%", Some(false)),
            ("ab", "a\\", None),
            ("b", "a\\", Some(false)),
            ("a", "a\\", Some(false)),
            ("ab", "%\\", None),
            ("", "%\\", Some(false)),
            ("a", "_%_", Some(false)),
            ("ab", "_%_", Some(true)),
            ("a", "%_%_", Some(false)),
            ("xaxbx", "%a%b", Some(false)),
            ("xaxb", "%a%b", Some(true)),
        ] {
            assert_eq!(fits(bytes.as_bytes(), pattern.as_bytes()).ok(), expected, "{bytes} {pattern}");
        }
    }
}

//! `encode` and `decode`: bytes as texts, in hexadecimal, base64 or with escapes.

use arrow::array::ArrayRef;

use super::written::{from_hex, unescaped};
use crate::{
    fault::{Failure, Fault, Result},
    functions::{Call, Function, Overload},
    pgtype::{BYTEA, TEXT},
};

pub(super) static ENCODE: Function = Function {
    name: "encode",
    purpose: "The bytes as a text, in hex, base64 or escape",
    example: "encode('\\x0102ff'::bytea, 'base64')",
    shows: "AQL/",
    overloads: &[Overload::new(&[BYTEA, TEXT], TEXT, encode)],
};

pub(super) static DECODE: Function = Function {
    name: "decode",
    purpose: "The bytes of a text that is in hex, base64 or escape",
    example: "decode('AQL/', 'base64')",
    shows: "\\x0102ff",
    overloads: &[Overload::new(&[TEXT, TEXT], BYTEA, decode)],
};

fn encode(call: &Call<'_>) -> Result<ArrayRef> {
    let (bytes, forms) = (call.bytes(0)?, call.texts(1)?);
    call.text_of(|row| {
        let bytes = bytes.value(row);
        Ok(Some(match Form::of(forms.value(row))? {
            Form::Hex => to_hex(bytes),
            Form::Base64 => to_base64(bytes),
            Form::Escape => escaped(bytes),
        }))
    })
}

fn decode(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, forms) = (call.texts(0)?, call.texts(1)?);
    call.bytes_of(|row| {
        let text = texts.value(row);
        match Form::of(forms.value(row))? {
            Form::Hex => from_hex(text),
            Form::Base64 => from_base64(text),
            Form::Escape => unescaped(text),
        }
        .map(Some)
    })
}

enum Form {
    Hex,
    Base64,
    Escape,
}

impl Form {
    fn of(name: &str) -> Result<Self> {
        let known = [("hex", Self::Hex), ("base64", Self::Base64), ("escape", Self::Escape)];
        let found = known.into_iter().find(|(known, _)| name.eq_ignore_ascii_case(known));
        found.map(|(_, form)| form).ok_or_else(|| invalid(format!("unrecognized encoding: \"{name}\"")))
    }
}

/// Two digits for each byte.
pub(super) fn to_hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Signs of a line, which ends behind them, even the last one.
const LINE: usize = 76;

fn to_base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 4 / 3 + bytes.len() / 57 + 4);
    let mut in_line = 0;
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0, |bits: u32, byte| (bits << 8) | u32::from(*byte)) << (8 * (3 - group.len()));
        for at in 0..4 {
            let sign = usize::try_from((bits >> (18 - 6 * at)) & 63).ok().and_then(|sign| SIGNS.get(sign));
            let is_written = at <= u32::try_from(group.len()).unwrap_or_default();
            text.push(if is_written { sign.copied().map_or('=', char::from) } else { '=' });
        }
        in_line += 4;
        if in_line == LINE && group.len() == 3 {
            text.push('\n');
            in_line = 0;
        }
    }
    text
}

fn from_base64(text: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut signs) = (0_u32, 0);
    // How many bytes the last group has, once its padding has come.
    let mut last = None;
    for character in text.chars() {
        let sign = match character {
            ' ' | '\t' | '\n' | '\r' => continue,
            '=' => {
                last = match (last, signs) {
                    (Some(last), _) => Some(last),
                    (None, 2) => Some(1),
                    (None, 3) => Some(2),
                    _ => return Err(invalid("unexpected \"=\" while decoding base64 sequence".to_owned())),
                };
                Some(0)
            }
            other => SIGNS.iter().position(|sign| char::from(*sign) == other).and_then(|sign| u32::try_from(sign).ok()),
        };
        let unknown = || invalid(format!("invalid symbol \"{character}\" found while decoding base64 sequence"));
        bits = (bits << 6) | sign.ok_or_else(unknown)?;
        signs += 1;
        if signs == 4 {
            let [_, group @ ..] = bits.to_be_bytes();
            bytes.extend(group.iter().take(last.unwrap_or(3)));
            (bits, signs) = (0, 0);
        }
    }
    match signs {
        0 => Ok(bytes),
        _ => Err(invalid("invalid base64 end sequence".to_owned())),
    }
}

/// Each backslash twice, and what is no character of ASCII as an octal number.
fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'\\' => text.push_str("\\\\"),
            0 | 0x80..=0xff => text.push_str(&format!("\\{byte:03o}")),
            plain => text.push(char::from(*plain)),
        }
    }
    text
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
    fn base64_is_written_in_lines() {
        for (bytes, expected) in
            [(&[][..], ""), (b"a", "YQ=="), (b"ab", "YWI="), (b"abc", "YWJj"), (&[1, 2, 0xff], "AQL/")]
        {
            assert_eq!(to_base64(bytes), expected);
            assert_eq!(from_base64(expected).unwrap(), bytes);
        }
        let line = to_base64(&[b'a'; 57]);
        assert_eq!((line.len(), line.ends_with('\n')), (77, true));
        assert_eq!(to_base64(&[b'a'; 58]).len(), 81);
        assert_eq!(to_base64(&[b'a'; 56]).len(), 76);
    }

    /// Expected as PostgreSQL 15 has them.
    #[test]
    fn what_is_no_base64_is_told() {
        assert_eq!(from_base64("A QL\n/").unwrap(), [1, 2, 0xff]);
        for (text, told) in [
            ("AQL", "invalid base64 end sequence"),
            ("AQ=", "invalid base64 end sequence"),
            ("A===", "unexpected \"=\" while decoding base64 sequence"),
            ("!", "invalid symbol \"!\" found while decoding base64 sequence"),
            ("é", "invalid symbol \"é\" found while decoding base64 sequence"),
        ] {
            assert_eq!(from_base64(text).unwrap_err().to_string(), told, "{text}");
        }
    }

    /// Expected as PostgreSQL 15 has them.
    #[test]
    fn escapes_are_octal_numbers() {
        assert_eq!(escaped(b"\x01\\\xffa\0"), "\u{1}\\\\\\377a\\000");
        assert_eq!(to_hex(&[1, 0xab]), "01ab");
        assert!(Form::of("HEX").is_ok() && Form::of("hexx").is_err());
    }
}

//! `convert_from`, `convert_to` and `convert`: texts as bytes in other encodings.

use arrow::array::ArrayRef;

use super::encodings::{Encoding, Table};
use crate::{
    fault::{Failure, Fault, Result},
    functions::{Call, Function, Overload},
    pgtype::{BYTEA, NAME, TEXT},
};

pub(super) static CONVERT_FROM: Function = Function {
    name: "convert_from",
    purpose: "The text that bytes are in an encoding",
    example: "convert_from('\\xe9'::bytea, 'LATIN1')",
    shows: "é",
    overloads: &[Overload::new(&[BYTEA, NAME], TEXT, convert_from)],
};

pub(super) static CONVERT_TO: Function = Function {
    name: "convert_to",
    purpose: "The bytes that a text is in an encoding",
    example: "convert_to('é', 'LATIN1')",
    shows: "\\xe9",
    overloads: &[Overload::new(&[TEXT, NAME], BYTEA, convert_to)],
};

pub(super) static CONVERT: Function = Function {
    name: "convert",
    purpose: "The bytes of a text in one encoding as those in another",
    example: "convert('\\xe9'::bytea, 'LATIN1', 'UTF8')",
    shows: "\\xc3a9",
    overloads: &[Overload::new(&[BYTEA, NAME, NAME], BYTEA, convert)],
};

fn convert_from(call: &Call<'_>) -> Result<ArrayRef> {
    let (bytes, encodings) = (call.bytes(0)?, call.texts(1)?);
    call.text_of(|row| {
        let bytes = bytes.value(row);
        match encoding(encodings.value(row), "source ")? {
            Encoding::Table(table) => read(bytes, table).map(Some),
            Encoding::Utf8 | Encoding::Ascii => Ok(Some(valid(bytes)?.to_owned())),
        }
    })
}

fn convert_to(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, encodings) = (call.texts(0)?, call.texts(1)?);
    call.bytes_of(|row| {
        let text = texts.value(row);
        match encoding(encodings.value(row), "destination ")? {
            Encoding::Table(table) => written(text, table).map(Some),
            Encoding::Utf8 | Encoding::Ascii => Ok(Some(text.as_bytes().to_vec())),
        }
    })
}

fn convert(call: &Call<'_>) -> Result<ArrayRef> {
    let (bytes, from, to) = (call.bytes(0)?, call.texts(1)?, call.texts(2)?);
    call.bytes_of(|row| {
        let bytes = bytes.value(row);
        let (from, to) = (encoding(from.value(row), "source ")?, encoding(to.value(row), "destination ")?);
        Ok(Some(match (from, to) {
            (Encoding::Table(table), Encoding::Utf8) => read(bytes, table)?.into_bytes(),
            (Encoding::Utf8, Encoding::Table(table)) => written(valid(bytes)?, table)?,
            (Encoding::Table(one), Encoding::Table(other)) if one != other => {
                let (from, to) = (from.name(), to.name());
                let message = format!("default conversion function for encoding \"{from}\" to \"{to}\" does not exist");
                return Err(Failure::new(Fault::UndefinedFunction, message));
            }
            // What stays as it is, is looked at.
            (Encoding::Ascii, to) => {
                characters(bytes, to)?;
                bytes.to_vec()
            }
            (from, _) => {
                characters(bytes, from)?;
                bytes.to_vec()
            }
        }))
    })
}

/// The encoding of this name, which is that of a `role`.
pub(in crate::functions) fn encoding(name: &str, role: &str) -> Result<Encoding> {
    let message = || format!("invalid {role}encoding name \"{name}\"");
    Encoding::of(name).ok_or_else(|| Failure::new(Fault::InvalidArgument, message()))
}

/// How many characters bytes are in an encoding.
pub(in crate::functions) fn characters(bytes: &[u8], encoding: Encoding) -> Result<usize> {
    match encoding {
        Encoding::Utf8 => Ok(valid(bytes)?.chars().count()),
        _ if bytes.contains(&0) => Err(invalid(&[0], encoding.name())),
        _ => Ok(bytes.len()),
    }
}

/// A text that is UTF-8, as all are here.
fn valid(bytes: &[u8]) -> Result<&str> {
    let zero = bytes.iter().position(|byte| *byte == 0);
    let wrong = match (std::str::from_utf8(bytes), zero) {
        (Ok(text), None) => return Ok(text),
        (Ok(_), Some(zero)) => zero,
        (Err(error), zero) => zero.map_or(error.valid_up_to(), |zero| zero.min(error.valid_up_to())),
    };
    let rest = bytes.get(wrong..).unwrap_or_default();
    Err(invalid(rest.get(..length(rest)).unwrap_or(rest), "UTF8"))
}

/// How many bytes a character has, as its first one says.
fn length(character: &[u8]) -> usize {
    match character.first() {
        Some(0xc0..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf7) => 4,
        _ => 1,
    }
}

fn read(bytes: &[u8], table: &'static Table) -> Result<String> {
    let encoding = Encoding::Table(table);
    let character = |byte: &u8| match byte {
        0 => Err(invalid(&[0], encoding.name())),
        byte => table.character(*byte).ok_or_else(|| untranslatable(&[*byte], encoding, Encoding::Utf8)),
    };
    bytes.iter().map(character).collect()
}

fn written(text: &str, table: &'static Table) -> Result<Vec<u8>> {
    let byte = |character: char| {
        let unknown = || {
            let bytes = character.to_string().into_bytes();
            untranslatable(&bytes, Encoding::Utf8, Encoding::Table(table))
        };
        table.byte(character).ok_or_else(unknown)
    };
    text.chars().map(byte).collect()
}

fn invalid(bytes: &[u8], encoding: &str) -> Failure {
    let message = format!("invalid byte sequence for encoding \"{encoding}\": {}", shown(bytes));
    Failure::new(Fault::InvalidCharacter, message)
}

fn untranslatable(bytes: &[u8], from: Encoding, to: Encoding) -> Failure {
    let (from, to, bytes) = (from.name(), to.name(), shown(bytes));
    let message =
        format!("character with byte sequence {bytes} in encoding \"{from}\" has no equivalent in encoding \"{to}\"");
    Failure::new(Fault::Untranslatable, message)
}

fn shown(bytes: &[u8]) -> String {
    let shown: Vec<String> = bytes.iter().map(|byte| format!("0x{byte:02x}")).collect();
    shown.join(" ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn table(name: &str) -> &'static Table {
        match encoding(name, "").unwrap() {
            Encoding::Table(table) => table,
            other => panic!("{name} is {other:?}"),
        }
    }

    /// As PostgreSQL 15 says them.
    #[test]
    fn what_is_no_text_is_told() {
        let utf8 = |bytes: &[u8]| valid(bytes).unwrap_err().to_string();
        let told = |bytes: &str| format!("invalid byte sequence for encoding \"UTF8\": {bytes}");
        assert_eq!(utf8(b"a\xffb"), told("0xff"));
        assert_eq!(utf8(b"\xe2\x82a"), told("0xe2 0x82 0x61"));
        assert_eq!(utf8(b"\xe2\x82"), told("0xe2 0x82"));
        assert_eq!(utf8(b"a\0"), told("0x00"));
        assert_eq!(
            written("€", table("latin1")).unwrap_err().to_string(),
            "character with byte sequence 0xe2 0x82 0xac in encoding \"UTF8\" has no equivalent in encoding \"LATIN1\""
        );
        assert_eq!(
            read(b"\x81", table("win1252")).unwrap_err().to_string(),
            "character with byte sequence 0x81 in encoding \"WIN1252\" has no equivalent in encoding \"UTF8\""
        );
        assert_eq!(encoding("zz", "source ").unwrap_err().to_string(), "invalid source encoding name \"zz\"");
    }

    #[test]
    fn characters_are_counted() {
        assert_eq!(characters("€a".as_bytes(), Encoding::Utf8).unwrap(), 2);
        assert_eq!(characters(b"\xff", Encoding::Ascii).unwrap(), 1);
        assert!(characters(b"\0", encoding("LATIN1", "").unwrap()).is_err());
    }
}

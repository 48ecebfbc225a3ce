//! `chr` and `to_hex`: texts of numbers.

use arrow::array::ArrayRef;

use crate::{
    fault::{Failure, Fault, Result},
    functions::{Call, Function, Overload},
    pgtype::{INT4, INT8, TEXT},
};

pub(super) static CHR: Function = Function {
    name: "chr",
    purpose: "The character of this number",
    example: "chr(8364)",
    shows: "€",
    overloads: &[Overload::new(&[INT4], TEXT, chr)],
};

pub(super) static TO_HEX: Function = Function {
    name: "to_hex",
    purpose: "The number in hexadecimal, one below zero by its bits",
    example: "to_hex(255)",
    shows: "ff",
    overloads: &[Overload::new(&[INT4], TEXT, hex_of_int4), Overload::new(&[INT8], TEXT, hex_of_int8)],
};

fn chr(call: &Call<'_>) -> Result<ArrayRef> {
    let numbers = call.int4s(0)?;
    call.text_of(|row| character(numbers.value(row)).map(|character| Some(character.to_string())))
}

fn hex_of_int4(call: &Call<'_>) -> Result<ArrayRef> {
    let numbers = call.int4s(0)?;
    call.text_of(|row| Ok(Some(format!("{:x}", numbers.value(row)))))
}

fn hex_of_int8(call: &Call<'_>) -> Result<ArrayRef> {
    let numbers = call.int8s(0)?;
    call.text_of(|row| Ok(Some(format!("{:x}", numbers.value(row)))))
}

fn character(number: i32) -> Result<char> {
    let (fault, message) = match u32::try_from(number) {
        Err(_) => (Fault::InvalidArgument, "character number must be positive".to_owned()),
        Ok(0) => (Fault::LimitExceeded, "null character not permitted".to_owned()),
        Ok(code) if code <= u32::from(char::MAX) => match char::from_u32(code) {
            Some(character) => return Ok(character),
            None => (Fault::LimitExceeded, format!("requested character not valid for encoding: {number}")),
        },
        Ok(_) => (Fault::LimitExceeded, format!("requested character too large for encoding: {number}")),
    };
    Err(Failure::new(fault, message))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// As PostgreSQL 15 says them.
    #[test]
    fn numbers_of_no_character_are_wrong() {
        for (number, said) in [
            (-1, "character number must be positive"),
            (0, "null character not permitted"),
            (0xd800, "requested character not valid for encoding: 55296"),
            (0x0011_0000, "requested character too large for encoding: 1114112"),
        ] {
            assert_eq!(character(number).unwrap_err().to_string(), said, "{number}");
        }
        assert_eq!([1, 0x20ac, 0x0010_ffff].map(|number| character(number).unwrap()), ['\u{1}', '€', '\u{10ffff}']);
    }
}

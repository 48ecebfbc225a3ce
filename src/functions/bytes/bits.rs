//! Bytes and bits by their places, from 0 on; the bits of a byte from the lowest on.

use arrow::array::ArrayRef;

use crate::{
    fault::{Failure, Fault, Result},
    functions::{Call, Function, Overload},
    pgtype::{BYTEA, INT4, INT8},
};

pub(super) static GET_BYTE: Function = Function {
    name: "get_byte",
    purpose: "The byte at a place, from 0 on",
    example: "get_byte('\\x0102'::bytea, 1)",
    shows: "2",
    overloads: &[Overload::new(&[BYTEA, INT4], INT4, get_byte)],
};

pub(super) static SET_BYTE: Function = Function {
    name: "set_byte",
    purpose: "The bytes with another at a place, from 0 on",
    example: "set_byte('\\x0102'::bytea, 1, 255)",
    shows: "\\x01ff",
    overloads: &[Overload::new(&[BYTEA, INT4, INT4], BYTEA, set_byte)],
};

pub(super) static GET_BIT: Function = Function {
    name: "get_bit",
    purpose: "The bit at a place, from 0 on",
    example: "get_bit('\\x0102'::bytea, 9)",
    shows: "1",
    overloads: &[Overload::new(&[BYTEA, INT8], INT4, get_bit)],
};

pub(super) static SET_BIT: Function = Function {
    name: "set_bit",
    purpose: "The bytes with another bit at a place, from 0 on",
    example: "set_bit('\\x0102'::bytea, 15, 1)",
    shows: "\\x0182",
    overloads: &[Overload::new(&[BYTEA, INT8, INT4], BYTEA, set_bit)],
};

pub(super) static BIT_COUNT: Function = Function {
    name: "bit_count",
    purpose: "How many bits are set",
    example: "bit_count('\\x0103'::bytea)",
    shows: "3",
    overloads: &[Overload::new(&[BYTEA], INT8, bit_count)],
};

fn get_byte(call: &Call<'_>) -> Result<ArrayRef> {
    let (bytes, places) = (call.bytes(0)?, call.int4s(1)?);
    call.int4_of(|row| {
        let (bytes, place) = (bytes.value(row), i64::from(places.value(row)));
        Ok(bytes.get(place_of(place, bytes.len())?).map(|byte| i32::from(*byte)))
    })
}

fn set_byte(call: &Call<'_>) -> Result<ArrayRef> {
    let (bytes, places, values) = (call.bytes(0)?, call.int4s(1)?, call.int4s(2)?);
    call.bytes_of(|row| {
        let mut bytes = bytes.value(row).to_vec();
        let place = place_of(i64::from(places.value(row)), bytes.len())?;
        // What does not fit into a byte is left out.
        let [.., low] = values.value(row).to_be_bytes();
        bytes[place] = low;
        Ok(Some(bytes))
    })
}

fn get_bit(call: &Call<'_>) -> Result<ArrayRef> {
    let (bytes, places) = (call.bytes(0)?, call.int8s(1)?);
    call.int4_of(|row| {
        let bytes = bytes.value(row);
        let place = place_of(places.value(row), bytes.len() * 8)?;
        Ok(bytes.get(place / 8).map(|byte| i32::from((byte >> (place % 8)) & 1)))
    })
}

fn set_bit(call: &Call<'_>) -> Result<ArrayRef> {
    let (bytes, places, values) = (call.bytes(0)?, call.int8s(1)?, call.int4s(2)?);
    call.bytes_of(|row| {
        let mut bytes = bytes.value(row).to_vec();
        let place = place_of(places.value(row), bytes.len() * 8)?;
        let bit = 1 << (place % 8);
        match values.value(row) {
            0 => bytes[place / 8] &= !bit,
            1 => bytes[place / 8] |= bit,
            _ => return Err(Failure::new(Fault::InvalidArgument, "new bit must be 0 or 1")),
        }
        Ok(Some(bytes))
    })
}

fn bit_count(call: &Call<'_>) -> Result<ArrayRef> {
    let bytes = call.bytes(0)?;
    call.int8_of(|row| Ok(Some(bytes.value(row).iter().map(|byte| i64::from(byte.count_ones())).sum())))
}

/// A place among so many.
fn place_of(place: i64, length: usize) -> Result<usize> {
    let found = usize::try_from(place).ok().filter(|place| *place < length);
    found.ok_or_else(|| {
        let last = i64::try_from(length).map_or(i64::MAX, |length| length - 1);
        Failure::new(Fault::InvalidSubscript, format!("index {place} out of valid range, 0..{last}"))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// As PostgreSQL 15 says them.
    #[test]
    fn a_place_is_one_that_there_is() {
        assert_eq!(place_of(1, 2).unwrap(), 1);
        for (place, length, told) in [
            (2, 2, "index 2 out of valid range, 0..1"),
            (-1, 2, "index -1 out of valid range, 0..1"),
            (0, 0, "index 0 out of valid range, 0..-1"),
            (99_999_999_999, 8, "index 99999999999 out of valid range, 0..7"),
        ] {
            assert_eq!(place_of(place, length).unwrap_err().to_string(), told);
        }
    }
}

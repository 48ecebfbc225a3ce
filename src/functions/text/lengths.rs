//! How long texts and bytes are.

use arrow::array::ArrayRef;

use crate::{
    fault::Result,
    functions::{
        Call, Function, Overload,
        bytes::{characters, encoding},
        call::counted,
    },
    pgtype::{BYTEA, INT4, NAME, TEXT},
};

pub(super) static LENGTH: Function = Function {
    name: "length",
    purpose: "How many characters a text has, or how many bytes there are",
    example: "length('日本語')",
    shows: "3",
    overloads: &[
        Overload::new(&[TEXT], INT4, of_text),
        Overload::new(&[BYTEA], INT4, of_bytes),
        Overload::new(&[BYTEA, NAME], INT4, in_encoding),
    ],
};

pub(super) static CHAR_LENGTH: Function = Function {
    name: "char_length",
    purpose: "How many characters a text has",
    example: "char_length('日本語')",
    shows: "3",
    overloads: &[Overload::new(&[TEXT], INT4, of_text)],
};

pub(super) static CHARACTER_LENGTH: Function = Function {
    name: "character_length",
    purpose: "How many characters a text has",
    example: "character_length('日本語')",
    shows: "3",
    overloads: &[Overload::new(&[TEXT], INT4, of_text)],
};

pub(super) static OCTET_LENGTH: Function = Function {
    name: "octet_length",
    purpose: "How many bytes a text has, or there are",
    example: "octet_length('日本語')",
    shows: "9",
    overloads: &[Overload::new(&[TEXT], INT4, octets_of_text), Overload::new(&[BYTEA], INT4, of_bytes)],
};

pub(super) static BIT_LENGTH: Function = Function {
    name: "bit_length",
    purpose: "How many bits a text has, or bytes have",
    example: "bit_length('日本語')",
    shows: "72",
    overloads: &[Overload::new(&[TEXT], INT4, bits_of_text), Overload::new(&[BYTEA], INT4, bits_of_bytes)],
};

fn of_text(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    call.int4_of(|row| counted(texts.value(row).chars().count()))
}

fn of_bytes(call: &Call<'_>) -> Result<ArrayRef> {
    let bytes = call.bytes(0)?;
    call.int4_of(|row| counted(bytes.value(row).len()))
}

fn in_encoding(call: &Call<'_>) -> Result<ArrayRef> {
    let (bytes, encodings) = (call.bytes(0)?, call.texts(1)?);
    call.int4_of(|row| counted(characters(bytes.value(row), encoding(encodings.value(row), "")?)?))
}

fn octets_of_text(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    call.int4_of(|row| counted(texts.value(row).len()))
}

fn bits_of_text(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    call.int4_of(|row| counted(texts.value(row).len() * 8))
}

fn bits_of_bytes(call: &Call<'_>) -> Result<ArrayRef> {
    let bytes = call.bytes(0)?;
    call.int4_of(|row| counted(bytes.value(row).len() * 8))
}

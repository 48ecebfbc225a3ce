//! Bytes.

mod bits;
mod concat;
mod convert;
mod encode;
mod encodings;
mod hash;
mod like;
mod written;

use super::Function;
pub(crate) use concat::byteacat;
pub(super) use convert::{characters, encoding};
pub(crate) use like::{BYTEALIKE, BYTEANLIKE};
pub(crate) use written::read;

pub(super) const ROOM: &[&Function] = &[
    &bits::BIT_COUNT,
    &bits::GET_BIT,
    &bits::GET_BYTE,
    &bits::SET_BIT,
    &bits::SET_BYTE,
    &concat::BYTEACAT,
    &convert::CONVERT,
    &convert::CONVERT_FROM,
    &convert::CONVERT_TO,
    &encode::DECODE,
    &encode::ENCODE,
    &hash::MD5,
    &hash::SHA224,
    &hash::SHA256,
    &hash::SHA384,
    &hash::SHA512,
    &BYTEALIKE,
    &BYTEANLIKE,
];

//! `ltrim`, `rtrim` and `btrim`: what `trim` is written as.

use std::collections::HashSet;

use arrow::array::ArrayRef;

use super::parts_of;
use crate::{
    fault::Result,
    functions::{Call, Function, Overload},
    pgtype::{BYTEA, TEXT},
};

pub(super) static BTRIM: Function = Function {
    name: "btrim",
    purpose: "The value without blanks, or without these characters or bytes, at its ends",
    example: "btrim('xyaxy', 'xy')",
    shows: "a",
    overloads: &[
        Overload::new(&[TEXT], TEXT, text::<true, true>),
        Overload::new(&[TEXT, TEXT], TEXT, text::<true, true>),
        Overload::new(&[BYTEA, BYTEA], BYTEA, bytes::<true, true>),
    ],
};

pub(super) static LTRIM: Function = Function {
    name: "ltrim",
    purpose: "The value without blanks, or without these characters or bytes, at its start",
    example: "ltrim('xyaxy', 'xy')",
    shows: "axy",
    overloads: &[
        Overload::new(&[TEXT], TEXT, text::<true, false>),
        Overload::new(&[TEXT, TEXT], TEXT, text::<true, false>),
        Overload::new(&[BYTEA, BYTEA], BYTEA, bytes::<true, false>),
    ],
};

pub(super) static RTRIM: Function = Function {
    name: "rtrim",
    purpose: "The value without blanks, or without these characters or bytes, at its end",
    example: "rtrim('xyaxy', 'xy')",
    shows: "xya",
    overloads: &[
        Overload::new(&[TEXT], TEXT, text::<false, true>),
        Overload::new(&[TEXT, TEXT], TEXT, text::<false, true>),
        Overload::new(&[BYTEA, BYTEA], BYTEA, bytes::<false, true>),
    ],
};

/// A set of no more bytes is short.
const SHORT_BYTES: usize = 32;

fn text<const START: bool, const END: bool>(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    let sets = if call.len() > 1 { Some(call.texts(1)?) } else { None };
    parts_of(call, |row| {
        let set = sets.map_or(" ", |sets| sets.value(row));
        // A short set is gone through for each character, and a long one would be for too long.
        let known: HashSet<char> = if set.len() > SHORT_BYTES { set.chars().collect() } else { HashSet::new() };
        let is_left_out = |character: char| match known.is_empty() {
            true => set.contains(character),
            false => known.contains(&character),
        };
        let mut text = texts.value(row);
        if START {
            text = text.trim_start_matches(is_left_out);
        }
        if END {
            text = text.trim_end_matches(is_left_out);
        }
        Ok(Some(text))
    })
}

fn bytes<const START: bool, const END: bool>(call: &Call<'_>) -> Result<ArrayRef> {
    let (values, sets) = (call.bytes(0)?, call.bytes(1)?);
    call.bytes_of(|row| {
        let (mut rest, mut set) = (values.value(row), [false; 256]);
        sets.value(row).iter().for_each(|byte| set[usize::from(*byte)] = true);
        while START
            && let Some((first, after)) = rest.split_first()
            && set[usize::from(*first)]
        {
            rest = after;
        }
        while END
            && let Some((last, before)) = rest.split_last()
            && set[usize::from(*last)]
        {
            rest = before;
        }
        Ok(Some(rest.to_vec()))
    })
}

//! `substring`, `substr` and `overlay`: parts of texts and bytes by places, which count from 1 on, or by a pattern.

use std::ops::Range;

use arrow::array::ArrayRef;

use super::{parts_of, regexp};
use crate::{
    fault::{Failure, Fault, Result},
    functions::{Call, Function, Overload},
    pgtype::{BYTEA, INT4, TEXT},
};

pub(super) static SUBSTRING: Function = Function {
    name: "substring",
    purpose: "The part from a place on, up to so many characters or bytes, or what a pattern matches",
    example: "substring('foobar' FROM 'o(.)b')",
    shows: "o",
    overloads: &[
        Overload::new(&[TEXT, INT4], TEXT, of_text),
        Overload::new(&[TEXT, INT4, INT4], TEXT, of_text),
        Overload::new(&[BYTEA, INT4], BYTEA, of_bytes),
        Overload::new(&[BYTEA, INT4, INT4], BYTEA, of_bytes),
        Overload::new(&[TEXT, TEXT], TEXT, regexp::matched),
        Overload::new(&[TEXT, TEXT, TEXT], TEXT, regexp::similar_part),
    ],
};

pub(super) static SUBSTR: Function = Function {
    name: "substr",
    purpose: "The part from a place on, up to so many characters or bytes",
    example: "substr('hello', 2, 3)",
    shows: "ell",
    overloads: &[
        Overload::new(&[TEXT, INT4], TEXT, of_text),
        Overload::new(&[TEXT, INT4, INT4], TEXT, of_text),
        Overload::new(&[BYTEA, INT4], BYTEA, of_bytes),
        Overload::new(&[BYTEA, INT4, INT4], BYTEA, of_bytes),
    ],
};

pub(super) static OVERLAY: Function = Function {
    name: "overlay",
    purpose: "The value with another one in the place of a part",
    example: "overlay('Txxxxas' PLACING 'hom' FROM 2 FOR 4)",
    shows: "Thomas",
    overloads: &[
        Overload::new(&[TEXT, TEXT, INT4], TEXT, over_text),
        Overload::new(&[TEXT, TEXT, INT4, INT4], TEXT, over_text),
        Overload::new(&[BYTEA, BYTEA, INT4], BYTEA, over_bytes),
        Overload::new(&[BYTEA, BYTEA, INT4, INT4], BYTEA, over_bytes),
    ],
};

fn of_text(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, starts) = (call.texts(0)?, call.int4s(1)?);
    let lengths = if call.len() > 2 { Some(call.int4s(2)?) } else { None };
    parts_of(call, |row| {
        let part = part(starts.value(row), lengths.map(|lengths| lengths.value(row)))?;
        let text = texts.value(row);
        Ok(Some(text.get(characters(text, part)).unwrap_or_default()))
    })
}

fn of_bytes(call: &Call<'_>) -> Result<ArrayRef> {
    let (bytes, starts) = (call.bytes(0)?, call.int4s(1)?);
    let lengths = if call.len() > 2 { Some(call.int4s(2)?) } else { None };
    call.bytes_of(|row| {
        let part = part(starts.value(row), lengths.map(|lengths| lengths.value(row)))?;
        let bytes = bytes.value(row);
        Ok(Some(bytes.get(within(&part, bytes.len())).unwrap_or_default().to_vec()))
    })
}

fn over_text(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, others, starts) = (call.texts(0)?, call.texts(1)?, call.int4s(2)?);
    let lengths = if call.len() > 3 { Some(call.int4s(3)?) } else { None };
    call.text_of(|row| {
        let (text, other) = (texts.value(row), others.value(row));
        let length = lengths.map_or_else(|| length(other.chars().count()), |lengths| Ok(lengths.value(row)))?;
        let (before, after) = around(starts.value(row), length)?;
        let before = text.get(characters(text, before)).unwrap_or_default();
        Ok(Some([before, other, text.get(characters(text, after)).unwrap_or_default()].concat()))
    })
}

fn over_bytes(call: &Call<'_>) -> Result<ArrayRef> {
    let (bytes, others, starts) = (call.bytes(0)?, call.bytes(1)?, call.int4s(2)?);
    let lengths = if call.len() > 3 { Some(call.int4s(3)?) } else { None };
    call.bytes_of(|row| {
        let (bytes, other) = (bytes.value(row), others.value(row));
        let length = lengths.map_or_else(|| length(other.len()), |lengths| Ok(lengths.value(row)))?;
        let (before, after) = around(starts.value(row), length)?;
        let before = bytes.get(within(&before, bytes.len())).unwrap_or_default();
        Ok(Some([before, other, bytes.get(within(&after, bytes.len())).unwrap_or_default()].concat()))
    })
}

/// The places of a part, from 0 on, that begins at a place, from 1 on, and is so long or goes to the end. What lies before the
/// first place counts.
fn part(start: i32, length: Option<i32>) -> Result<Range<usize>> {
    let place = |from_one: i32| usize::try_from(from_one.saturating_sub(1)).unwrap_or(0);
    let end = match length {
        Some(..0) => return Err(negative()),
        // An end beyond all numbers is the value's.
        Some(length) => start.checked_add(length).map_or(usize::MAX, place),
        None => usize::MAX,
    };
    Ok(place(start)..end.max(place(start)))
}

/// What is kept of a value in which so many places from one on are replaced.
fn around(start: i32, length: i32) -> Result<(Range<usize>, Range<usize>)> {
    if start <= 0 {
        return Err(negative());
    }
    let after = start.checked_add(length);
    let after = after.ok_or_else(|| Failure::new(Fault::NumericOutOfRange, "integer out of range"))?;
    Ok((part(1, Some(start - 1))?, part(after, None)?))
}

fn negative() -> Failure {
    Failure::new(Fault::InvalidSubstring, "negative substring length not allowed")
}

fn length(length: usize) -> Result<i32> {
    i32::try_from(length).map_err(|_| Failure::new(Fault::NumericOutOfRange, "integer out of range"))
}

/// The places of a part that there are.
fn within(part: &Range<usize>, length: usize) -> Range<usize> {
    part.start.min(length)..part.end.min(length)
}

/// The bytes of a part by its characters.
fn characters(text: &str, part: Range<usize>) -> Range<usize> {
    if text.is_ascii() {
        return within(&part, text.len());
    }
    let place = |rest: &str, characters: usize| rest.char_indices().nth(characters).map_or(rest.len(), |(at, _)| at);
    let start = place(text, part.start);
    start..start + place(text.get(start..).unwrap_or_default(), part.end - part.start)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn of(text: &str, start: i32, length: Option<i32>) -> &str {
        &text[characters(text, part(start, length).unwrap())]
    }

    /// Expected as PostgreSQL 15 has them.
    #[test]
    fn what_lies_before_the_text_counts() {
        for (start, length, expected) in [
            (2, None, "éllo"),
            (2, Some(3), "éll"),
            (-1, Some(3), "h"),
            (0, Some(3), "hé"),
            (-1, None, "héllo"),
            (-5, Some(2), ""),
            (9, Some(2), ""),
            (2, Some(0), ""),
            (i32::MAX, Some(2), ""),
            (2, Some(i32::MAX), "éllo"),
            (i32::MIN, Some(i32::MAX), ""),
        ] {
            assert_eq!(of("héllo", start, length), expected, "{start} {length:?}");
        }
        assert_eq!(part(2, Some(-1)).unwrap_err().to_string(), "negative substring length not allowed");
        assert!(around(0, 1).is_err());
        assert_eq!(around(i32::MAX, 1).unwrap_err().to_string(), "integer out of range");
        assert_eq!(around(3, -5).unwrap(), (0..2, 0..usize::MAX));
    }
}

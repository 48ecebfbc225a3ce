//! `lpad`, `rpad` and `repeat`: texts of a length, and several times over.
//!
//! ```sql
//! SELECT lpad(name, 8), rpad(name, 8, '.'), repeat('ab', 3)
//! ```

use arrow::array::ArrayRef;

use crate::{
    fault::{Failure, Fault, Result},
    functions::{Call, Function, Overload, Room, call::BYTES_OF_STEP},
    interrupt::steps,
    pgtype::{INT4, TEXT},
};

pub(super) static LPAD: Function = Function {
    name: "lpad",
    purpose: "The text with blanks, or with another text, before it up to a length; a longer one is cut",
    example: "lpad('hi', 5, 'xy')",
    shows: "xyxhi",
    overloads: &[
        Overload::new(&[TEXT, INT4], TEXT, padded::<true>),
        Overload::new(&[TEXT, INT4, TEXT], TEXT, padded::<true>),
    ],
};

pub(super) static RPAD: Function = Function {
    name: "rpad",
    purpose: "The text with blanks, or with another text, behind it up to a length; a longer one is cut",
    example: "rpad('hi', 5, 'xy')",
    shows: "hixyx",
    overloads: &[
        Overload::new(&[TEXT, INT4], TEXT, padded::<false>),
        Overload::new(&[TEXT, INT4, TEXT], TEXT, padded::<false>),
    ],
};

pub(super) static REPEAT: Function = Function {
    name: "repeat",
    purpose: "The text so many times",
    example: "repeat('ab', 3)",
    shows: "ababab",
    overloads: &[Overload::new(&[TEXT, INT4], TEXT, repeat)],
};

/// As many bytes PostgreSQL allots for a character where it has not seen it.
const WIDEST_BYTES: usize = 4;

/// Less than this many bytes has a text with the four before it that say so.
const LIMIT_BYTES: usize = (1 << 30) - 4;

/// Bytes that are written at once.
const PIECE_BYTES: usize = 1 << 16;

fn padded<const BEFORE: bool>(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, lengths) = (call.texts(0)?, call.int4s(1)?);
    let fills = if call.len() > 2 { Some(call.texts(2)?) } else { None };
    let mut room = Room::default();
    call.text_of(|row| {
        let fill = fills.map_or(" ", |fills| fills.value(row));
        let (kept, missing) = fitted(texts.value(row), lengths.value(row), fill)?;
        let (times, rest) = filling(fill, missing);
        let bytes = kept.len() + times * fill.len() + rest.len();
        room.take(bytes)?;
        let mut text = String::with_capacity(bytes);
        if !BEFORE {
            text.push_str(kept);
        }
        push_times(&mut text, fill, times)?;
        text.push_str(rest);
        if BEFORE {
            text.push_str(kept);
        }
        Ok(Some(text))
    })
}

fn repeat(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, counts) = (call.texts(0)?, call.int4s(1)?);
    let mut room = Room::default();
    call.text_of(|row| {
        let (part, times) = (texts.value(row), usize::try_from(counts.value(row)).unwrap_or(0));
        let bytes = part.len().saturating_mul(times);
        check(bytes)?;
        room.take(bytes)?;
        let mut text = String::with_capacity(bytes);
        push_times(&mut text, part, times)?;
        Ok(Some(text))
    })
}

fn check(bytes: usize) -> Result<()> {
    match bytes < LIMIT_BYTES {
        true => Ok(()),
        false => Err(Failure::new(Fault::LimitExceeded, "requested length too large")),
    }
}

/// What is kept of a text that is to be so long, and how many characters it lacks. Of nothing nothing can be filled in.
fn fitted<'a>(text: &'a str, length: i32, fill: &str) -> Result<(&'a str, usize)> {
    let length = usize::try_from(length).unwrap_or(0);
    check(length.saturating_mul(WIDEST_BYTES))?;
    let mut characters = text.char_indices();
    Ok(match characters.nth(length) {
        Some((at, _)) => (text.get(..at).unwrap_or_default(), 0),
        None if fill.is_empty() => (text, 0),
        None => (text, length - text.chars().count()),
    })
}

/// How often a text stands in so many characters, and what of it is left for the rest.
fn filling(fill: &str, characters: usize) -> (usize, &str) {
    let length = fill.chars().count();
    let Some(times) = characters.checked_div(length) else { return (0, "") };
    let rest = fill.char_indices().nth(characters % length).map_or("", |(at, _)| fill.get(..at).unwrap_or_default());
    (times, rest)
}

/// Writes a text so many times, of which nobody may wait for the last.
fn push_times(text: &mut String, part: &str, times: usize) -> Result<()> {
    let at_once = PIECE_BYTES.checked_div(part.len()).unwrap_or(times).clamp(1, times.max(1));
    let piece = part.repeat(at_once);
    for _ in 0..times / at_once {
        steps(piece.len() / BYTES_OF_STEP)?;
        text.push_str(&piece);
    }
    for _ in 0..times % at_once {
        text.push_str(part);
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::interrupt::unwanted;

    /// Expected as PostgreSQL 15 has them.
    #[test]
    fn texts_are_filled_or_cut() {
        for (text, length, fill, kept, filled) in [
            ("héllo", 3, " ", "hél", ""),
            ("h", 5, "", "h", ""),
            ("h", 5, "äb", "h", "äbäb"),
            ("abc", 7, "xyé", "abc", "xyéx"),
            ("", 3, "ab", "", "aba"),
            ("a", 0, "x", "", ""),
            ("a", -1, "x", "", ""),
            ("a", 1, "x", "a", ""),
        ] {
            let (found, missing) = fitted(text, length, fill).unwrap();
            let (times, rest) = filling(fill, missing);
            let mut filling = String::new();
            push_times(&mut filling, fill, times).unwrap();
            filling.push_str(rest);
            assert_eq!((found, filling.as_str()), (kept, filled), "{text} {length} {fill}");
        }
        assert!(fitted("a", 268_435_454, "x").is_ok() && check(1_073_741_819).is_ok());
        assert!(fitted("a", 268_435_455, "x").is_err() && check(1_073_741_820).is_err());
    }

    #[test]
    fn a_text_is_written_until_nobody_waits() {
        let times = |part: &str, times: usize| {
            let mut text = String::new();
            push_times(&mut text, part, times).map(|()| text)
        };
        for (part, count) in [("", 5), ("ab", 0), ("ab", 3), ("ab", 100_001), ("a", PIECE_BYTES)] {
            assert_eq!(times(part, count).unwrap(), part.repeat(count));
        }
        assert!(unwanted(|| times("ab", 1_000_000)).is_err());
    }
}

//! `left` and `right`: the characters at one end of a text, or all but those at the other.

use arrow::array::ArrayRef;

use super::parts_of;
use crate::{
    fault::Result,
    functions::{Call, Function, Overload},
    pgtype::{INT4, TEXT},
};

pub(super) static LEFT: Function = Function {
    name: "left",
    purpose: "The first characters, or all but so many last ones",
    example: "left('abcde', -2)",
    shows: "abc",
    overloads: &[Overload::new(&[TEXT, INT4], TEXT, left)],
};

pub(super) static RIGHT: Function = Function {
    name: "right",
    purpose: "The last characters, or all but so many first ones",
    example: "right('abcde', -2)",
    shows: "cde",
    overloads: &[Overload::new(&[TEXT, INT4], TEXT, right)],
};

fn left(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, counts) = (call.texts(0)?, call.int4s(1)?);
    parts_of(call, |row| Ok(Some(cut(texts.value(row), counts.value(row)).0)))
}

fn right(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, counts) = (call.texts(0)?, call.int4s(1)?);
    parts_of(call, |row| {
        Ok(Some(match counts.value(row) {
            0 => "",
            count => cut(texts.value(row), count.saturating_neg()).1,
        }))
    })
}

/// A text, cut behind so many characters, from its end where that is below zero.
fn cut(text: &str, count: i32) -> (&str, &str) {
    let characters = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    let place = match count {
        0.. => text.char_indices().nth(characters).map_or(text.len(), |(at, _)| at),
        _ => text.char_indices().rev().nth(characters - 1).map_or(0, |(at, _)| at),
    };
    text.split_at(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_counted_from_both_ends() {
        for (count, left, right) in [
            (0, "", "aébc"),
            (2, "aé", "bc"),
            (9, "aébc", ""),
            (-1, "aéb", "c"),
            (-3, "a", "ébc"),
            (-4, "", "aébc"),
            (i32::MIN, "", "aébc"),
            (i32::MAX, "aébc", ""),
        ] {
            assert_eq!(cut("aébc", count), (left, right), "{count}");
        }
    }
}

//! `replace`: a text with another for each part of it that is a third one.
//!
//! ```sql
//! SELECT replace(path, '\', '/')
//! ```

use arrow::array::ArrayRef;

use crate::{
    fault::Result,
    functions::{Call, Function, Overload, Room},
    interrupt::step,
    pgtype::TEXT,
};

pub(super) static REPLACE: Function = Function {
    name: "replace",
    purpose: "The text with the third one in place of each part that is the second",
    example: "replace('abcabc', 'b', '-')",
    shows: "a-ca-c",
    overloads: &[Overload::new(&[TEXT, TEXT, TEXT], TEXT, replace)],
};

fn replace(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, parts, others) = (call.texts(0)?, call.texts(1)?, call.texts(2)?);
    let mut room = Room::default();
    call.text_of(|row| replaced(texts.value(row), parts.value(row), others.value(row), &mut room).map(Some))
}

/// The bytes are taken before they are written: a long text in many places may be more than there is room for.
fn replaced(text: &str, part: &str, other: &str, room: &mut Room) -> Result<String> {
    let mut replaced = String::with_capacity(text.len());
    let mut copied = 0;
    room.take(text.len())?;
    // Nothing is nowhere.
    let places = (!part.is_empty()).then(|| text.match_indices(part));
    for (at, _) in places.into_iter().flatten() {
        step()?;
        room.take(other.len())?;
        replaced.push_str(&text[copied..at]);
        replaced.push_str(other);
        copied = at + part.len();
    }
    replaced.push_str(&text[copied..]);
    Ok(replaced)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::interrupt::unwanted;

    /// Expected as PostgreSQL 15 has them.
    #[test]
    fn each_part_is_replaced_from_the_start_on() {
        for (text, part, other, expected) in [
            ("aaa", "aa", "b", "ba"),
            ("abc", "", "x", "abc"),
            ("", "a", "x", ""),
            ("", "", "x", ""),
            ("ab", "ab", "", ""),
            ("aéa", "é", "ee", "aeea"),
            ("aXbX", "X", "XX", "aXXbXX"),
            ("abc", "abcd", "x", "abc"),
        ] {
            assert_eq!(replaced(text, part, other, &mut Room::default()).unwrap(), expected, "{text} {part} {other}");
        }
    }

    #[test]
    fn no_more_is_written_than_there_is_room_for_or_somebody_waits_for() {
        let (many, long) = ("a".repeat(100_000), "b".repeat(100_000));
        assert!(replaced(&many, "a", &long, &mut Room::default()).is_err());
        assert!(unwanted(|| replaced(&many, "a", "b", &mut Room::default())).is_err());
    }
}

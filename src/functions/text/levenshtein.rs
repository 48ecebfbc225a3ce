//! `levenshtein`: how far a text is from another.
//!
//! ```sql
//! SELECT name FROM people WHERE levenshtein(name, 'Meier') < 2
//! ```

use arrow::array::ArrayRef;

use crate::{
    fault::Result,
    functions::{Call, Function, Overload, call::counted},
    interrupt::steps,
    pgtype::{INT4, TEXT},
};

pub(super) static LEVENSHTEIN: Function = Function {
    name: "levenshtein",
    purpose: "How many characters are inserted, left out or replaced to make one text of the other",
    example: "levenshtein('kitten', 'sitting')",
    shows: "3",
    overloads: &[Overload::new(&[TEXT, TEXT], INT4, levenshtein)],
};

/// Characters of a row that are one step.
const CHARACTERS: usize = 16;

fn levenshtein(call: &Call<'_>) -> Result<ArrayRef> {
    let (ones, others) = (call.texts(0)?, call.texts(1)?);
    call.int4_of(|row| counted(distance(ones.value(row), others.value(row))?))
}

/// By Wagner and Fischer's table, of which one line is kept: how far the start of one text is from each start of the other.
fn distance(one: &str, other: &str) -> Result<usize> {
    let other: Vec<char> = other.chars().collect();
    let mut line: Vec<usize> = (0..=other.len()).collect();
    for (at, character) in one.chars().enumerate() {
        steps(other.len() / CHARACTERS + 1)?;
        // What was in the line before at the place to the left, and what is in this one there.
        let (mut above, mut left) = (at, at + 1);
        for (place, beside) in line.iter_mut().skip(1).zip(&other) {
            let replaced = above + usize::from(character != *beside);
            above = *place;
            left = replaced.min(above + 1).min(left + 1);
            *place = left;
        }
        if let Some(first) = line.first_mut() {
            *first = at + 1;
        }
    }
    Ok(line.last().copied().unwrap_or(0))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::interrupt::unwanted;

    /// Expected as `fuzzystrmatch` of PostgreSQL 15 has them.
    #[test]
    fn changes_are_counted() {
        for (one, other, expected) in [
            ("kitten", "sitting", 3),
            ("GUMBO", "GAMBOL", 2),
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("abc", "abc", 0),
            ("äöü", "äou", 2),
            ("abcdef", "badcfe", 4),
            ("flaw", "lawn", 2),
        ] {
            assert_eq!(distance(one, other).unwrap(), expected, "{one} {other}");
        }
    }

    #[test]
    fn long_texts_are_compared_until_nobody_waits() {
        let text = "a".repeat(10_000);
        assert!(unwanted(|| distance(&text, &text)).is_err());
    }
}

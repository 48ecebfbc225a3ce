//! `regexp_replace`: a text with other texts for what an expression matches.
//!
//! ```sql
//! SELECT regexp_replace(name, '(\w+) (\w+)', '\2, \1'), regexp_replace('baac', 'a*', '-', 1, 2)
//! ```

use std::borrow::Cow;

use arrow::array::ArrayRef;

use super::{
    parts_of,
    regexp::{Compiled, Known, Matches, byte_of, check_size, invalid},
};
use crate::{
    fault::{Failure, Fault, Result},
    functions::{Call, Function, Overload},
    pgtype::{INT4, TEXT},
};

pub(super) static REGEXP_REPLACE: Function = Function {
    name: "regexp_replace",
    purpose: "The text with another for what an expression matches: the first time, the nth or, with 0 or g, each",
    example: "regexp_replace('foobarbaz', 'b(..)', 'X\\1Y', 'g')",
    shows: "fooXarYXazY",
    overloads: &[
        Overload::new(&[TEXT, TEXT, TEXT], TEXT, with_flags),
        Overload::new(&[TEXT, TEXT, TEXT, TEXT], TEXT, with_flags),
        Overload::new(&[TEXT, TEXT, TEXT, INT4], TEXT, from_place),
        Overload::new(&[TEXT, TEXT, TEXT, INT4, INT4], TEXT, from_place),
        Overload::new(&[TEXT, TEXT, TEXT, INT4, INT4, TEXT], TEXT, from_place),
    ],
};

fn with_flags(call: &Call<'_>) -> Result<ArrayRef> {
    let flags = if call.len() > 3 { Some(call.texts(3)?) } else { None };
    replaced(call, |known, row, pattern| {
        let flags = flags.map_or("", |flags| flags.value(row));
        if let Some(digit) = flags.chars().next().filter(char::is_ascii_digit) {
            let message = format!("invalid regular expression option: \"{digit}\"");
            return Err(Failure::new(Fault::InvalidArgument, message));
        }
        let compiled = known.get(pattern, flags)?;
        let nth = usize::from(!compiled.is_global);
        Ok((compiled, 1, nth))
    })
}

fn from_place(call: &Call<'_>) -> Result<ArrayRef> {
    let starts = call.int4s(3)?;
    let numbers = if call.len() > 4 { Some(call.int4s(4)?) } else { None };
    let flags = if call.len() > 5 { Some(call.texts(5)?) } else { None };
    replaced(call, |known, row, pattern| {
        let number = numbers.map_or(1, |numbers| numbers.value(row));
        let nth = usize::try_from(number).map_err(|_| invalid("n", number))?;
        let compiled = known.get(pattern, flags.map_or("", |flags| flags.value(row)))?;
        Ok((compiled, starts.value(row), nth))
    })
}

/// The texts with the replacements for the nth match, or for each if that is 0, from a place on.
fn replaced(
    call: &Call<'_>,
    compiled: impl for<'k> Fn(&'k mut Known, usize, &str) -> Result<(&'k mut Compiled, i32, usize)>,
) -> Result<ArrayRef> {
    let (texts, patterns, replacements) = (call.texts(0)?, call.texts(1)?, call.texts(2)?);
    let mut known = Known::default();
    let mut read: Option<(&str, Vec<Piece<'_>>)> = None;
    let mut bytes = 0;
    let rows = call.each(|row| {
        let (compiled, start, nth) = compiled(&mut known, row, patterns.value(row))?;
        let (text, replacement) = (texts.value(row), replacements.value(row));
        let (_, pieces) = match read.take() {
            Some(same) if same.0 == replacement => read.insert(same),
            _ => read.insert((replacement, pieces(replacement))),
        };
        let text = replace(text, byte_of(text, start)?, compiled, nth, pieces)?;
        bytes += text.len();
        check_size(bytes)?;
        Ok(Some(text))
    })?;
    parts_of(call, |row| Ok(rows.get(row).and_then(Option::as_deref)))
}

/// A piece of a replacement.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    /// What a group matched; of the group that has no number, all that is replaced.
    Group(usize),
}

/// The pieces of a replacement. A backslash that means nothing is itself.
fn pieces(replacement: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut written, mut from) = (0, 0);
    while let Some(found) = replacement[from..].find('\\') {
        let place = from + found;
        let piece = match replacement.as_bytes().get(place + 1) {
            Some(b'&') => Piece::Group(0),
            Some(digit @ b'1'..=b'9') => Piece::Group(usize::from(digit - b'0')),
            Some(b'\\') => Piece::Text("\\"),
            _ => {
                from = place + 1;
                continue;
            }
        };
        pieces.extend([Piece::Text(&replacement[written..place]), piece]);
        from = place + 2;
        written = from;
    }
    pieces.push(Piece::Text(&replacement[written..]));
    pieces
}

/// A text with a replacement for the nth match from a byte on, or for all of them.
fn replace<'a>(
    text: &'a str,
    from: usize,
    compiled: &mut Compiled,
    nth: usize,
    pieces: &[Piece<'_>],
) -> Result<Cow<'a, str>> {
    let mut matches = Matches::new(compiled, text, from);
    let mut replaced = String::new();
    let (mut copied, mut count) = (0, 0);
    let mut is_same = true;
    while let Some(((start, end), groups)) = matches.advance()? {
        count += 1;
        if nth > 0 && count != nth {
            continue;
        }
        is_same = false;
        replaced.push_str(&text[copied..start]);
        for piece in pieces {
            replaced.push_str(match piece {
                Piece::Text(written) => written,
                Piece::Group(group) => groups.get(*group).map_or("", |(from, to)| &text[from..to]),
            });
        }
        check_size(replaced.len())?;
        copied = end;
        if nth > 0 {
            break;
        }
    }
    if is_same {
        return Ok(Cow::Borrowed(text));
    }
    replaced.push_str(&text[copied..]);
    Ok(Cow::Owned(replaced))
}

#[cfg(test)]
mod tests {
    use super::{super::regexp::compile, *};

    #[test]
    fn replacements_are_read_as_in_postgresql() {
        use Piece::{Group, Text};
        for (replacement, expected) in [
            ("", vec![Text("")]),
            ("a$1", vec![Text("a$1")]),
            ("[\\1]", vec![Text("["), Group(1), Text("]")]),
            ("\\12", vec![Text(""), Group(1), Text("2")]),
            ("\\&\\\\1", vec![Text(""), Group(0), Text(""), Text("\\"), Text("1")]),
            ("\\0ä\\q\\", vec![Text("\\0ä\\q\\")]),
        ] {
            assert_eq!(pieces(replacement), expected, "{replacement}");
        }
    }

    /// Expected as PostgreSQL 15 has them.
    #[test]
    fn one_match_is_replaced_or_all() {
        for (text, pattern, start, nth, expected) in [
            ("A PostgreSQL function", "(?i)a|e|i|o|u", 1, 0, "X PXstgrXSQL fXnctXXn"),
            ("A PostgreSQL function", "(?i)a|e|i|o|u", 1, 3, "A PostgrXSQL function"),
            ("A PostgreSQL function", "a|e|i|o|u", 3, 1, "A PXstgreSQL function"),
            ("baac", "a*", 1, 0, "XbXXcX"),
            ("baac", "a*", 1, 2, "bXc"),
            ("éb", "b", 2, 1, "éX"),
            ("éb", "b", 3, 1, "éb"),
            ("ab", "$", 3, 1, "abX"),
            ("ab", "$", 4, 1, "ab"),
        ] {
            let mut compiled = compile(pattern, "").expect("it is an expression");
            let from = byte_of(text, start).expect("it is a place");
            let found = replace(text, from, &mut compiled, nth, &pieces("X")).expect("it is short");
            assert_eq!(found, expected, "{text} {pattern} {start} {nth}");
        }
    }
}

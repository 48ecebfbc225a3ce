//! `regexp_count`, `regexp_instr` and `regexp_substr`: how often an expression matches, where, and what.

use arrow::array::ArrayRef;

use super::{
    parts_of,
    regexp::{Bytes, Compiled, Known, Matches, byte_of, invalid},
};
use crate::{
    fault::Result,
    functions::{Call, Function, Overload},
    pgtype::{INT4, TEXT},
};

pub(super) static REGEXP_COUNT: Function = Function {
    name: "regexp_count",
    purpose: "How often an expression matches, from a place on",
    example: "regexp_count('ABCABCAXYaxy', 'A.', 1, 'i')",
    shows: "4",
    overloads: &[
        Overload::new(&[TEXT, TEXT], INT4, count),
        Overload::new(&[TEXT, TEXT, INT4], INT4, count),
        Overload::new(&[TEXT, TEXT, INT4, TEXT], INT4, count),
    ],
};

pub(super) static REGEXP_INSTR: Function = Function {
    name: "regexp_instr",
    purpose: "The place of the nth match of an expression, or of a group of it: of its start or, with 1, behind its end",
    example: "regexp_instr('ABCDEF', 'c(.)(..)', 1, 1, 0, 'i', 2)",
    shows: "5",
    overloads: &[
        Overload::new(&[TEXT, TEXT], INT4, place),
        Overload::new(&[TEXT, TEXT, INT4], INT4, place),
        Overload::new(&[TEXT, TEXT, INT4, INT4], INT4, place),
        Overload::new(&[TEXT, TEXT, INT4, INT4, INT4], INT4, place),
        Overload::new(&[TEXT, TEXT, INT4, INT4, INT4, TEXT], INT4, place),
        Overload::new(&[TEXT, TEXT, INT4, INT4, INT4, TEXT, INT4], INT4, place),
    ],
};

pub(super) static REGEXP_SUBSTR: Function = Function {
    name: "regexp_substr",
    purpose: "What the nth match of an expression is, or a group of it",
    example: "regexp_substr('ABCDEF', 'c(.)(..)', 1, 1, 'i', 2)",
    shows: "EF",
    overloads: &[
        Overload::new(&[TEXT, TEXT], TEXT, part),
        Overload::new(&[TEXT, TEXT, INT4], TEXT, part),
        Overload::new(&[TEXT, TEXT, INT4, INT4], TEXT, part),
        Overload::new(&[TEXT, TEXT, INT4, INT4, TEXT], TEXT, part),
        Overload::new(&[TEXT, TEXT, INT4, INT4, TEXT, INT4], TEXT, part),
    ],
};

/// An argument that may be left out.
fn number<'a>(call: &Call<'a>, at: usize, otherwise: i32) -> Result<impl Fn(usize) -> i32 + 'a> {
    let numbers = if call.len() > at { Some(call.int4s(at)?) } else { None };
    Ok(move |row| numbers.map_or(otherwise, |numbers| numbers.value(row)))
}

/// Options, which may be left out.
fn options<'a>(call: &Call<'a>, at: usize) -> Result<impl Fn(usize) -> &'a str + 'a> {
    let texts = if call.len() > at { Some(call.texts(at)?) } else { None };
    Ok(move |row| texts.map_or("", |texts| texts.value(row)))
}

fn count(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, patterns) = (call.texts(0)?, call.texts(1)?);
    let (start, flags) = (number(call, 2, 1)?, options(call, 3)?);
    let mut known = Known::default();
    call.int4_of(|row| {
        let text = texts.value(row);
        let from = byte_of(text, start(row))?;
        let mut matches =
            Matches::new(known.without_global(patterns.value(row), flags(row), "regexp_count")?, text, from);
        let mut count = 0;
        while matches.advance()?.is_some() {
            count += 1;
        }
        Ok(Some(count))
    })
}

fn place(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, patterns) = (call.texts(0)?, call.texts(1)?);
    let (start, nth, end) = (number(call, 2, 1)?, number(call, 3, 1)?, number(call, 4, 0)?);
    let (flags, group) = (options(call, 5)?, number(call, 6, 0)?);
    let mut known = Known::default();
    call.int4_of(|row| {
        let text = texts.value(row);
        let (from, nth) = (byte_of(text, start(row))?, positive("n", nth(row))?);
        let is_end = match end(row) {
            0 => false,
            1 => true,
            other => return Err(invalid("endoption", other)),
        };
        let group = usize::try_from(group(row)).map_err(|_| invalid("subexpr", group(row)))?;
        let compiled = known.without_global(patterns.value(row), flags(row), "regexp_instr")?;
        let found = find(text, from, compiled, nth, group)?;
        let before = found.and_then(|(start, end)| text.get(..if is_end { end } else { start }));
        Ok(Some(before.and_then(|before| i32::try_from(before.chars().count() + 1).ok()).unwrap_or(0)))
    })
}

fn part(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, patterns) = (call.texts(0)?, call.texts(1)?);
    let (start, nth) = (number(call, 2, 1)?, number(call, 3, 1)?);
    let (flags, group) = (options(call, 4)?, number(call, 5, 0)?);
    let mut known = Known::default();
    parts_of(call, |row| {
        let text = texts.value(row);
        let (from, nth) = (byte_of(text, start(row))?, positive("n", nth(row))?);
        let group = usize::try_from(group(row)).map_err(|_| invalid("subexpr", group(row)))?;
        let compiled = known.without_global(patterns.value(row), flags(row), "regexp_substr")?;
        Ok(find(text, from, compiled, nth, group)?.and_then(|(start, end)| text.get(start..end)))
    })
}

fn positive(argument: &str, number: i32) -> Result<usize> {
    usize::try_from(number).ok().filter(|number| *number > 0).ok_or_else(|| invalid(argument, number))
}

/// The bytes of the nth match from a byte on, or of a group of it. An expression without groups is its first one.
fn find(text: &str, from: usize, compiled: &mut Compiled, nth: usize, group: usize) -> Result<Option<Bytes>> {
    let mut matches = Matches::new(compiled, text, from);
    for _ in 1..nth {
        if matches.advance()?.is_none() {
            return Ok(None);
        }
    }
    let Some((whole, groups)) = matches.advance()? else { return Ok(None) };
    Ok(match group {
        0 => Some(whole),
        1 if groups.len() == 1 => Some(whole),
        _ => groups.get(group),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{super::regexp::compile, *};

    /// Expected as PostgreSQL 15 has them.
    #[test]
    fn groups_have_places_of_their_own() {
        for (pattern, nth, group, expected) in [
            ("C(.)(..)", 1, 0, Some((2, 6))),
            ("C(.)(..)", 1, 2, Some((4, 6))),
            ("C(.)(..)", 1, 3, None),
            ("C(.)(..)", 2, 0, None),
            ("C", 1, 1, Some((2, 3))),
            ("C", 1, 2, None),
            ("(C)|(D)", 2, 2, Some((3, 4))),
            ("(C)|(D)", 2, 1, None),
            (".", 6, 0, Some((5, 6))),
        ] {
            let mut compiled = compile(pattern, "").unwrap();
            assert_eq!(find("ABCDEF", 0, &mut compiled, nth, group), Ok(expected), "{pattern} {nth} {group}");
        }
    }
}

//! `regexp_match` and `regexp_matches`: the groups of the first match, or of each; NULL for a group that took no part.
//!
//! ```sql
//! SELECT regexp_match('12 EUR', '(\d+) (EUR)?(USD)?'), regexp_matches('a1b2', '[a-z](\d)', 'g')
//! ```

use std::sync::Arc;

use arrow::array::{ArrayRef, ListBuilder, StringBuilder};

use super::{
    ROWS_OF_TEXTS, TEXTS, lists_of, push_all,
    regexp::{Groups, Known, Matches, check_size},
};
use crate::{
    fault::Result,
    functions::{Call, Function, Overload},
    pgtype::TEXT,
};

pub(super) static REGEXP_MATCH: Function = Function {
    name: "regexp_match",
    purpose: "The groups of the first match, or all of it if there are none",
    example: "regexp_match('foobarbequebaz', '(bar)(beque)')",
    shows: "{bar,beque}",
    overloads: &[Overload::new(&[TEXT, TEXT], TEXTS, first), Overload::new(&[TEXT, TEXT, TEXT], TEXTS, first)],
};

pub(super) static REGEXP_MATCHES: Function = Function {
    name: "regexp_matches",
    purpose: "The groups of the first match or, with g, of each, as rows",
    example: "regexp_matches('foobarbequebaz', 'ba(.)', 'g')",
    shows: "{r}",
    overloads: &[
        Overload::new(&[TEXT, TEXT], ROWS_OF_TEXTS, all).called_on_null(),
        Overload::new(&[TEXT, TEXT, TEXT], ROWS_OF_TEXTS, all).called_on_null(),
    ],
};

fn first(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, patterns) = (call.texts(0)?, call.texts(1)?);
    let flags = if call.len() > 2 { Some(call.texts(2)?) } else { None };
    let mut known = Known::default();
    let mut bytes = 0;
    let rows = call.each(|row| {
        let flags = flags.map_or("", |flags| flags.value(row));
        let compiled = known.without_global(patterns.value(row), flags, "regexp_match")?;
        let text = texts.value(row);
        let mut matches = Matches::new(compiled, text, 0);
        let found = matches.advance()?.map(|(whole, groups)| parts(text, whole, groups));
        bytes += found.iter().flatten().flatten().map(|part| part.len()).sum::<usize>();
        check_size(bytes)?;
        Ok(found)
    })?;
    Ok(lists_of(rows))
}

fn all(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, patterns) = (call.texts(0)?, call.texts(1)?);
    let flags = if call.len() > 2 { Some(call.texts(2)?) } else { None };
    let mut known = Known::default();
    let mut bytes = 0;
    let mut rows = ListBuilder::new(ListBuilder::new(StringBuilder::new()));
    for row in 0..call.rows() {
        // Of NULL there are no rows.
        if !(0..call.len()).any(|at| call.is_null(at, row)) {
            let compiled = known.get(patterns.value(row), flags.map_or("", |flags| flags.value(row)))?;
            let (text, is_global) = (texts.value(row), compiled.is_global);
            let mut matches = Matches::new(compiled, text, 0);
            while let Some((whole, groups)) = matches.advance()? {
                let parts = parts(text, whole, groups);
                bytes += parts.iter().flatten().map(|part| part.len()).sum::<usize>();
                check_size(bytes)?;
                push_all(rows.values().values(), parts);
                rows.values().append(true);
                if !is_global {
                    break;
                }
            }
        }
        rows.append(true);
    }
    Ok(Arc::new(rows.finish()))
}

/// The groups of a match, or all of it if there are none.
fn parts<'a>(text: &'a str, whole: (usize, usize), groups: &Groups) -> Vec<Option<&'a str>> {
    let part = |(from, to): (usize, usize)| text.get(from..to);
    match groups.len() {
        1 => vec![part(whole)],
        count => (1..count).map(|group| groups.get(group).and_then(part)).collect(),
    }
}

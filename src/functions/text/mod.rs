//! Texts.

mod automaton;
mod characters;
mod concat;
mod format;
mod lengths;
mod levenshtein;
mod like_escape;
mod normalize;
mod padding;
mod parts;
mod pattern_order;
mod position;
mod preferred;
mod quote_ident;
mod quote_literal;
mod regexp;
mod regexp_find;
mod regexp_match;
mod regexp_replace;
mod regexp_split;
mod regular_expression;
mod replace;
mod reverse;
mod string_to_table;
mod substring;
mod trim;
mod unistr;

use std::sync::Arc;

use arrow::array::{ArrayRef, ListBuilder, StringArray, StringBuilder, StringViewArray};

use super::{Call, Function};
use crate::{
    fault::Result,
    pgtype::{Form, PgType, TEXT},
    print,
};
pub(super) use string_to_table::pieces_of;
pub(crate) use {
    quote_ident::quoted,
    regular_expression::{similar, translated},
    unistr::unescaped,
};

pub(super) const ROOM: &[&Function] = &[
    &characters::CHR,
    &characters::TO_HEX,
    &concat::CONCAT,
    &concat::CONCAT_WS,
    &format::FORMAT,
    &format::FORMAT_OF,
    &lengths::BIT_LENGTH,
    &lengths::CHARACTER_LENGTH,
    &lengths::CHAR_LENGTH,
    &lengths::LENGTH,
    &lengths::OCTET_LENGTH,
    &levenshtein::LEVENSHTEIN,
    &like_escape::LIKE_ESCAPE,
    &normalize::IS_NORMALIZED,
    &normalize::NORMALIZE,
    &padding::LPAD,
    &padding::REPEAT,
    &padding::RPAD,
    &pattern_order::BEFORE,
    &pattern_order::NOT_AFTER,
    &pattern_order::AFTER,
    &pattern_order::NOT_BEFORE,
    &parts::LEFT,
    &parts::RIGHT,
    &position::POSITION,
    &quote_ident::QUOTE_IDENT,
    &quote_literal::QUOTE_LITERAL,
    &quote_literal::QUOTE_NULLABLE,
    &regexp_find::REGEXP_COUNT,
    &regexp_find::REGEXP_INSTR,
    &regexp_find::REGEXP_SUBSTR,
    &regexp_match::REGEXP_MATCH,
    &regexp_match::REGEXP_MATCHES,
    &regexp_replace::REGEXP_REPLACE,
    &regexp_split::REGEXP_SPLIT_TO_ARRAY,
    &regexp_split::REGEXP_SPLIT_TO_TABLE,
    &replace::REPLACE,
    &reverse::REVERSE,
    &string_to_table::STRING_TO_TABLE,
    &substring::OVERLAY,
    &substring::SUBSTR,
    &substring::SUBSTRING,
    &trim::BTRIM,
    &trim::LTRIM,
    &trim::RTRIM,
    &unistr::UNISTR,
];

/// `text[]`.
const TEXTS: PgType = PgType {
    name: "_text",
    words: &[],
    oid: TEXT.array,
    array: 0,
    element: TEXT.oid,
    category: 'A',
    form: Form::Array,
    ..TEXT
};

/// Rows of `text[]`, as a list that is made rows of.
const ROWS_OF_TEXTS: PgType = PgType { element: TEXTS.oid, ..TEXTS };

/// Texts that stand in others.
fn parts_of<'a>(call: &Call<'_>, of_row: impl FnMut(usize) -> Result<Option<&'a str>>) -> Result<ArrayRef> {
    Ok(Arc::new(call.each(of_row)?.into_iter().collect::<StringViewArray>()))
}

/// Lists of texts.
fn lists_of<T: AsRef<str>>(rows: Vec<Option<Vec<Option<T>>>>) -> ArrayRef {
    let mut lists = ListBuilder::new(StringBuilder::new());
    for row in rows {
        let is_valid = row.is_some();
        push_all(lists.values(), row.unwrap_or_default());
        lists.append(is_valid);
    }
    Arc::new(lists.finish())
}

fn push_all<T: AsRef<str>>(values: &mut StringBuilder, texts: Vec<Option<T>>) {
    texts.into_iter().for_each(|text| values.append_option(text));
}

/// The values of an argument of any type as clients see them.
fn printed(call: &Call<'_>, at: usize) -> Result<StringArray> {
    print::texts(call.argument(at)?, print::Form::of_session(call.zone(), call.styles()))
}

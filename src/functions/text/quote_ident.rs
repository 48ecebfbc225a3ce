//! `quote_ident`: names as SQL would write them.

use arrow::array::ArrayRef;

use crate::{
    fault::Result,
    functions::{Call, Function, Overload},
    pgtype::TEXT,
};

pub(super) static QUOTE_IDENT: Function = Function {
    name: "quote_ident",
    purpose: "The text as a name in SQL, between quotes where that is needed",
    example: "quote_ident('a b')",
    shows: "\"a b\"",
    overloads: &[Overload::new(&[TEXT], TEXT, ident)],
};

fn ident(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    call.text_of(|row| Ok(Some(quoted(texts.value(row)))))
}

/// PostgreSQL 15's keywords, but for those that may stand for a name everywhere.
const KEYWORDS: &str = "\
    all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean \
    both case cast char character check coalesce collate collation column concurrently constraint create \
    cross current_catalog current_date current_role current_schema current_time current_timestamp \
    current_user dec decimal default deferrable desc distinct do else end except exists extract false \
    fetch float for foreign freeze from full grant greatest group grouping having ilike in initially \
    inner inout int integer intersect interval into is isnull join lateral leading least left like limit \
    localtime localtimestamp national natural nchar none normalize not notnull null nullif numeric \
    offset on only or order out outer overlaps overlay placing position precision primary real \
    references returning right row select session_user setof similar smallint some substring symmetric \
    table tablesample then time timestamp to trailing treat trim true union unique user using values \
    varchar variadic verbose when where window with xmlattributes xmlconcat xmlelement xmlexists \
    xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable";

/// A name as SQL has it: between double quotes, unless it reads as itself without.
pub(crate) fn quoted(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let begins = name.bytes().next().is_some_and(|first| !first.is_ascii_digit());
    let is_keyword = || KEYWORDS.split(' ').any(|keyword| keyword == name);
    match begins && name.bytes().all(plain) && !is_keyword() {
        true => name.to_owned(),
        false => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As PostgreSQL 15 has them.
    #[test]
    fn names_that_mean_something_else_are_quoted() {
        assert_eq!([quoted("a_1"), quoted("1a"), quoted("")].join(" "), "a_1 \"1a\" \"\"");
        assert_eq!(["all", "user", "left", "xmltable"].map(quoted).join(" "), "\"all\" \"user\" \"left\" \"xmltable\"");
        assert_eq!(["name", "value", "off", "schema"].map(quoted).join(" "), "name value off schema");
        assert_eq!(["A", "a\"b", "_a$", "é"].map(quoted).join(" "), "\"A\" \"a\"\"b\" \"_a$\" \"é\"");
    }
}

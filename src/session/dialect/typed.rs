//! `oid '5'`, `"int4" '6'` and `pg_catalog.numeric(5, 2) '1.234'`: texts behind the name of their type. The parser knows those of
//! types that are words of its own.

use datafusion::sql::sqlparser::{
    ast::{ArrayElemTypeDef, CastKind, DataType, Expr, ObjectName, Value},
    parser::{Parser, ParserError},
    tokenizer::{Token, Word},
};

use super::PostgreSql;
use crate::{
    pgtype::{CHAR, MISSING, by_name},
    session::CATALOG_SCHEMA,
};

/// What a type has in its parentheses at most.
const MOST_MODIFIERS: usize = 2;

/// A text behind the name of its type; none where the parent reads what comes.
pub(super) fn prefix(parser: &mut Parser) -> Option<Result<Expr, ParserError>> {
    let token = |at: usize| &parser.peek_nth_token_ref(at).token;
    let Token::Word(first) = token(0) else { return None };
    let (word, start) = match token(1) {
        Token::Period if is_catalog(first) => match token(2) {
            Token::Word(word) => (word, 3),
            _ => return None,
        },
        Token::LParen => (first, 1),
        token if text_of(token).is_some() => (first, 1),
        _ => return None,
    };
    let (mut at, mut modifiers) = (start, Vec::new());
    if *token(at) == Token::LParen {
        loop {
            let Token::Number(digits, false) = token(at + 1) else { return None };
            // It may be a call of many arguments, and each look at one further away takes longer.
            if modifiers.len() == MOST_MODIFIERS {
                return None;
            }
            modifiers.push(digits.clone());
            at += 2;
            match token(at) {
                Token::Comma => {}
                Token::RParen => break,
                _ => return None,
            }
        }
        at += 1;
    }
    let text = text_of(token(at))?;
    let data_type = named(&folded(word), &modifiers)?;
    if start == 1 && first.quote_style.is_none() && !matches!(data_type, DataType::Custom(..)) {
        return None;
    }
    for _ in 0..=at {
        parser.advance_token();
    }
    let expr = Box::new(Expr::Value(text.into()));
    Some(Ok(Expr::Cast { kind: CastKind::Cast, expr, data_type, array: false, format: None }))
}

/// The type that the parser takes for one that others define, as its name is in quotes or has the catalog's schema; none of
/// another.
pub(crate) fn of_catalog(data_type: &DataType) -> Option<DataType> {
    if let DataType::Array(ArrayElemTypeDef::SquareBracket(element, length)) = data_type {
        let element = Box::new(of_catalog(element)?);
        return Some(DataType::Array(ArrayElemTypeDef::SquareBracket(element, *length)));
    }
    let DataType::Custom(ObjectName(parts), modifiers) = data_type else { return None };
    let parts: Vec<_> = parts.iter().map(|part| part.as_ident()).collect::<Option<_>>()?;
    let name = match parts.as_slice() {
        [name] if name.quote_style.is_some() => name,
        [schema, name] if schema.value.eq_ignore_ascii_case(CATALOG_SCHEMA) => name,
        _ => return None,
    };
    let name = if name.quote_style.is_some() { name.value.clone() } else { name.value.to_lowercase() };
    named(&name, modifiers)
}

/// The type of this name in the catalog.
fn named(name: &str, modifiers: &[String]) -> Option<DataType> {
    let is_known = by_name(name).is_some_and(|known| known.element == 0) || MISSING.contains(&name);
    if !is_known {
        return None;
    }
    // Without quotes it is short for `character`.
    let name = if name == CHAR.name { CHAR.spelling } else { name };
    let text = if modifiers.is_empty() { name.to_owned() } else { format!("{name}({})", modifiers.join(", ")) };
    let mut parser = Parser::new(&PostgreSql).try_with_sql(&text).ok()?;
    let found = parser.parse_data_type().ok()?;
    parser.expect_token(&Token::EOF).ok()?;
    Some(found)
}

/// Whether a word names the catalog's schema.
pub(super) fn is_catalog(word: &Word) -> bool {
    match word.quote_style {
        Some(_) => word.value == CATALOG_SCHEMA,
        None => word.value.eq_ignore_ascii_case(CATALOG_SCHEMA),
    }
}

fn folded(word: &Word) -> String {
    if word.quote_style.is_some() { word.value.clone() } else { word.value.to_lowercase() }
}

fn text_of(token: &Token) -> Option<Value> {
    match token {
        Token::SingleQuotedString(text) => Some(Value::SingleQuotedString(text.clone())),
        Token::EscapedStringLiteral(text) => Some(Value::EscapedStringLiteral(text.clone())),
        Token::DollarQuotedString(text) => Some(Value::DollarQuotedString(text.clone())),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn texts_stand_behind_their_types() {
        for (written, read) in [
            ("oid '5'", "CAST('5' AS oid)"),
            ("NAME 'x'", "CAST('x' AS NAME)"),
            ("\"int4\" '6'", "CAST('6' AS INT4)"),
            ("pg_catalog.int4 '5'", "CAST('5' AS INT4)"),
            ("pg_catalog.\"numeric\"(5, 2) '1.234'", "CAST('1.234' AS NUMERIC(5,2))"),
            ("\"varchar\"(3) 'abcdef'", "CAST('abcdef' AS VARCHAR(3))"),
            ("\"char\" 'a'", "CAST('a' AS \"char\")"),
            ("text 'a'", "TEXT 'a'"),
        ] {
            let read_back = Parser::new(&PostgreSql).try_with_sql(written).unwrap().parse_expr().unwrap().to_string();
            assert_eq!(read_back.to_lowercase(), read.to_lowercase(), "{written}");
        }
        for (written, planned) in [
            ("\"int4\"", Some("INT4")),
            ("pg_catalog.text", Some("TEXT")),
            ("pg_catalog.int2[]", Some("INT2[]")),
            ("\"numeric\"(5, 2)[][]", Some("NUMERIC(5,2)[][]")),
            ("other.int4[]", None),
            ("\"int\"", None),
            ("other.int4", None),
            ("int4", None),
        ] {
            let data_type = Parser::new(&PostgreSql).try_with_sql(written).unwrap().parse_data_type().unwrap();
            assert_eq!(of_catalog(&data_type).map(|found| found.to_string()).as_deref(), planned, "{written}");
        }
    }
}

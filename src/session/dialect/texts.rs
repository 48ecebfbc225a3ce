//! Functions of texts whose arguments have words between them: `substring(a FROM 1 FOR 2)`, `trim(BOTH FROM a)`. They are calls, of
//! the functions that PostgreSQL has for them.
//!
//! The parser knows some of these forms, and has expressions of their own for them, which the planner takes for functions of its
//! own. `VARIADIC` before an argument is a call here, which is written otherwise before a statement is planned.

use datafusion::sql::sqlparser::{
    ast::{Expr, Value},
    keywords::Keyword,
    parser::{Parser, ParserError},
    tokenizer::{Token, Word},
};

use super::{super::rewrite::call, operators::LIKE};

type Result<T> = std::result::Result<T, ParserError>;

/// What VARIADIC before an argument is.
pub(crate) const VARIADIC: &str = "variadic";

/// Reads what stands between the parentheses of a call: the function's name, and its arguments.
type Form = fn(&mut Parser) -> Result<(&'static str, Vec<Expr>)>;

/// The calls that are read here, by their words.
const FORMS: &[(&str, Form)] = &[
    ("normalize", normalize),
    ("overlay", overlay),
    ("position", position),
    ("substr", |parser| Ok(("substr", listed(parser)?))),
    ("substring", substring),
    ("trim", trim),
];

/// A call with words between its arguments, or an argument after VARIADIC; none when the parent reads it.
pub(super) fn prefix(parser: &mut Parser) -> Option<Result<Expr>> {
    let Token::Word(Word { value, quote_style: None, keyword }) = &parser.peek_token_ref().token else { return None };
    if *keyword == Keyword::VARIADIC {
        parser.advance_token();
        return Some(parser.parse_expr().map(|array| call(VARIADIC, vec![array])));
    }
    if parser.peek_nth_token_ref(1).token != Token::LParen {
        return None;
    }
    let (_, form) = FORMS.iter().find(|(name, _)| value.eq_ignore_ascii_case(name))?;
    parser.advance_token();
    parser.advance_token();
    let read = form(parser).and_then(|(name, arguments)| {
        parser.expect_token(&Token::RParen)?;
        Ok(call(name, arguments))
    });
    Some(read)
}

fn listed(parser: &mut Parser) -> Result<Vec<Expr>> {
    parser.parse_comma_separated(Parser::parse_expr)
}

/// `a, NFC`
fn normalize(parser: &mut Parser) -> Result<(&'static str, Vec<Expr>)> {
    let mut arguments = listed(parser)?;
    if let [_, Expr::Identifier(form)] = arguments.as_slice()
        && form.quote_style.is_none()
    {
        let form = Value::SingleQuotedString(form.value.to_ascii_uppercase());
        arguments.truncate(1);
        arguments.push(Expr::Value(form.into()));
    }
    Ok(("normalize", arguments))
}

/// `a PLACING b FROM 1 FOR 2`
fn overlay(parser: &mut Parser) -> Result<(&'static str, Vec<Expr>)> {
    let mut arguments = listed(parser)?;
    if parser.parse_keyword(Keyword::PLACING) {
        arguments.push(parser.parse_expr()?);
        parser.expect_keyword_is(Keyword::FROM)?;
        arguments.push(parser.parse_expr()?);
        if parser.parse_keyword(Keyword::FOR) {
            arguments.push(parser.parse_expr()?);
        }
    }
    Ok(("overlay", arguments))
}

/// `a IN b`, and `b, a`, as it is written out again.
fn position(parser: &mut Parser) -> Result<(&'static str, Vec<Expr>)> {
    let first = parser.parse_subexpr(LIKE)?;
    if parser.consume_token(&Token::Comma) {
        return Ok(("position", vec![first, parser.parse_expr()?]));
    }
    parser.expect_keyword_is(Keyword::IN)?;
    Ok(("position", vec![parser.parse_expr()?, first]))
}

/// `a FROM 1 FOR 2`, in either order, and `a SIMILAR b ESCAPE c`.
fn substring(parser: &mut Parser) -> Result<(&'static str, Vec<Expr>)> {
    let mut arguments = listed(parser)?;
    if parser.parse_keyword(Keyword::SIMILAR) {
        arguments.push(parser.parse_expr()?);
        parser.expect_keyword_is(Keyword::ESCAPE)?;
        arguments.push(parser.parse_expr()?);
    } else if parser.parse_keyword(Keyword::FROM) {
        arguments.push(parser.parse_expr()?);
        if parser.parse_keyword(Keyword::FOR) {
            arguments.push(parser.parse_expr()?);
        }
    } else if parser.parse_keyword(Keyword::FOR) {
        let length = parser.parse_expr()?;
        let start = match parser.parse_keyword(Keyword::FROM) {
            true => parser.parse_expr()?,
            false => Expr::Value(Value::Number("1".to_owned(), false).into()),
        };
        arguments.extend([start, length]);
    }
    Ok(("substring", arguments))
}

/// `BOTH a FROM b`
fn trim(parser: &mut Parser) -> Result<(&'static str, Vec<Expr>)> {
    let name = match parser.parse_one_of_keywords(&[Keyword::BOTH, Keyword::LEADING, Keyword::TRAILING]) {
        Some(Keyword::LEADING) => "ltrim",
        Some(Keyword::TRAILING) => "rtrim",
        _ => "btrim",
    };
    if parser.parse_keyword(Keyword::FROM) {
        return Ok((name, listed(parser)?));
    }
    let mut arguments = listed(parser)?;
    if parser.parse_keyword(Keyword::FROM) {
        let texts = listed(parser)?;
        arguments.splice(0..0, texts);
    }
    Ok((name, arguments))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::session::PostgreSql;

    use super::*;

    fn parsed(text: &str) -> Result<String> {
        let mut parser = Parser::new(&PostgreSql).try_with_sql(text)?;
        let expression = parser.parse_expr()?;
        parser.expect_token(&Token::EOF)?;
        Ok(expression.to_string())
    }

    #[test]
    fn words_stand_between_arguments() {
        for (text, expected) in [
            ("substring(a FROM 2 FOR 3)", "substring(a, 2, 3)"),
            ("SUBSTRING(a FOR 3 FROM 2)", "substring(a, 2, 3)"),
            ("substring(a FOR b + 1)", "substring(a, 1, b + 1)"),
            ("substring(a || b FROM 'x')", "substring(a || b, 'x')"),
            ("substring(a SIMILAR 'x' ESCAPE '#')", "substring(a, 'x', '#')"),
            ("substring(a SIMILAR TO 'x', 2)", "substring(a SIMILAR TO 'x', 2)"),
            ("substr(a, 2)", "substr(a, 2)"),
            ("trim(a)", "btrim(a)"),
            ("trim(a, b)", "btrim(a, b)"),
            ("trim(b FROM a)", "btrim(a, b)"),
            ("trim(BOTH FROM a)", "btrim(a)"),
            ("trim(LEADING b FROM a)", "ltrim(a, b)"),
            ("trim(TRAILING FROM a)", "rtrim(a)"),
            ("trim(FROM a)", "btrim(a)"),
            ("position(a || b IN c)", "position(c, a || b)"),
            ("position(c, a || b)", "position(c, a || b)"),
            ("overlay(a PLACING b FROM 2 FOR 3)", "overlay(a, b, 2, 3)"),
            ("overlay(a, b, 2)", "overlay(a, b, 2)"),
            ("normalize(a, nfc)", "normalize(a, 'NFC')"),
            ("normalize(a)", "normalize(a)"),
            ("f(a, VARIADIC b)", "f(a, variadic(b))"),
            ("\"trim\"(a)", "\"trim\"(a)"),
        ] {
            assert_eq!(parsed(text).unwrap(), expected, "{text}");
        }
        for wrong in ["substring(a FROM)", "trim(a FROM b", "position(a)", "overlay(a PLACING b)", "trim()"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }
}

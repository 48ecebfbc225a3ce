//! `interval(3) '1.23456'`, whose digits the parser forgets.

use datafusion::sql::sqlparser::{
    ast::{Expr, Interval, Value},
    keywords::Keyword,
    parser::{Parser, ParserError},
    tokenizer::Token,
};

/// An interval that says its digits before its text; none of what is none.
pub(super) fn prefix(parser: &mut Parser) -> Option<Result<Expr, ParserError>> {
    let is_interval =
        matches!(&parser.peek_nth_token_ref(0).token, Token::Word(word) if word.keyword == Keyword::INTERVAL);
    if !is_interval || parser.peek_nth_token_ref(1).token != Token::LParen {
        return None;
    }
    let Token::Number(digits, _) = &parser.peek_nth_token_ref(2).token else { return None };
    let digits = digits.parse().ok()?;
    if parser.peek_nth_token_ref(3).token != Token::RParen {
        return None;
    }
    let Token::SingleQuotedString(text) = &parser.peek_nth_token_ref(4).token else { return None };
    let value = Value::SingleQuotedString(text.clone());
    for _ in 0..5 {
        parser.advance_token();
    }
    Some(Ok(Expr::Interval(Interval {
        value: Box::new(Expr::Value(value.into())),
        leading_field: None,
        leading_precision: None,
        last_field: None,
        fractional_seconds_precision: Some(digits),
    })))
}

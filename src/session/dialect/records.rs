//! `(t).*`, which is `t.*`.

use datafusion::sql::sqlparser::{
    ast::{Expr, ObjectName, helpers::attached_token::AttachedToken},
    parser::{Parser, ParserError},
    tokenizer::Token,
};

/// All columns of an item of FROM whose name stands in parentheses; none of what is none.
pub(super) fn prefix(parser: &mut Parser) -> Option<Result<Expr, ParserError>> {
    let comes = |at: usize, token: &Token| parser.peek_nth_token_ref(at).token == *token;
    let is_all =
        comes(0, &Token::LParen) && comes(2, &Token::RParen) && comes(3, &Token::Period) && comes(4, &Token::Mul);
    if !is_all {
        return None;
    }
    let named = parser.peek_nth_token_ref(1);
    let Token::Word(word) = named.token.clone() else { return None };
    let (name, star) = (word.into_ident(named.span), parser.peek_nth_token_ref(4).clone());
    for _ in 0..5 {
        parser.advance_token();
    }
    Some(Ok(Expr::QualifiedWildcard(ObjectName::from(name), AttachedToken(star))))
}

//! Queries that start with a parenthesis: `((SELECT …) UNION SELECT …)`.
//!
//! The parser takes what stands in parentheses for a query where SELECT or WITH comes first. What comes after the inner
//! parenthesis tells whether another one encloses a query or an expression.

use datafusion::sql::sqlparser::{
    ast::{BinaryOperator, Expr},
    keywords::Keyword,
    parser::{Parser, ParserError},
    tokenizer::{Token, Word},
};

type Result<T> = std::result::Result<T, ParserError>;

/// The subquery that comes next; none when the parent reads what comes.
pub(super) fn prefix(parser: &mut Parser) -> Option<Result<Expr>> {
    starts_query(parser, 0).then(|| {
        parser.advance_token();
        let query = parser.parse_query()?;
        parser.expect_token(&Token::RParen)?;
        Ok(Expr::Subquery(query))
    })
}

/// A comparison with ANY, SOME or ALL of such a query.
pub(super) fn quantified(parser: &mut Parser, left: &Expr, compare_op: &BinaryOperator) -> Option<Result<Expr>> {
    let Token::Word(Word { keyword, .. }) = parser.peek_nth_token_ref(1).token else { return None };
    if !starts_query(parser, 2) {
        return None;
    }
    parser.advance_token();
    parser.advance_token();
    let (left, compare_op) = (Box::new(left.clone()), compare_op.clone());
    Some(prefix(parser)?.map(|right| {
        let right = Box::new(right);
        match keyword {
            Keyword::ALL => Expr::AllOp { left, compare_op, right },
            _ => Expr::AnyOp { left, compare_op, right, is_some: keyword == Keyword::SOME },
        }
    }))
}

/// What stands behind ANY, SOME or ALL of an operator of this rank: a query or an array, in parentheses.
pub(super) fn compared_with(parser: &mut Parser, precedence: u8) -> Result<Expr> {
    if let Some(query) = prefix(parser) {
        return query;
    }
    let first = keyword(&parser.peek_nth_token_ref(1).token);
    if matches!(first, Keyword::SELECT | Keyword::WITH | Keyword::VALUES) {
        return parser.parse_subexpr(precedence);
    }
    parser.expect_token(&Token::LParen)?;
    let array = parser.parse_expr()?;
    parser.expect_token(&Token::RParen)?;
    Ok(array)
}

/// Whether the token after the next `skipped` ones opens a query that itself starts with a parenthesis.
fn starts_query(parser: &Parser, skipped: usize) -> bool {
    let opens = |at: usize| parser.peek_nth_token_ref(at).token == Token::LParen;
    if !opens(skipped) || !opens(skipped + 1) {
        return false;
    }
    // The tokens that follow, but white space, from the outer parenthesis on. The current one was read.
    let current = parser.get_current_index();
    let start = current + usize::from(current > 0);
    let solid = (start..)
        .map(|index| &parser.token_at(index).token)
        .skip_while(|token| **token != Token::LParen)
        .filter(|token| !matches!(token, Token::Whitespace(_)));
    let first = solid.clone().find(|token| **token != Token::LParen).map_or(Keyword::NoKeyword, keyword);
    if !matches!(first, Keyword::SELECT | Keyword::WITH | Keyword::VALUES) {
        return false;
    }
    // From the inner one on.
    let mut solid = solid.skip(1);
    let mut depth = 0_usize;
    for token in solid.by_ref() {
        match token {
            Token::LParen => depth += 1,
            Token::RParen => depth -= 1,
            Token::EOF => return false,
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    use Keyword::{EXCEPT, FETCH, INTERSECT, LIMIT, OFFSET, ORDER, UNION};
    let next = solid.next().map_or(Keyword::NoKeyword, keyword);
    matches!(next, UNION | INTERSECT | EXCEPT | ORDER | LIMIT | OFFSET | FETCH)
}

/// The keyword that a token is; one in quotes is a name.
pub(crate) fn keyword(token: &Token) -> Keyword {
    match token {
        Token::Word(Word { quote_style: None, keyword, .. }) => *keyword,
        _ => Keyword::NoKeyword,
    }
}

//! Elements of GROUP BY that are no expressions: `ROLLUP (a, (b, c))`, `CUBE (…)`, `GROUPING SETS (…)`, `()` and DISTINCT.
//!
//! The parser takes a parenthesis that begins an element of these for a list of columns, and fails where it begins an
//! expression, as in `ROLLUP ((a + 1) * 2)`. Here each element is read as an expression; one in parentheses, or several, are a
//! list.

use datafusion::sql::sqlparser::{
    ast::{Expr, Ident},
    keywords::Keyword,
    parser::{Parser, ParserError},
    tokenizer::Token,
};

use super::queries::keyword;

type Result<T> = std::result::Result<T, ParserError>;

/// So far back is looked for GROUP BY, from each element that is no expression.
const MAX_TOKENS: usize = 4096;

/// What the first element of `GROUP BY DISTINCT` is prefixed with.
pub(crate) const DISTINCT: &str = "DISTINCT";

/// The element that comes next; none when the parent reads what comes.
pub(super) fn prefix(parser: &mut Parser) -> Option<Result<Expr>> {
    (begins_element(parser) && within_group_by(parser)).then(|| element(parser))
}

fn begins_element(parser: &Parser) -> bool {
    let next = |at: usize| &parser.peek_nth_token_ref(at).token;
    match next(0) {
        Token::LParen => *next(1) == Token::RParen,
        other => keyword(other) == Keyword::DISTINCT || are_sets(parser, 0),
    }
}

/// Whether `ROLLUP (`, `CUBE (` or `GROUPING SETS (` comes after so many tokens.
fn are_sets(parser: &Parser, skipped: usize) -> bool {
    let next = |at: usize| &parser.peek_nth_token_ref(skipped + at).token;
    match keyword(next(0)) {
        Keyword::ROLLUP | Keyword::CUBE => *next(1) == Token::LParen,
        Keyword::GROUPING => keyword(next(1)) == Keyword::SETS && *next(2) == Token::LParen,
        _ => false,
    }
}

/// Whether what comes next is in a GROUP BY, and no parenthesis is open there.
fn within_group_by(parser: &Parser) -> bool {
    use Keyword::{
        BY, FROM, GROUP, HAVING, LIMIT, NoKeyword, OFFSET, ON, QUALIFY, RETURNING, SELECT, SET, VALUES, WHERE, WINDOW,
    };
    let before = (0..=parser.get_current_index()).rev().take(MAX_TOKENS).map(|index| &parser.token_at(index).token);
    let mut before = before.filter(|token| !matches!(token, Token::Whitespace(_)));
    let mut depth = 0_usize;
    while let Some(token) = before.next() {
        match token {
            Token::RParen => depth += 1,
            Token::LParen if depth == 0 => return false,
            Token::LParen => depth -= 1,
            word if depth == 0 => match keyword(word) {
                BY => return before.next().map_or(NoKeyword, keyword) == GROUP,
                FROM | HAVING | LIMIT | OFFSET | ON | QUALIFY | RETURNING | SELECT | SET | VALUES | WHERE | WINDOW => {
                    return false;
                }
                _ => {}
            },
            _ => {}
        }
    }
    false
}

fn element(parser: &mut Parser) -> Result<Expr> {
    if parser.parse_keyword(Keyword::DISTINCT) {
        return Ok(Expr::Prefixed { prefix: Ident::new(DISTINCT), value: Box::new(parser.parse_expr()?) });
    }
    if is_empty(parser) {
        return Ok(Expr::Tuple(Vec::new()));
    }
    sets(parser)
}

fn sets(parser: &mut Parser) -> Result<Expr> {
    let kind = parser.expect_one_of_keywords(&[Keyword::ROLLUP, Keyword::CUBE, Keyword::GROUPING])?;
    if kind == Keyword::GROUPING {
        parser.expect_keyword_is(Keyword::SETS)?;
    }
    parser.expect_token(&Token::LParen)?;
    let lists = match kind {
        Keyword::GROUPING => parser.parse_comma_separated(set)?,
        _ => parser.parse_comma_separated(list)?,
    };
    parser.expect_token(&Token::RParen)?;
    Ok(match kind {
        Keyword::ROLLUP => Expr::Rollup(lists),
        Keyword::CUBE => Expr::Cube(lists),
        _ => Expr::GroupingSets(lists),
    })
}

/// A set of GROUPING SETS, which may have no column, or be an element that has several sets.
fn set(parser: &mut Parser) -> Result<Vec<Expr>> {
    if is_empty(parser) {
        return Ok(Vec::new());
    }
    if are_sets(parser, 0) {
        return Ok(vec![sets(parser)?]);
    }
    // So they are written again.
    if parser.peek_token_ref().token == Token::LParen && are_sets(parser, 1) {
        parser.advance_token();
        let element = sets(parser)?;
        parser.expect_token(&Token::RParen)?;
        return Ok(vec![element]);
    }
    list(parser)
}

fn list(parser: &mut Parser) -> Result<Vec<Expr>> {
    Ok(match parser.parse_expr()? {
        Expr::Tuple(columns) => columns,
        Expr::Nested(column) => vec![*column],
        column => vec![column],
    })
}

/// Whether `()` came.
fn is_empty(parser: &mut Parser) -> bool {
    parser.consume_tokens(&[Token::LParen, Token::RParen])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::session::PostgreSql;

    fn parsed(groups: &str) -> Result<String> {
        let mut parser = Parser::new(&PostgreSql).try_with_sql(&format!("SELECT 1 FROM t GROUP BY {groups}"))?;
        let query = parser.parse_query()?;
        let rest = parser.peek_token();
        if rest.token != Token::EOF {
            return parser.expected("the end", rest);
        }
        Ok(query.to_string().replace("SELECT 1 FROM t GROUP BY ", ""))
    }

    #[test]
    fn elements_are_written_as_they_were_read() {
        for text in [
            "ROLLUP ((a)::TEXT, b)",
            "CUBE ((a + 1) * 2, (b, c), d)",
            "ROLLUP ((SELECT 1), a)",
            "a, (), GROUPING SETS (((a + 1) * 2), (), (b, c), (ROLLUP (a, b)), (GROUPING SETS ((a), (b))))",
            "DISTINCT ROLLUP (a), CUBE (b)",
            "DISTINCT a, b HAVING count(DISTINCT c) > 1",
        ] {
            assert_eq!(parsed(text).unwrap(), text);
        }
    }

    #[test]
    fn a_set_is_an_expression_or_a_list() {
        let written = "GROUPING SETS ((a + 1) * 2, (), a, CUBE ((b)))";
        assert_eq!(parsed(written).unwrap(), "GROUPING SETS (((a + 1) * 2), (), (a), (CUBE (b)))");
    }

    #[test]
    fn elements_stand_in_group_by_alone() {
        assert!(parsed("ROLLUP ()").is_err());
        assert!(parsed("a HAVING ()").is_err());
        assert!(parsed("f(DISTINCT a), g(())").is_err());
        assert!(Parser::new(&PostgreSql).try_with_sql("cube(a)").unwrap().parse_expr().is_ok());
    }
}

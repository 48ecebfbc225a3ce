//! How tightly operators bind: PostgreSQL's table.
//!
//! The parser asks for the precedence of the next token and reads what stands right of most operators by itself. Here is
//! what it reads otherwise than PostgreSQL: operators that bind more or less tightly, and comparisons, which don't
//! associate: `1 < 2 < 3` is an error.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::{
    ast::{BinaryOperator, Expr, UnaryOperator, visit_expressions},
    keywords::Keyword,
    parser::{Parser, ParserError},
    tokenizer::{Token, Word},
};

use super::{PostgreSql, queries, typed};

type Result<T> = std::result::Result<T, ParserError>;

/// A sign binds more tightly than everything but `::`, `[…]` and `.`.
const SIGN: u8 = 125;
/// Operators that have no place of their own.
const OTHER: u8 = 70;
pub(super) const LIKE: u8 = 60;
const COMPARISON: u8 = 50;
const IS: u8 = 40;

/// The precedence of an operator between or after operands, where the parent's differs.
pub(super) fn precedence(parser: &Parser) -> Option<u8> {
    match &parser.peek_token_ref().token {
        Token::Tilde
        | Token::TildeAsterisk
        | Token::ExclamationMarkTilde
        | Token::ExclamationMarkTildeAsterisk
        | Token::DoubleTilde
        | Token::DoubleTildeAsterisk
        | Token::ExclamationMarkDoubleTilde
        | Token::ExclamationMarkDoubleTildeAsterisk
        | Token::Spaceship
        | Token::DoubleEq => Some(OTHER),
        Token::Word(word) if is_word(word, Keyword::OPERATOR) => Some(OTHER),
        Token::Word(word) if is_isnull(word) => Some(IS),
        // The word of `substring(a SIMILAR b ESCAPE c)` is no operator.
        Token::Word(word) if is_word(word, Keyword::SIMILAR) => match &parser.peek_nth_token_ref(1).token {
            Token::Word(next) if is_word(next, Keyword::TO) => None,
            _ => Some(0),
        },
        _ => None,
    }
}

/// An operator before its operand; none when the parent reads it.
pub(super) fn prefix(parser: &mut Parser) -> Option<Result<Expr>> {
    let (op, precedence) = match parser.peek_token_ref().token {
        Token::Minus => (UnaryOperator::Minus, SIGN),
        Token::Plus => (UnaryOperator::Plus, SIGN),
        Token::Tilde => (UnaryOperator::BitwiseNot, OTHER),
        Token::AtSign => (UnaryOperator::PGAbs, OTHER),
        Token::PGSquareRoot => (UnaryOperator::PGSquareRoot, OTHER),
        Token::PGCubeRoot => (UnaryOperator::PGCubeRoot, OTHER),
        _ => return None,
    };
    parser.advance_token();
    let operand = parser.parse_subexpr(precedence);
    Some(operand.map(|operand| Expr::UnaryOp { op, expr: Box::new(apart(operand)) }))
}

/// Two signs in a row would be a comment when the expression is written out again.
fn apart(operand: Expr) -> Expr {
    match operand {
        Expr::UnaryOp { .. } => Expr::Nested(Box::new(operand)),
        other => other,
    }
}

/// What stands right of `left` and its operator; none when the parent reads it.
pub(super) fn infix(parser: &mut Parser, left: &Expr) -> Option<Result<Expr>> {
    if ends_deep(left) {
        return Some(Err(ParserError::RecursionLimitExceeded));
    }
    let token = parser.peek_token_ref();
    let op = match &token.token {
        Token::Eq => BinaryOperator::Eq,
        Token::Neq => BinaryOperator::NotEq,
        Token::Lt => BinaryOperator::Lt,
        Token::LtEq => BinaryOperator::LtEq,
        Token::Gt => BinaryOperator::Gt,
        Token::GtEq => BinaryOperator::GtEq,
        Token::Word(word) if is_isnull(word) => {
            parser.advance_token();
            return Some(Ok(Expr::IsNull(Box::new(left.clone()))));
        }
        Token::Word(word) => {
            let word = word.clone();
            return by_word(parser, left, &word);
        }
        _ => return None,
    };
    if let Token::Word(Word { keyword: Keyword::ANY | Keyword::ALL | Keyword::SOME, .. }) =
        parser.peek_nth_token_ref(1).token
    {
        return queries::quantified(parser, left, &op);
    }
    parser.advance_token();
    Some(compared(parser, left, op))
}

/// Operators after one operand in a row, as in `a AT TIME ZONE 'UTC' AT TIME ZONE 'UTC'`: what parentheses would nest, and
/// nobody writes.
const MAX_AFTER: usize = 100;

fn ends_deep(mut operand: &Expr) -> bool {
    for _ in 0..MAX_AFTER {
        operand = match operand {
            Expr::AtTimeZone { timestamp: inner, .. }
            | Expr::Collate { expr: inner, .. }
            | Expr::Cast { expr: inner, .. }
            | Expr::InList { expr: inner, .. }
            | Expr::InSubquery { expr: inner, .. }
            | Expr::IsNull(inner)
            | Expr::IsNotNull(inner) => inner,
            _ => return false,
        };
    }
    true
}

fn compared(parser: &mut Parser, left: &Expr, op: BinaryOperator) -> Result<Expr> {
    let right = parser.parse_subexpr(COMPARISON)?;
    alone(parser, COMPARISON)?;
    let (left, right) = (Box::new(comparison_apart(left.clone())), Box::new(comparison_apart(right)));
    Ok(Expr::BinaryOp { left, op, right })
}

/// A comparison that was written by its operator's name binds as tightly as other operators.
fn comparison_apart(operand: Expr) -> Expr {
    use BinaryOperator::{Eq, Gt, GtEq, Lt, LtEq, NotEq};
    match operand {
        Expr::BinaryOp { op: Eq | NotEq | Lt | LtEq | Gt | GtEq, .. } => in_parentheses(operand),
        other => other,
    }
}

fn by_word(parser: &mut Parser, left: &Expr, word: &Word) -> Option<Result<Expr>> {
    if let Some(negated) = take_distinct(parser) {
        return Some(distinct(parser, left, negated));
    }
    if is_word(word, Keyword::OPERATOR) {
        return named(parser, left);
    }
    let keyword = |at: usize| match &parser.peek_nth_token_ref(at).token {
        Token::Word(word) => word.keyword,
        _ => Keyword::NoKeyword,
    };
    if is_word(word, Keyword::COLLATE) {
        parser.advance_token();
        let collation = parser.parse_object_name(false);
        return Some(collation.map(|collation| Expr::Collate { expr: Box::new(left.clone()), collation }));
    }
    match (word.keyword, keyword(1), keyword(2), keyword(3)) {
        (Keyword::LIKE, Keyword::ANY, ..) | (Keyword::ILIKE, Keyword::ANY, ..) => None,
        (Keyword::LIKE, ..) => Some(like(parser, left, 1)),
        (Keyword::ILIKE, ..) => Some(like(parser, left, 1)),
        (Keyword::SIMILAR, Keyword::TO, ..) => Some(like(parser, left, 2)),
        (Keyword::NOT, Keyword::LIKE | Keyword::ILIKE, Keyword::ANY, _) => None,
        (Keyword::NOT, Keyword::LIKE | Keyword::ILIKE, ..) => Some(like(parser, left, 2)),
        (Keyword::NOT, Keyword::SIMILAR, Keyword::TO, _) => Some(like(parser, left, 3)),
        (Keyword::BETWEEN, ..) => {
            skip(parser, 1);
            Some(between(parser, left, false))
        }
        (Keyword::NOT, Keyword::BETWEEN, ..) => {
            skip(parser, 2);
            Some(between(parser, left, true))
        }
        _ => None,
    }
}

/// What stands right of an operator that is written by its name, as `OPERATOR(pg_catalog.+)`; none where it is none of
/// PostgreSQL's. All such operators are of one rank, whatever those are that they name.
fn named(parser: &mut Parser, left: &Expr) -> Option<Result<Expr>> {
    let (op, tokens) = operator_named(parser)?;
    skip(parser, tokens);
    Some(beside_named(parser, left, op))
}

fn beside_named(parser: &mut Parser, left: &Expr, op: BinaryOperator) -> Result<Expr> {
    let left = Box::new(in_parentheses(left.clone()));
    if let Some(keyword) = parser.parse_one_of_keywords(&[Keyword::ANY, Keyword::SOME, Keyword::ALL]) {
        let right = Box::new(queries::compared_with(parser, OTHER)?);
        return Ok(match keyword {
            Keyword::ALL => Expr::AllOp { left, compare_op: op, right },
            _ => Expr::AnyOp { left, compare_op: op, right, is_some: keyword == Keyword::SOME },
        });
    }
    let right = Box::new(in_parentheses(parser.parse_subexpr(OTHER)?));
    Ok(Expr::BinaryOp { left, op, right })
}

/// An operand that is written out again as it was read, whatever the ranks of the operators are by themselves.
fn in_parentheses(operand: Expr) -> Expr {
    match operand {
        Expr::BinaryOp { .. } => Expr::Nested(Box::new(operand)),
        other => other,
    }
}

/// Signs that the parser makes of one operator at most.
const MAX_SIGNS: usize = 4;

/// The operator that comes next by its name, and how many tokens that takes.
fn operator_named(parser: &Parser) -> Option<(BinaryOperator, usize)> {
    let token = |at: usize| &parser.peek_nth_token_ref(at).token;
    if *token(1) != Token::LParen {
        return None;
    }
    let start = match (token(2), token(3)) {
        (Token::Word(schema), Token::Period) if typed::is_catalog(schema) => 4,
        _ => 2,
    };
    let signs: Vec<&Token> =
        (start..=start + MAX_SIGNS).map(token).take_while(|sign| **sign != Token::RParen).collect();
    if signs.is_empty() || signs.len() > MAX_SIGNS || signs.iter().any(|sign| matches!(sign, Token::Word(_))) {
        return None;
    }
    let signs_read = signs.len();
    let text: String = signs.into_iter().map(Token::to_string).collect();
    let mut operands = Parser::new(&PostgreSql).try_with_sql(&format!("a {text} b")).ok()?;
    match operands.parse_expr().ok()? {
        Expr::BinaryOp { left, op, right }
            if matches!((left.as_ref(), right.as_ref()), (Expr::Identifier(_), Expr::Identifier(_)))
                && operands.peek_token_ref().token == Token::EOF =>
        {
            Some((op, start + signs_read + 1))
        }
        _ => None,
    }
}

/// `IS [NOT] DISTINCT FROM`, consumed, and whether it has NOT.
fn take_distinct(parser: &mut Parser) -> Option<bool> {
    use Keyword::{DISTINCT, FROM, IS, NOT};
    let negated = parser.parse_keywords(&[IS, NOT, DISTINCT, FROM]);
    (negated || parser.parse_keywords(&[IS, DISTINCT, FROM])).then_some(negated)
}

fn distinct(parser: &mut Parser, left: &Expr, negated: bool) -> Result<Expr> {
    let right = parser.parse_subexpr(IS)?;
    alone(parser, IS)?;
    let (left, right) = (Box::new(left.clone()), Box::new(right));
    Ok(if negated { Expr::IsNotDistinctFrom(left, right) } else { Expr::IsDistinctFrom(left, right) })
}

/// `[NOT] LIKE`, `ILIKE` and `SIMILAR TO`, which are `words` words.
fn like(parser: &mut Parser, left: &Expr, words: usize) -> Result<Expr> {
    let negated = parser.parse_keyword(Keyword::NOT);
    let kind = parser.peek_token_ref().token.clone();
    skip(parser, words - usize::from(negated));
    let pattern = Box::new(parser.parse_subexpr(LIKE)?);
    let escape_char = parser.parse_escape_char()?;
    alone(parser, LIKE)?;
    let (expr, any) = (Box::new(left.clone()), false);
    Ok(match kind {
        Token::Word(Word { keyword: Keyword::ILIKE, .. }) => Expr::ILike { negated, any, expr, pattern, escape_char },
        Token::Word(Word { keyword: Keyword::SIMILAR, .. }) => Expr::SimilarTo { negated, expr, pattern, escape_char },
        _ => Expr::Like { negated, any, expr, pattern, escape_char },
    })
}

/// The lower bound ends at AND and may hold a comparison, the upper one may not: as in PostgreSQL. Either bound of a symmetric
/// one may be the lower.
fn between(parser: &mut Parser, left: &Expr, negated: bool) -> Result<Expr> {
    let symmetric = match &parser.peek_token_ref().token {
        Token::Word(word) if is_word(word, Keyword::SYMMETRIC) => true,
        Token::Word(word) if is_word(word, Keyword::ASYMMETRIC) => {
            parser.advance_token();
            false
        }
        _ => false,
    };
    if symmetric {
        parser.advance_token();
    }
    let bound = parser.peek_token_ref().clone();
    let mut low = parser.parse_subexpr(IS)?;
    if let Some(negated) = take_distinct(parser) {
        low = distinct(parser, &low, negated)?;
    }
    if !may_be_lower_bound(&low) {
        return parser.expected("parentheses around a lower bound that is a condition", bound);
    }
    parser.expect_keyword_is(Keyword::AND)?;
    let high = parser.parse_subexpr(LIKE)?;
    alone(parser, LIKE)?;
    let within = |low: Expr, high: Expr| Expr::Between {
        expr: Box::new(left.clone()),
        negated,
        low: Box::new(low),
        high: Box::new(high),
    };
    if !symmetric {
        return Ok(within(low, high));
    }
    check_doubled([left, &low, &high])?;
    let (low, high) = (enclosed(low), enclosed(high));
    let either = Expr::BinaryOp {
        left: Box::new(Expr::Nested(Box::new(within(low.clone(), high.clone())))),
        op: if negated { BinaryOperator::And } else { BinaryOperator::Or },
        right: Box::new(Expr::Nested(Box::new(within(high, low)))),
    };
    Ok(Expr::Nested(Box::new(either)))
}

/// Parts of the operands of a BETWEEN SYMMETRIC, each of which is written twice: one within another doubles them again.
const MAX_DOUBLED: usize = 10_000;

fn check_doubled(operands: [&Expr; 3]) -> Result<()> {
    let mut parts = 0;
    for operand in operands {
        let counted = visit_expressions(operand, |_| {
            parts += 1;
            if parts > MAX_DOUBLED { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        if counted.is_break() {
            let message = format!("the operands of BETWEEN SYMMETRIC have more than {MAX_DOUBLED} parts; use BETWEEN");
            return Err(ParserError::ParserError(message));
        }
    }
    Ok(())
}

/// A bound that may stand in the other's place.
fn enclosed(bound: Expr) -> Expr {
    match bound {
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Value(_) | Expr::Nested(_) | Expr::Tuple(_) => bound,
        other => Expr::Nested(Box::new(other)),
    }
}

fn may_be_lower_bound(expression: &Expr) -> bool {
    match expression {
        Expr::BinaryOp { left, right, .. } => may_be_lower_bound(left) && may_be_lower_bound(right),
        Expr::UnaryOp { op: UnaryOperator::Not, .. } => false,
        Expr::UnaryOp { expr, .. } => may_be_lower_bound(expr),
        Expr::Between { .. }
        | Expr::Like { .. }
        | Expr::ILike { .. }
        | Expr::SimilarTo { .. }
        | Expr::InList { .. }
        | Expr::InSubquery { .. }
        | Expr::AtTimeZone { .. } => false,
        _ => true,
    }
}

/// Refuses an operator that would have to associate with one of its own rank.
fn alone(parser: &Parser, precedence: u8) -> Result<()> {
    if parser.get_next_precedence()? == precedence {
        let token = parser.peek_token_ref().clone();
        return parser.expected("parentheses around one of two comparisons", token);
    }
    Ok(())
}

fn skip(parser: &mut Parser, tokens: usize) {
    (0..tokens).for_each(|_| parser.advance_token());
}

fn is_word(word: &Word, keyword: Keyword) -> bool {
    word.quote_style.is_none() && word.keyword == keyword
}

/// PostgreSQL's own word for `IS NULL`; the parser does not know it as a keyword.
fn is_isnull(word: &Word) -> bool {
    word.quote_style.is_none() && word.value.eq_ignore_ascii_case("isnull")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use datafusion::sql::sqlparser::ast::Value;

    use super::*;

    /// What PostgreSQL 15 makes of pairs of operators: as `pg_get_viewdef` writes them over columns of one type that has
    /// all the operators.
    const PAIRS: &str = include_str!("pairs.txt");

    fn parsed(text: &str) -> Result<Expr> {
        let mut parser = Parser::new(&PostgreSql).try_with_sql(text)?;
        let expression = parser.parse_expr()?;
        let rest = parser.peek_token();
        if rest.token != Token::EOF {
            return parser.expected("the end", rest);
        }
        Ok(expression)
    }

    /// The expression with parentheses around each operator.
    fn grouped(expression: &Expr) -> String {
        let infix = |left: &Expr, op: &str, right: &Expr| format!("({} {op} {})", grouped(left), grouped(right));
        let not = |negated: bool| if negated { "!" } else { "" };
        match expression {
            Expr::Identifier(name) => name.value.clone(),
            Expr::Nested(inner) => grouped(inner),
            Expr::Cast { expr, .. } => grouped(expr),
            Expr::UnaryOp { op, expr } => format!("({op} {})", grouped(expr)),
            Expr::BinaryOp { op: op @ (BinaryOperator::And | BinaryOperator::Or), .. } => {
                format!("({})", chain(expression, op).join(&format!(" {op} ")))
            }
            Expr::BinaryOp { left, op, right } => infix(left, &op.to_string(), right),
            Expr::IsNull(inner) => format!("({} IS NULL)", grouped(inner)),
            Expr::IsNotNull(inner) => format!("({} IS NOT NULL)", grouped(inner)),
            Expr::IsTrue(inner) => format!("({} IS TRUE)", grouped(inner)),
            Expr::IsNotFalse(inner) => format!("({} IS NOT FALSE)", grouped(inner)),
            Expr::IsUnknown(inner) => format!("({} IS UNKNOWN)", grouped(inner)),
            Expr::IsDistinctFrom(left, right) => infix(left, "IS DISTINCT FROM", right),
            Expr::IsNotDistinctFrom(left, right) => format!("(NOT {})", infix(left, "IS DISTINCT FROM", right)),
            Expr::Like { negated, expr, pattern, .. } => infix(expr, &format!("{}~~", not(*negated)), pattern),
            Expr::ILike { negated, expr, pattern, .. } => infix(expr, &format!("{}~~*", not(*negated)), pattern),
            Expr::AtTimeZone { timestamp, time_zone } => {
                format!("timezone({}, {})", grouped(time_zone), grouped(timestamp))
            }
            Expr::InList { expr, list, negated } => infix(expr, if *negated { "<>" } else { "=" }, &list[0]),
            Expr::Between { expr, negated: false, low, high } => {
                format!("({} AND {})", infix(expr, ">=", low), infix(expr, "<=", high))
            }
            Expr::Between { expr, low, high, .. } => {
                format!("({} OR {})", infix(expr, "<", low), infix(expr, ">", high))
            }
            Expr::AnyOp { left, compare_op, right, .. } => {
                format!("({} {compare_op} ANY ({right}))", grouped(left))
            }
            Expr::AllOp { left, compare_op, right } => format!("({} {compare_op} ALL ({right}))", grouped(left)),
            other => panic!("not in the table: {other}"),
        }
    }

    /// The operands of a chain that PostgreSQL keeps as one.
    fn chain(expression: &Expr, of: &BinaryOperator) -> Vec<String> {
        match expression {
            Expr::BinaryOp { left, op, right } if op == of => {
                let mut operands = chain(left, of);
                operands.push(grouped(right));
                operands
            }
            other => vec![grouped(other)],
        }
    }

    #[test]
    fn pairs_of_operators_group_as_in_postgresql() {
        let mut wrong = Vec::new();
        for line in PAIRS.lines() {
            let (text, expected) = line.split_once(" => ").unwrap();
            let found = parsed(text).map_or_else(|_| "error".to_owned(), |expression| grouped(&expression));
            if found != expected {
                wrong.push(format!("{text}: {found}, not {expected}"));
            }
        }
        assert!(wrong.is_empty(), "{} pairs:\n{}", wrong.len(), wrong.join("\n"));
    }

    #[test]
    fn what_was_read_is_read_again_from_its_text() {
        for line in PAIRS.lines() {
            let (text, _) = line.split_once(" => ").unwrap();
            let Ok(expression) = parsed(text) else { continue };
            let again = parsed(&expression.to_string()).unwrap();
            assert_eq!(grouped(&again), grouped(&expression), "{text} is written {expression}");
        }
    }

    #[test]
    fn operators_after_an_operand_nest() {
        for after in [" AT TIME ZONE 'UTC'", " COLLATE \"C\"", "::text", " ISNULL", " IN (1, 2)", " NOTNULL"] {
            assert!(parsed(&format!("a{}", after.repeat(MAX_AFTER / 2))).is_ok(), "{after}");
            let error = parsed(&format!("a{}", after.repeat(MAX_AFTER + 2))).unwrap_err();
            assert_eq!(error, ParserError::RecursionLimitExceeded, "{after}");
        }
    }

    #[test]
    fn operators_have_names() {
        for (written, read) in [
            ("a OPERATOR(pg_catalog.~) 'b' COLLATE pg_catalog.default", "a ~ 'b' COLLATE pg_catalog.default"),
            ("1 + 2 OPERATOR(PG_CATALOG.*) 3 + 1", "(1 + 2) * (3 + 1)"),
            ("a OPERATOR(-) b OPERATOR(pg_catalog.-) c", "(a - b) - c"),
            ("a OPERATOR(pg_catalog.=) b = c", "(a = b) = c"),
            ("a operator(pg_catalog.=) ANY (b)", "a = ANY(b)"),
            ("a OPERATOR(pg_catalog.<>) ALL (SELECT 1)", "a <> ALL(SELECT 1)"),
            ("a OPERATOR(pg_catalog.~~) b AND c", "a ~~ b AND c"),
            ("a OPERATOR(pg_catalog.~) 'b' AND c", "a ~ 'b' AND c"),
            ("a OPERATOR(PG_CATALOG.+) 1", "a + 1"),
            ("a OPERATOR(pg_catalog.<>) b", "a <> b"),
        ] {
            assert_eq!(parsed(written).unwrap().to_string(), read, "{written}");
        }
        for name in [
            "+", "-", "*", "/", "%", "^", "||", "=", "<>", "!=", "<", "<=", ">", ">=", "&", "|", "#", "<<", ">>", "&&",
            "@>", "<@", "~", "~*", "!~", "!~*", "~~", "~~*", "!~~", "!~~*",
        ] {
            let (named, plain) = (parsed(&format!("a OPERATOR(pg_catalog.{name}) b")), parsed(&format!("a {name} b")));
            assert_eq!(named.unwrap(), plain.unwrap(), "{name}");
        }
        for other in ["a OPERATOR(pg_catalog.+ c *) b", "a OPERATOR() b", "a OPERATOR(pg_catalog.) b"] {
            assert!(parsed(other).is_err(), "{other}");
        }
    }

    #[test]
    fn a_sign_belongs_to_its_number() {
        assert_eq!(parsed("-2 ^ 2").unwrap().to_string(), "-2 ^ 2");
        let Expr::BinaryOp { left, .. } = parsed("-2 ^ 2").unwrap() else { panic!("no power") };
        assert!(matches!(*left, Expr::UnaryOp { op: UnaryOperator::Minus, .. }));
        assert!(matches!(parsed("- - a").unwrap(), Expr::UnaryOp { expr, .. } if matches!(*expr, Expr::Nested(_))));
    }

    #[test]
    fn either_bound_of_a_symmetric_between_is_the_lower() {
        let texts = [
            (
                "a BETWEEN SYMMETRIC 2 AND b + 1 AND c",
                "(a BETWEEN 2 AND (b + 1)) OR (a BETWEEN (b + 1) AND 2)",
                " AND c",
            ),
            ("NOT a NOT BETWEEN SYMMETRIC 2 AND b", "(a NOT BETWEEN 2 AND b) AND (a NOT BETWEEN b AND 2)", ""),
        ];
        for (written, expected, rest) in texts {
            let before = if written.starts_with("NOT") { "NOT " } else { "" };
            assert_eq!(parsed(written).unwrap().to_string(), format!("{before}({expected}){rest}"));
        }
    }

    #[test]
    fn texts_go_on_only_in_another_line() {
        let Expr::Value(value) = parsed("'a'\n 'b'").unwrap() else { panic!("no text") };
        assert_eq!(value.value, Value::SingleQuotedString("ab".into()));
        assert!(parsed("'a' 'b'").is_err());
    }
}

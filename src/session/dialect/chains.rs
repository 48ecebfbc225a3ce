//! Conditions that follow one another: `a AND b AND c …`.
//!
//! The parser makes a tree of them that is as deep as there are conditions, and what asks each part of it for its type, as
//! the planner does, asks the deepest as often. AND and OR mean the same however they are grouped: many of them make a tree
//! that is only as deep as it has to be, in which they keep their order.

use datafusion::sql::sqlparser::{
    ast::{BinaryOperator, Expr},
    keywords::Keyword,
    parser::{Parser, ParserError},
    tokenizer::{Token, Word},
};

type Result<T> = std::result::Result<T, ParserError>;

/// As many stay grouped from the left.
const MAX_LEFT: usize = 16;

/// All conditions after `left` and its operator; none when the parent reads what comes.
pub(super) fn infix(parser: &mut Parser, left: &Expr, precedence: u8) -> Option<Result<Expr>> {
    let Token::Word(Word { keyword, quote_style: None, .. }) = &parser.peek_token_ref().token else { return None };
    let (keyword, op) = match keyword {
        Keyword::AND => (Keyword::AND, BinaryOperator::And),
        Keyword::OR => (Keyword::OR, BinaryOperator::Or),
        _ => return None,
    };
    Some(
        operands(parser, left, keyword, precedence)
            .map(|operands| chain(operands, &op).unwrap_or_else(|| left.clone())),
    )
}

fn operands(parser: &mut Parser, left: &Expr, keyword: Keyword, precedence: u8) -> Result<Vec<Expr>> {
    let mut operands = vec![left.clone()];
    while parser.parse_keyword(keyword) {
        operands.push(parser.parse_subexpr(precedence)?);
    }
    Ok(operands)
}

/// The operands, in their order, with this operator between them; none of none.
pub(crate) fn chain(mut operands: Vec<Expr>, op: &BinaryOperator) -> Option<Expr> {
    if operands.len() <= MAX_LEFT {
        return operands.into_iter().reduce(|left, right| joined(left, op, right));
    }
    let right = operands.split_off(operands.len() / 2);
    Some(joined(chain(operands, op)?, op, chain(right, op)?))
}

fn joined(left: Expr, op: &BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op: op.clone(), right: Box::new(right) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::session::PostgreSql;

    fn parsed(text: &str) -> Expr {
        Parser::new(&PostgreSql).try_with_sql(text).unwrap().parse_expr().unwrap()
    }

    /// How deep AND and OR are within one another.
    fn depth(expression: &Expr) -> usize {
        match expression {
            Expr::BinaryOp { left, op: BinaryOperator::And | BinaryOperator::Or, right } => {
                1 + depth(left).max(depth(right))
            }
            _ => 0,
        }
    }

    #[test]
    fn many_conditions_make_no_deep_tree() {
        for (operator, op) in [(" AND ", BinaryOperator::And), (" OR ", BinaryOperator::Or)] {
            for terms in [1_usize, 2, 16, 17, 100, 3_000] {
                let terms: Vec<String> = (0..terms).map(|term| format!("a = {term}")).collect();
                let text = terms.join(operator);
                let expression = parsed(&text);
                assert_eq!(expression.to_string(), text);
                let most = if terms.len() <= MAX_LEFT { terms.len() - 1 } else { MAX_LEFT + 10 };
                assert!(depth(&expression) <= most, "{} terms", terms.len());
                let same = chain(terms.iter().map(|term| parsed(term)).collect(), &op);
                assert_eq!(same, Some(expression));
            }
        }
    }

    #[test]
    fn few_are_grouped_from_the_left() {
        let Expr::BinaryOp { left, right, .. } = parsed("a OR b AND c AND d OR e") else { panic!("no OR") };
        assert_eq!((left.to_string().as_str(), right.to_string().as_str()), ("a OR b AND c AND d", "e"));
        let Expr::BinaryOp { right, .. } = *left else { panic!("no OR") };
        let Expr::BinaryOp { left, .. } = *right else { panic!("no AND") };
        assert_eq!(left.to_string(), "b AND c");
        assert_eq!(chain(Vec::new(), &BinaryOperator::And), None);
    }

    #[test]
    fn an_operand_must_follow() {
        assert!(Parser::new(&PostgreSql).try_with_sql("a AND").unwrap().parse_expr().is_err());
        assert!(Parser::new(&PostgreSql).try_with_sql("a OR b AND )").unwrap().parse_expr().is_err());
    }
}

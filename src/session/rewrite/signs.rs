//! Operators before one operand, `~`, `@`, `|/` and `||/`: calls of the functions that are named as they are.

use datafusion::sql::sqlparser::ast::{Expr, UnaryOperator};

use super::call;
use crate::{Error, Fault, Result};

/// Rewrites an operator that the planner does not know.
pub(super) fn rewrite(expression: &mut Expr) -> Result<()> {
    let Expr::UnaryOp { op, expr } = expression else { return Ok(()) };
    let name = match op {
        UnaryOperator::BitwiseNot => "~",
        UnaryOperator::PGAbs => "@",
        UnaryOperator::PGSquareRoot => "|/",
        UnaryOperator::PGCubeRoot => "||/",
        UnaryOperator::PGPrefixFactorial => {
            return Err(Error::new(Fault::UndefinedFunction, "operator does not exist: !; use factorial"));
        }
        UnaryOperator::PGPostfixFactorial => {
            return Err(Error::new(Fault::Syntax, "syntax error at the ! behind its operand; use factorial"));
        }
        _ => return Ok(()),
    };
    *expression = call(name, vec![*expr.clone()]);
    Ok(())
}

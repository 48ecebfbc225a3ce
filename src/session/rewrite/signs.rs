//! Operators before one operand, `~`, `@`, `|/`, `||/` and `+`: calls of the functions that are named as they are.

use datafusion::sql::sqlparser::ast::{Expr, UnaryOperator, Value};

use super::{call, is_open};
use crate::{Error, Fault, Result};

/// Rewrites an operator that the planner does not know.
pub(super) fn rewrite(expression: &mut Expr) -> Result<()> {
    let Expr::UnaryOp { op, expr } = expression else { return Ok(()) };
    let name = match op {
        // The sign of a number that is written.
        UnaryOperator::Plus if is_number(expr) => return Ok(()),
        UnaryOperator::Plus => "+",
        UnaryOperator::Minus if is_open(expr) => {
            return Err(Error::Statement {
                fault: Fault::AmbiguousFunction,
                message: "operator is not unique: - unknown".to_owned(),
                hint: Some(
                    "Could not choose a best candidate operator. You might need to add explicit type casts.".to_owned(),
                ),
            });
        }
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

fn is_number(operand: &Expr) -> bool {
    match operand {
        Expr::Value(value) => matches!(value.value, Value::Number(..)),
        Expr::Nested(inner) => is_number(inner),
        _ => false,
    }
}

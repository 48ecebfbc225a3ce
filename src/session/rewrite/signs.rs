//! Operators before one operand, `~`, `@`, `|/`, `||/` and `+`: calls of the functions that are named as they are.

use datafusion::sql::sqlparser::ast::{Expr, UnaryOperator, Value};

use super::{array_literals, call};
use crate::{Error, Fault, Result};

/// Rewrites an operator that the planner does not know.
pub(super) fn rewrite(expression: &mut Expr) -> Result<()> {
    let Expr::UnaryOp { op, expr } = expression else { return Ok(()) };
    let name = match op {
        // The sign of a number that is written.
        UnaryOperator::Plus if matches!(written(expr), Some(Value::Number(..))) => return Ok(()),
        UnaryOperator::Plus => "+",
        UnaryOperator::Minus if written(expr).is_some_and(is_open) => {
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

/// The value that is written as an operand.
fn written(operand: &Expr) -> Option<&Value> {
    match operand {
        Expr::Value(value) => Some(&value.value),
        Expr::Nested(inner) => written(inner),
        _ => None,
    }
}

/// Whether a value is of no type yet.
fn is_open(value: &Value) -> bool {
    matches!(value, Value::Null) || array_literals::text_of(value).is_some()
}

//! `a IS DISTINCT FROM 'x'`, whose text is a value of the type of `a`: the planner takes it for a text.
//!
//! ```sql
//! SELECT paid IS DISTINCT FROM 't'        -- (paid <> 't') IS NOT FALSE
//! SELECT paid IS NOT DISTINCT FROM 't'    -- (paid = 't') IS TRUE
//! ```
//!
//! The text is not NULL, so that a comparison that yields NULL has found one in the other operand.

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr};

use super::{is_text, operation};
use crate::Result;

/// Writes a comparison with a text in quotes as one that reads it.
pub(super) fn rewrite(expression: &mut Expr) -> Result<()> {
    let (Expr::IsDistinctFrom(left, right) | Expr::IsNotDistinctFrom(left, right)) = &*expression else {
        return Ok(());
    };
    if is_text(left) == is_text(right) {
        return Ok(());
    }
    let is_distinct = matches!(expression, Expr::IsDistinctFrom(..));
    let op = if is_distinct { BinaryOperator::NotEq } else { BinaryOperator::Eq };
    let compared = operation(left.as_ref().clone(), op, right.as_ref().clone());
    let compared = Box::new(Expr::Nested(Box::new(compared)));
    *expression = if is_distinct { Expr::IsNotFalse(compared) } else { Expr::IsTrue(compared) };
    Ok(())
}

//! `a IS DISTINCT FROM 'x'`, whose text is a value of the type of `a`: the planner takes it for a text.
//!
//! ```sql
//! SELECT paid IS DISTINCT FROM 't'        -- (paid <> 't') IS NOT FALSE
//! SELECT paid IS NOT DISTINCT FROM 't'    -- (paid = 't') IS TRUE
//! ```
//!
//! The text is not NULL, so that a comparison that yields NULL has found one in the other operand.

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, Value};

use crate::Result;

/// Writes a comparison with a text in quotes as one that reads it.
pub(super) fn rewrite(expression: &mut Expr) -> Result<()> {
    let (Expr::IsDistinctFrom(left, right) | Expr::IsNotDistinctFrom(left, right)) = &*expression else {
        return Ok(());
    };
    if is_text(left) == is_text(right) {
        return Ok(());
    }
    let compared = |left: &Expr, op: BinaryOperator, right: &Expr| {
        let comparison = Expr::BinaryOp { left: Box::new(left.clone()), op, right: Box::new(right.clone()) };
        Box::new(Expr::Nested(Box::new(comparison)))
    };
    *expression = match &*expression {
        Expr::IsDistinctFrom(left, right) => Expr::IsNotFalse(compared(left, BinaryOperator::NotEq, right)),
        Expr::IsNotDistinctFrom(left, right) => Expr::IsTrue(compared(left, BinaryOperator::Eq, right)),
        _ => return Ok(()),
    };
    Ok(())
}

fn is_text(operand: &Expr) -> bool {
    matches!(operand, Expr::Value(value) if matches!(value.value, Value::SingleQuotedString(_)))
}

//! Texts in quotes, and NULL, in the places of which PostgreSQL says the type whatever else stands there: a condition is a truth
//! value, and the operand of CASE a text.
//!
//! ```sql
//! SELECT NOT 'off', count(*) FILTER (WHERE 'yes') FROM orders HAVING 'on'
//! SELECT CASE '1' WHEN 1 THEN 'one' END   -- operator does not exist: text = integer
//! ```

use datafusion::sql::sqlparser::ast::{DataType, Expr, JoinConstraint, Select, UnaryOperator};

use super::{cast_to, is_open, is_text, merge::constraint_mut, null};
use crate::Result;

/// The conditions of a SELECT.
pub(super) fn conditions(select: &mut Select) -> Result<()> {
    let written = select.selection.iter_mut().chain(&mut select.having);
    let joins = select.from.iter_mut().flat_map(|item| &mut item.joins);
    let joined = joins.filter_map(|join| match constraint_mut(&mut join.join_operator) {
        Some(JoinConstraint::On(condition)) => Some(condition),
        _ => None,
    });
    written.chain(joined).for_each(become_truth);
    Ok(())
}

/// The operands of an expression.
pub(super) fn rewrite(expression: &mut Expr) -> Result<()> {
    match expression {
        Expr::UnaryOp { op: UnaryOperator::Not, expr } => become_truth(expr),
        Expr::Case { operand: Some(operand), .. } if is_open(operand) => become_type(operand, DataType::Text),
        Expr::Function(call) => call.filter.iter_mut().for_each(|condition| become_truth(condition)),
        _ => {}
    }
    Ok(())
}

fn become_truth(condition: &mut Expr) {
    match condition {
        Expr::Nested(inner) => become_truth(inner),
        text if is_text(text) => become_type(text, DataType::Boolean),
        _ => {}
    }
}

fn become_type(value: &mut Expr, data_type: DataType) {
    *value = cast_to(std::mem::replace(value, null()), data_type);
}

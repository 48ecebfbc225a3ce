//! Rows as values in comparisons with subqueries: `(a, b) IN (SELECT x, y …)`.
//!
//! A row is a call of [`ROW_OF`] on either side, and is compared column by column.

use std::sync::Arc;

use datafusion::{
    common::{
        Result, ScalarValue,
        tree_node::{Transformed, TransformedResult, TreeNode},
    },
    functions::core::expr_ext::FieldAccessor,
    logical_expr::{BinaryExpr, Expr, LogicalPlan, Operator, binary_expr, lit},
};

use super::{expression_at, unsupported};
use crate::planning::ROW_OF;

/// How many values an expression has: more than one if it is a row.
pub(super) fn arity(value: Option<&Expr>) -> usize {
    value.and_then(parts).map_or(1, <[Expr]>::len)
}

fn parts(value: &Expr) -> Option<&[Expr]> {
    match value {
        Expr::ScalarFunction(call) if call.func.name() == ROW_OF => Some(&call.args),
        Expr::Alias(alias) => parts(&alias.expr),
        _ => None,
    }
}

/// A column of a row, from 0.
fn part(row: &Expr, at: usize) -> Expr {
    match parts(row) {
        Some(parts) if at < parts.len() => parts[at].clone(),
        _ => row.clone().field((at + 1).to_string()),
    }
}

/// The conditions under which two values, or two rows, are equal.
pub(super) fn equal(value: &Expr, own: &Expr) -> Vec<Expr> {
    match parts(value) {
        Some(columns) => columns.iter().enumerate().map(|(at, column)| column.clone().eq(part(own, at))).collect(),
        None => vec![value.clone().eq(own.clone())],
    }
}

/// The rows of a subquery, and the value, or the row, that each of them is compared by.
pub(super) fn opened(plan: LogicalPlan) -> (LogicalPlan, Expr) {
    match plan {
        LogicalPlan::Projection(mut projection) if projection.expr.first().is_some_and(|row| parts(row).is_some()) => {
            (Arc::unwrap_or_clone(projection.input), projection.expr.swap_remove(0))
        }
        other => {
            // EXISTS asks for rows that may have no column.
            let own = match other.schema().fields().is_empty() {
                true => lit(ScalarValue::Null),
                false => expression_at(other.schema(), 0),
            };
            (other, own)
        }
    }
}

/// The comparison of a value, or a row, with that of a subquery.
pub(super) fn compared(value: &Expr, operator: Operator, own: &Expr) -> Result<Expr> {
    let Some(columns) = parts(value) else { return Ok(binary_expr(value.clone(), operator, own.clone())) };
    let each = |operator: Operator| {
        columns.iter().enumerate().map(move |(at, column)| binary_expr(column.clone(), operator, part(own, at)))
    };
    let whole = match operator {
        Operator::Eq => each(Operator::Eq).reduce(Expr::and),
        Operator::NotEq => each(Operator::NotEq).reduce(Expr::or),
        Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq => {
            let strictly = if matches!(operator, Operator::Lt | Operator::LtEq) { Operator::Lt } else { Operator::Gt };
            let last = columns.len() - 1;
            // The first columns that differ decide.
            let mut whole = binary_expr(columns[last].clone(), operator, part(own, last));
            for at in (0..last).rev() {
                let before = binary_expr(columns[at].clone(), strictly, part(own, at));
                whole = before.or(columns[at].clone().eq(part(own, at)).and(whole));
            }
            Some(whole)
        }
        _ => None,
    };
    whole.ok_or_else(|| unsupported(&format!("{operator} between rows and a subquery")))
}

/// The expression with comparisons of a row and the row of a subquery as comparisons of their columns.
pub(super) fn by_columns(expression: Expr) -> Result<Expr> {
    let each = |expression: Expr| match &expression {
        Expr::BinaryExpr(BinaryExpr { left, op, right })
            if arity(Some(left)) > 1 && matches!(right.as_ref(), Expr::ScalarSubquery(_)) =>
        {
            Ok(Transformed::yes(compared(left, *op, right)?))
        }
        _ => Ok(Transformed::no(expression)),
    };
    expression.transform_up(each).data()
}

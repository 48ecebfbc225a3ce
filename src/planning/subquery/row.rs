//! Rows as values in comparisons with subqueries: `(a, b) IN (SELECT x, y …)`.

use datafusion::{
    common::Result,
    logical_expr::{Expr, LogicalPlan, Operator, binary_expr},
};

use super::{expression_at, unsupported};

/// The scalar function that a row is written as before it is planned.
pub(crate) const ROW: &str = "row_of";

/// How many values an expression has: more than one if it is a row.
pub(super) fn arity(value: Option<&Expr>) -> usize {
    value.and_then(parts).map_or(1, <[Expr]>::len)
}

fn parts(value: &Expr) -> Option<&[Expr]> {
    match value {
        Expr::ScalarFunction(call) if call.func.name() == ROW => Some(&call.args),
        Expr::Alias(alias) => parts(&alias.expr),
        _ => None,
    }
}

/// The comparison of a value with a row of a subquery, of whose columns the value has as many.
pub(super) fn compare(value: Expr, operator: Operator, plan: &LogicalPlan) -> Result<Expr> {
    let own = expression_at(plan.schema(), 0);
    let Some(parts) = parts(&value) else { return Ok(binary_expr(value, operator, own)) };
    let each = |operator: Operator| {
        parts.iter().enumerate().map(move |(at, part)| {
            let field = datafusion::functions::core::expr_ext::FieldAccessor::field(own.clone(), format!("c{at}"));
            binary_expr(part.clone(), operator, field)
        })
    };
    match operator {
        Operator::Eq => each(Operator::Eq).reduce(Expr::and),
        Operator::NotEq => each(Operator::NotEq).reduce(Expr::or),
        _ => None,
    }
    .ok_or_else(|| unsupported(&format!("{operator} between rows and a subquery")))
}

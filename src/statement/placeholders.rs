//! `$1`, `$2`, …: the numbers of parameters, where they stand in statements.

use datafusion::sql::sqlparser::ast::{Expr, Value};

pub(super) use crate::planning::parameter_number as numbered;

/// The number of a parameter, from 1.
pub(super) fn number(expression: &Expr) -> Option<usize> {
    let Expr::Value(value) = expression else { return None };
    let Value::Placeholder(name) = &value.value else { return None };
    numbered(name)
}

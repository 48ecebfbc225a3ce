//! `$1`, `$2`, …: the numbers of parameters, where they stand in statements.

use datafusion::sql::sqlparser::ast::{Expr, Value};

/// The number of a parameter, from 1.
pub(super) fn number(expression: &Expr) -> Option<usize> {
    let Expr::Value(value) = expression else { return None };
    let Value::Placeholder(name) = &value.value else { return None };
    numbered(name)
}

/// The number in the name `$n`, from 1.
pub(super) fn numbered(name: &str) -> Option<usize> {
    name.strip_prefix('$')?.parse().ok().filter(|number| *number > 0)
}

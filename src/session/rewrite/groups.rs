//! GROUP BY and DISTINCT ON: rows in them, and positions of columns.
//!
//! `GROUP BY (a, b)` groups by a and b, and `GROUP BY ()` is one group. `ROLLUP (1, 2)` groups by the first two columns of the
//! result: the planner knows positions that stand alone in GROUP BY, and takes others for constants.

use datafusion::sql::sqlparser::ast::{Distinct, Expr, GroupByExpr, Select, SelectItem, Value};

use super::rows::row;

/// Writes the columns for rows and positions.
pub(super) fn rewrite(select: &mut Select) {
    if let Some(Distinct::On(expressions)) = &mut select.distinct {
        *expressions = flattened(std::mem::take(expressions));
        positions(expressions.iter_mut(), &select.projection);
    }
    let GroupByExpr::Expressions(expressions, _) = &mut select.group_by else { return };
    if expressions.is_empty() {
        return;
    }
    *expressions = flattened(std::mem::take(expressions));
    if expressions.is_empty() {
        expressions.push(Expr::GroupingSets(vec![Vec::new()]));
    }
    for expression in expressions {
        if let Expr::Rollup(sets) | Expr::Cube(sets) | Expr::GroupingSets(sets) = expression {
            positions(sets.iter_mut().flatten(), &select.projection);
        }
    }
}

fn flattened(expressions: Vec<Expr>) -> Vec<Expr> {
    expressions.into_iter().flat_map(|expression| row(&expression).unwrap_or_else(|| vec![expression])).collect()
}

fn positions<'a>(expressions: impl Iterator<Item = &'a mut Expr>, projection: &[SelectItem]) {
    for expression in expressions {
        if let Some(meant) = at_position(expression, projection) {
            *expression = meant;
        }
    }
}

/// The expression at a position of the list; none where `*` stands before it.
fn at_position(position: &Expr, projection: &[SelectItem]) -> Option<Expr> {
    let Expr::Value(value) = position else { return None };
    let Value::Number(number, _) = &value.value else { return None };
    let position: usize = number.parse().ok()?;
    let known = projection
        .iter()
        .take_while(|item| !matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..)));
    match known.take(position).nth(position.checked_sub(1)?)? {
        SelectItem::UnnamedExpr(expression) | SelectItem::ExprWithAlias { expr: expression, .. } => {
            Some(expression.clone())
        }
        _ => None,
    }
}

//! The same query in other words, to ask the oracle again where it differs: each condition `c` is written `(c) IS TRUE`,
//! which means the same where it filters or joins.
//!
//! Before PostgreSQL 18 a condition such as `key = 1` lets the planner take the key for that constant also above GROUPING SETS,
//! where it is NULL in some rows, and sort by it no more. It finds no such constant in a condition under IS TRUE.

use super::tree::{Body, Cte, Expr, FromItem, Item, Kind, On, Part, Query, Select, form};

/// The query in other words; None where it has no condition.
pub(crate) fn reworded(query: &Query) -> Option<Query> {
    let mut reworded = query.clone();
    (in_query(&mut reworded) > 0).then_some(reworded)
}

/// Writes the conditions of a query otherwise, and says how many.
fn in_query(query: &mut Query) -> usize {
    let with: usize = query.with.iter_mut().map(|Cte { query, .. }| in_query(query)).sum();
    let order: usize = query.more_order.iter_mut().map(in_expr).sum();
    let body = match &mut query.body {
        Body::Select(select) => in_select(select),
        Body::Set { left, right, .. } => in_query(left) + in_query(right),
        Body::Values(rows) => rows.iter_mut().flatten().map(in_expr).sum(),
    };
    with + order + body
}

fn in_select(select: &mut Select) -> usize {
    let items = select.items.iter_mut().map(|item| match item {
        Item::One { expr, .. } => in_expr(expr),
        Item::Star { .. } => 0,
    });
    let found = items.sum::<usize>() + select.from.as_mut().map_or(0, in_from);
    found + select.filter.as_mut().map_or(0, condition) + select.having.as_mut().map_or(0, in_expr)
}

fn in_from(item: &mut FromItem) -> usize {
    match item {
        FromItem::Table { .. } => 0,
        FromItem::Derived { query, .. } => in_query(query),
        FromItem::Call { parts, .. } => parts.iter_mut().map(in_part).sum(),
        FromItem::Join { left, right, on, .. } => {
            let on = if let On::Condition(on) = on { condition(on) } else { 0 };
            on + in_from(left) + in_from(right)
        }
    }
}

fn in_expr(expr: &mut Expr) -> usize {
    match expr {
        Expr::Literal(_) => 0,
        Expr::Parts(_, parts) => parts.iter_mut().map(in_part).sum(),
    }
}

fn in_part(part: &mut Part) -> usize {
    match part {
        Part::Text(_) => 0,
        Part::Expr(expr) => in_expr(expr),
        Part::Query(query) => in_query(query),
        Part::List(list) => list.iter_mut().map(in_expr).sum(),
        Part::Optional(parts) => parts.iter_mut().map(in_part).sum(),
    }
}

fn condition(written: &mut Expr) -> usize {
    let within = in_expr(written);
    *written = form!(Kind::Bool, "({}) IS TRUE", written.clone());
    within + 1
}

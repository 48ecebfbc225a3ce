//! `ARRAY(SELECT …)`: an aggregate of the query's column, in the order that the query states.
//!
//! ```sql
//! SELECT ARRAY(SELECT upper(name) FROM people ORDER BY born)
//! ```
//!
//! A plain query becomes the aggregate's own. What has rows of its own making (calls, groups, limits, set operations) is
//! aggregated as a whole, with the keys of its order as columns behind its own.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Distinct, Expr, Function, FunctionArgumentClause, FunctionArguments, GroupByExpr, Ident, OrderByKind, Query,
    SelectItem, SetExpr, TableAlias, visit_expressions,
};

use super::set_returning::{definition, named, number, selected_from};
use crate::session::call;

/// `ARRAY(query)` as an aggregate of the query's column in its order; none of what has several columns, or is ordered by one that
/// it does not have.
pub(super) fn aggregated(query: &Query) -> Option<Query> {
    let SetExpr::Select(inner) = query.body.as_ref() else { return wrapped(query) };
    let plain = query.limit_clause.is_none()
        && query.fetch.is_none()
        && inner.distinct.is_none()
        && inner.having.is_none()
        && inner.group_by == GroupByExpr::Expressions(Vec::new(), Vec::new());
    let [item] = inner.projection.as_slice() else { return None };
    let (SelectItem::UnnamedExpr(value) | SelectItem::ExprWithAlias { expr: value, .. }) = item else {
        return wrapped(query);
    };
    if !plain || has_call(value) {
        return wrapped(query);
    }
    let mut aggregated = query.clone();
    let mut clauses = Vec::new();
    if let Some(order) = aggregated.order_by.take() {
        let OrderByKind::Expressions(mut orders) = order.kind else { return None };
        for ordered in &mut orders {
            if is_column(item, &ordered.expr) {
                ordered.expr = value.clone();
            }
        }
        // A constant would be a position.
        if orders.iter().any(|order| matches!(&order.expr, Expr::Value(_))) {
            return wrapped(query);
        }
        clauses.push(FunctionArgumentClause::OrderBy(orders));
    }
    let value = array_of(value.clone(), clauses);
    let SetExpr::Select(select) = aggregated.body.as_mut() else { return None };
    select.projection = vec![value];
    Some(aggregated)
}

/// Whether a key of ORDER BY is the one column: by its position, by its name, which comes before those of tables, or written again.
fn is_column(item: &SelectItem, key: &Expr) -> bool {
    if *key == number("1") {
        return true;
    }
    let name = match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(super::names::identifier(alias)),
        SelectItem::UnnamedExpr(value) if value == key => return true,
        SelectItem::UnnamedExpr(value) => super::headings::heading(value),
        _ => None,
    };
    matches!(key, Expr::Identifier(own) if name.is_some_and(|name| name == super::names::identifier(own)))
}

/// Aggregates and windows have rows of their own: what holds them is aggregated as a whole.
fn has_call(expression: &Expr) -> bool {
    visit_expressions(expression, |expression| match expression {
        Expr::Function(_) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    })
    .is_break()
}

/// A query aggregated as a whole.
fn wrapped(query: &Query) -> Option<Query> {
    let value = Ident::new("value");
    let (mut inner, mut clauses) = (query.clone(), Vec::new());
    let mut columns = vec![definition(value.clone())];
    if let Some(order) = &query.order_by {
        let OrderByKind::Expressions(orders) = &order.kind else { return None };
        let mut keys = orders.clone();
        for (at, key) in keys.iter_mut().enumerate() {
            let name = match inner.body.as_mut() {
                SetExpr::Select(select)
                    if !matches!(select.distinct, Some(Distinct::Distinct))
                        && !is_column(select.projection.first()?, &key.expr) =>
                {
                    if matches!(key.expr, Expr::Value(_)) {
                        return None;
                    }
                    let name = Ident::new(format!("key{at}"));
                    let key = SelectItem::ExprWithAlias { expr: key.expr.clone(), alias: name.clone() };
                    select.projection.push(key);
                    columns.push(definition(name.clone()));
                    name
                }
                // Set operations and what is DISTINCT are ordered by their columns alone.
                _ => value.clone(),
            };
            key.expr = Expr::Identifier(name);
        }
        clauses.push(FunctionArgumentClause::OrderBy(keys));
    }
    let aggregate = array_of(Expr::Identifier(value), clauses);
    selected_from(vec![aggregate], inner, TableAlias { columns, ..named("elements") })
}

/// All values as an array; of none, an empty one. Its column is called as PostgreSQL calls that of `ARRAY(SELECT …)`.
fn array_of(value: Expr, clauses: Vec<FunctionArgumentClause>) -> SelectItem {
    let mut aggregate = call("array_agg", vec![value]);
    if let Expr::Function(Function { args: FunctionArguments::List(list), .. }) = &mut aggregate {
        list.clauses = clauses;
    }
    let expr = call("coalesce", vec![aggregate, call("make_array", Vec::new())]);
    SelectItem::ExprWithAlias { expr, alias: Ident::new("array") }
}

//! ORDER BY by an expression over a column that a column of the result is named like.
//!
//! In `SELECT -x AS x FROM t ORDER BY x + 0` the expression means the table's x, and the planner cannot have both in one
//! list. The expression becomes a column of a query within: `SELECT "1" AS x FROM (SELECT -x AS "1", x + 0 AS "k1" FROM t) AS
//! "ordered" ORDER BY "k1"`. So does what is no column of the result where lists are unnested, which the planner does before it
//! looks for what rows are ordered by: `SELECT unnest(a) FROM t ORDER BY x`.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArgumentClause, FunctionArguments, GroupByExpr, Ident, ObjectName, OrderBy, OrderByExpr,
    OrderByKind, Query, Select, SelectItem, SetExpr, TableAlias, TableFactor, TableWithJoins, Value, visit_expressions,
};

use super::{
    columns::{aliases, mentions},
    merge::{folded, joins_by_name, name_of},
    number,
};
use crate::Result;

/// Writes the query around the one whose columns it orders by, if a name means two things.
pub(super) fn rewrite(query: &mut Query) -> Result<()> {
    let SetExpr::Select(select) = query.body.as_mut() else { return Ok(()) };
    let Some(OrderBy { kind: OrderByKind::Expressions(order), .. }) = &mut query.order_by else { return Ok(()) };
    name_by_position(select, order);
    let aliases = aliases(select);
    let projection = select.projection.clone();
    let by_name = joins_by_name(&select.from);
    let within = |expression: &Expr| {
        let alone = matches!(expression, Expr::Identifier(_));
        !alone && (mentions(expression, &aliases) || reads_renamed(expression, &projection, by_name))
    };
    let names: Option<Vec<Option<String>>> = select.projection.iter().map(named).collect();
    let Some(names) = names else { return Ok(()) };
    let unnests = select.projection.iter().any(unnests);
    let is_hidden = |key: &Expr| {
        let is_shown = |item: &SelectItem| matches!(item, SelectItem::UnnamedExpr(shown) if shown == key);
        unnests && position(key, &names).is_none() && !projection.iter().any(is_shown)
    };
    if select.distinct.is_some() || !order.iter().any(|ordered| within(&ordered.expr) || is_hidden(&ordered.expr)) {
        return Ok(());
    }
    let mut inner = super::query_from(Vec::new())?;
    let mut outer = Vec::new();
    for (position, item) in select.projection.iter_mut().enumerate() {
        let name = Ident::with_quote('"', (position + 1).to_string());
        let (expr, alias) = match item.clone() {
            SelectItem::ExprWithAlias { expr, alias } => (expr, Some(alias)),
            SelectItem::UnnamedExpr(expr) => (expr, names[position].clone().map(|name| Ident::with_quote('"', name))),
            _ => return Ok(()),
        };
        *item = SelectItem::ExprWithAlias { expr, alias: name.clone() };
        let column = Expr::Identifier(name);
        outer.push(match alias {
            Some(alias) => SelectItem::ExprWithAlias { expr: column, alias },
            None => SelectItem::UnnamedExpr(column),
        });
    }
    for (at, ordered) in order.iter_mut().enumerate() {
        if let Some(position) = position(&ordered.expr, &names) {
            ordered.expr = number(position.to_string());
            continue;
        }
        let key = Ident::with_quote('"', format!("k{}", at + 1));
        let expr = std::mem::replace(&mut ordered.expr, Expr::Identifier(key.clone()));
        select.projection.push(SelectItem::ExprWithAlias { expr, alias: key });
    }
    std::mem::swap(&mut inner.body, &mut query.body);
    let SetExpr::Select(around) = query.body.as_mut() else { return Ok(()) };
    around.projection = outer;
    let alias = TableAlias { explicit: true, name: Ident::with_quote('"', "ordered"), columns: Vec::new(), at: None };
    let relation = TableFactor::Derived { lateral: false, subquery: inner, alias: Some(alias), sample: None };
    around.from = vec![TableWithJoins { relation, joins: Vec::new() }];
    Ok(())
}

/// Whether a column of the result unnests a list.
fn unnests(item: &SelectItem) -> bool {
    let (SelectItem::UnnamedExpr(expression) | SelectItem::ExprWithAlias { expr: expression, .. }) = item else {
        return false;
    };
    let is_unnest = |name: &ObjectName| match name.0.as_slice() {
        [part] => part.as_ident().is_some_and(|ident| ident.value.eq_ignore_ascii_case("unnest")),
        _ => false,
    };
    visit_expressions(expression, |part| match part {
        Expr::Function(function) if is_unnest(&function.name) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    })
    .is_break()
}

/// Whether an expression reads a column, by its table's name, whose own name another column of the result has.
fn reads_renamed(expression: &Expr, projection: &[SelectItem], by_name: bool) -> bool {
    let is_taken = |parts: &[Ident]| {
        let Some(own) = parts.last().map(folded) else { return false };
        projection.iter().any(|item| match item {
            SelectItem::ExprWithAlias { expr, alias } => {
                folded(alias) == own && !matches!(expr, Expr::CompoundIdentifier(other) if other == parts)
            }
            // It may be a column that two tables are joined by.
            SelectItem::UnnamedExpr(Expr::Identifier(name)) => by_name && folded(name) == own,
            _ => false,
        })
    };
    visit_expressions(expression, |part| match part {
        Expr::CompoundIdentifier(parts) if is_taken(parts) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    })
    .is_break()
}

/// Names columns that are ordered by with their position, where groups are formed by others: such a column is one of the
/// query around, which the planner looks for among the groups.
fn name_by_position(select: &mut Select, order: &[OrderByExpr]) {
    let GroupByExpr::Expressions(groups, _) = &select.group_by else { return };
    if groups.is_empty() {
        return;
    }
    for ordered in order {
        let Some(at) = position(&ordered.expr, &[]).and_then(|position| position.checked_sub(1)) else { continue };
        if let Some(item @ SelectItem::UnnamedExpr(Expr::CompoundIdentifier(_))) = select.projection.get_mut(at)
            && let SelectItem::UnnamedExpr(expr) = item
            && !groups.contains(expr)
            && let Some(name) = name_of(&SelectItem::UnnamedExpr(expr.clone()))
        {
            *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias: Ident::with_quote('"', name) };
        }
    }
}

/// The name of a column of the result, which may have none; not for what may be many columns.
fn named(item: &SelectItem) -> Option<Option<String>> {
    match item {
        SelectItem::ExprWithAlias { .. } | SelectItem::UnnamedExpr(_) => Some(name_of(item)),
        _ => None,
    }
}

/// The position of the column of the result that is meant.
fn position(ordered: &Expr, names: &[Option<String>]) -> Option<usize> {
    match ordered {
        Expr::Identifier(name) => {
            let name = folded(name);
            Some(names.iter().position(|found| found.as_ref() == Some(&name))? + 1)
        }
        Expr::Value(value) => match &value.value {
            Value::Number(number, _) => number.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

/// Leaves constants out of what an aggregate orders its rows by. The planner takes a number for the position of an argument.
pub(super) fn without_constants(expression: &mut Expr) -> Result<()> {
    let Expr::Function(Function { args: FunctionArguments::List(list), over: None, .. }) = expression else {
        return Ok(());
    };
    for clause in &mut list.clauses {
        if let FunctionArgumentClause::OrderBy(order) = clause {
            order.retain(|ordered| !matches!(ordered.expr, Expr::Value(_)));
        }
    }
    list.clauses.retain(|clause| !matches!(clause, FunctionArgumentClause::OrderBy(order) if order.is_empty()));
    Ok(())
}

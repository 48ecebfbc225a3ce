//! `FETCH FIRST 2 ROWS WITH TIES`: the rows whose rank in the order of the query is 2 or less.
//!
//! ```sql
//! SELECT a FROM t ORDER BY b FETCH FIRST 2 ROWS WITH TIES
//! SELECT a FROM t QUALIFY CAST(rank() OVER (ORDER BY b) AS BIGINT) <= 2 ORDER BY b
//! ```
//!
//! Rows of DISTINCT, of set operations and of VALUES are ranked outside of a query of their own.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CastKind, DataType, Expr, Ident, LimitClause, OrderBy, OrderByExpr, OrderByKind, Query, Select,
    SelectItem, SetExpr, TableAlias, TableFactor, TableWithJoins, WindowSpec, WindowType,
};

use super::{
    all, call, columns::shown_by_name, groups::position, limit::is_null, merge::name_of, nested, number, operation,
    query_from,
};
use crate::{Error, Fault, Result};

/// Leaves the first rows of a query and those of their rank: so many behind those that it leaves out.
pub(super) fn rewrite(query: &mut Query, rows: Expr) -> Result<()> {
    if is_null(&rows) {
        let message = "row count cannot be null in FETCH FIRST ... WITH TIES clause";
        return Err(Error::new(Fault::InvalidLimit, message));
    }
    let Some(OrderBy { kind: OrderByKind::Expressions(order), .. }) = &mut query.order_by else {
        return Err(Error::new(Fault::Syntax, "WITH TIES cannot be specified without ORDER BY clause"));
    };
    let needs_query = match query.body.as_ref() {
        SetExpr::Select(select) => select.distinct.is_some(),
        _ => true,
    };
    if needs_query {
        let shown = listed(&query.body);
        order.iter_mut().try_for_each(|key| name_column(&mut key.expr, shown.as_deref()))?;
        let mut inner = query_from(Vec::new())?;
        std::mem::swap(&mut inner.body, &mut query.body);
        let alias =
            TableAlias { explicit: true, name: Ident::with_quote('"', "ranked"), columns: Vec::new(), at: None };
        let relation = TableFactor::Derived { lateral: false, subquery: inner, alias: Some(alias), sample: None };
        let SetExpr::Select(outer) = query.body.as_mut() else { return Err(unsupported()) };
        outer.from = vec![TableWithJoins { relation, joins: Vec::new() }];
    }
    let SetExpr::Select(select) = query.body.as_mut() else { return Err(unsupported()) };
    let keys = order.iter().map(|key| key_of(key, select)).collect::<Result<Vec<_>>>()?;
    let skipped = match &query.limit_clause {
        Some(LimitClause::LimitOffset { offset: Some(offset), .. }) => Some(offset.value.clone()),
        _ => None,
    };
    let last = match skipped {
        Some(skipped) => operation(nested(rows.clone()), BinaryOperator::Plus, nested(skipped)),
        None => nested(rows.clone()),
    };
    // Of none there are no ties.
    let some = operation(nested(rows), BinaryOperator::Gt, number("0"));
    let conditions = [operation(rank(keys), BinaryOperator::LtEq, last), some];
    select.qualify = Some(all(select.qualify.take().into_iter().map(nested).chain(conditions)));
    Ok(())
}

/// The rank of rows, as a number with a sign.
fn rank(keys: Vec<OrderByExpr>) -> Expr {
    let mut rank = call("rank", Vec::new());
    if let Expr::Function(function) = &mut rank {
        let spec = WindowSpec { window_name: None, partition_by: Vec::new(), order_by: keys, window_frame: None };
        function.over = Some(WindowType::WindowSpec(spec));
    }
    Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(rank),
        data_type: DataType::BigInt(None),
        array: false,
        format: None,
    }
}

/// What a key of ORDER BY sorts by: a name and a position are those of columns of the result.
fn key_of(key: &OrderByExpr, select: &Select) -> Result<OrderByExpr> {
    let mut key = key.clone();
    if let Some(at) = position(&key.expr) {
        key.expr = match at.checked_sub(1).and_then(|at| select.projection.get(at)) {
            Some(SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }) => expr.clone(),
            _ => return Err(unsupported()),
        };
    } else if let Some(meant) = shown_by_name(&key.expr, &select.projection) {
        key.expr = meant;
    }
    Ok(key)
}

/// The list of a query, whose names are those of its columns; none where it is no SELECT.
fn listed(body: &SetExpr) -> Option<Vec<SelectItem>> {
    match body {
        SetExpr::Select(select) => Some(select.projection.clone()),
        SetExpr::SetOperation { left, .. } => listed(left),
        SetExpr::Query(query) => listed(&query.body),
        _ => None,
    }
}

/// Writes a key as the name of the column that it is, by which it is known outside.
fn name_column(key: &mut Expr, shown: Option<&[SelectItem]>) -> Result<()> {
    let named = |item: &SelectItem| name_of(item).map(|name| Expr::Identifier(Ident::with_quote('"', name)));
    let column = match (position(key), shown) {
        (Some(at), None) => Some(Expr::Identifier(Ident::new(format!("column{at}")))),
        (Some(at), Some(shown)) => at.checked_sub(1).and_then(|at| shown.get(at)).and_then(named),
        (None, _) if matches!(key, Expr::Identifier(_)) => return Ok(()),
        (None, Some(shown)) => {
            let is_key = |item: &&SelectItem| match item {
                SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => *expr == *key,
                _ => false,
            };
            shown.iter().find(is_key).and_then(named)
        }
        (None, None) => None,
    };
    *key = column.ok_or_else(unsupported)?;
    Ok(())
}

fn unsupported() -> Error {
    let message = "WITH TIES takes an ORDER BY of named columns here; rank() in a subquery finds ties of others";
    Error::new(Fault::FeatureNotSupported, message)
}

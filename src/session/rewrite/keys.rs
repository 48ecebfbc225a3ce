//! Constants among the keys of ORDER BY, GROUP BY and DISTINCT ON: an integer is the position of a column, and all others are
//! refused, as in PostgreSQL. The planner takes them for values, by which `ORDER BY 'name'` ordered nothing.

use datafusion::sql::sqlparser::ast::{
    Distinct, Expr, GroupByExpr, OrderBy, OrderByKind, Query, Select, SetExpr, Value,
};

use super::rows::row;
use crate::{Error, Fault, Result};

/// Refuses keys of a query that are constants and no positions.
pub(super) fn check(query: &mut Query) -> Result<()> {
    if let Some(OrderBy { kind: OrderByKind::Expressions(order), .. }) = &query.order_by {
        order.iter().try_for_each(|ordered| check_key(&ordered.expr, "ORDER BY"))?;
    }
    match query.body.as_ref() {
        SetExpr::Select(select) => check_select(select),
        _ => Ok(()),
    }
}

fn check_select(select: &Select) -> Result<()> {
    if let Some(Distinct::On(keys)) = &select.distinct {
        keys.iter().try_for_each(|key| check_key(key, "DISTINCT ON"))?;
    }
    match &select.group_by {
        GroupByExpr::Expressions(elements, _) => elements.iter().try_for_each(check_element),
        GroupByExpr::All(_) => Ok(()),
    }
}

/// Refuses an element of GROUP BY that is such a constant or has one: a row there is several keys.
fn check_element(element: &Expr) -> Result<()> {
    match element {
        Expr::Rollup(sets) | Expr::Cube(sets) | Expr::GroupingSets(sets) => {
            sets.iter().flatten().try_for_each(check_element)
        }
        other => match row(other) {
            Some(keys) => keys.iter().try_for_each(check_element),
            None => check_key(other, "GROUP BY"),
        },
    }
}

fn check_key(key: &Expr, clause: &str) -> Result<()> {
    match key {
        Expr::Nested(inner) => check_key(inner, clause),
        Expr::Value(value) if is_no_position(&value.value) => {
            let message = format!("non-integer constant in {clause}; name a column or write its position");
            Err(Error::new(Fault::Syntax, message).at(value.span.start))
        }
        _ => Ok(()),
    }
}

fn is_no_position(constant: &Value) -> bool {
    match constant {
        Value::Placeholder(_) => false,
        Value::Number(digits, _) => digits.parse::<i32>().is_err(),
        _ => true,
    }
}

//! `FETCH FIRST n ROWS ONLY`, which is the standard's LIMIT; and NULL, which is no limit.

use datafusion::sql::sqlparser::ast::{Expr, LimitClause, Query, Value};

use crate::{Error, Fault, Result};

/// Writes FETCH as LIMIT, and leaves out what limits nothing.
pub(super) fn rewrite(query: &mut Query) -> Result<()> {
    from_fetch(query)?;
    if let Some(LimitClause::LimitOffset { limit, offset, .. }) = &mut query.limit_clause {
        limit.take_if(|limit| is_null(limit));
        offset.take_if(|offset| is_null(&offset.value));
    }
    Ok(())
}

fn is_null(rows: &Expr) -> bool {
    match rows {
        Expr::Value(value) => value.value == Value::Null,
        Expr::Cast { expr, .. } | Expr::Nested(expr) => is_null(expr),
        _ => false,
    }
}

fn from_fetch(query: &mut Query) -> Result<()> {
    let Some(fetch) = query.fetch.take() else { return Ok(()) };
    if fetch.with_ties || fetch.percent {
        let message = "FETCH takes a number of rows, without TIES and PERCENT; rank() in a subquery finds ties";
        return Err(Error::new(Fault::FeatureNotSupported, message));
    }
    let one = || Expr::Value(Value::Number("1".to_owned(), false).into());
    let rows = Some(fetch.quantity.unwrap_or_else(one));
    match &mut query.limit_clause {
        None => query.limit_clause = Some(LimitClause::LimitOffset { limit: rows, offset: None, limit_by: Vec::new() }),
        Some(LimitClause::LimitOffset { limit: limit @ None, .. }) => *limit = rows,
        Some(_) => return Err(Error::new(Fault::Syntax, "LIMIT and FETCH exclude each other; leave one out")),
    }
    Ok(())
}

//! `FETCH FIRST n ROWS ONLY`, which is the standard's LIMIT; NULL, which is no limit; and numbers of rows that are written as
//! texts or with digits behind the point.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, LimitClause, Query, Spanned, Value, visit_expressions};

use super::{number, ties};
use crate::{Error, Fault, Result};

/// Writes FETCH as LIMIT, and leaves out what limits nothing.
pub(super) fn rewrite(query: &mut Query) -> Result<()> {
    from_fetch(query)?;
    if let Some(LimitClause::LimitOffset { limit, offset, .. }) = &mut query.limit_clause {
        limit.take_if(|limit| is_null(limit));
        offset.take_if(|offset| is_null(&offset.value));
        if let Some(limit) = limit {
            whole("LIMIT", limit)?;
        }
        if let Some(offset) = offset {
            whole("OFFSET", &mut offset.value)?;
        }
    }
    Ok(())
}

/// Writes a number of rows as a whole one, where it is written as something that can be one.
fn whole(clause: &str, rows: &mut Expr) -> Result<()> {
    let column = |part: &Expr| match part {
        Expr::Subquery(_) => ControlFlow::Break(None),
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) => ControlFlow::Break(Some(part.span().start)),
        _ => ControlFlow::Continue(()),
    };
    if let ControlFlow::Break(Some(place)) = visit_expressions(&*rows, column) {
        let message = format!("argument of {clause} must not contain variables; write a number, or a parameter");
        return Err(Error::new(Fault::InvalidColumnReference, message).at(place));
    }
    let Expr::Value(value) = rows else { return Ok(()) };
    let place = value.span.start;
    let number = match &value.value {
        Value::Number(digits, _) if digits.parse::<i64>().is_err() => rounded(digits),
        Value::SingleQuotedString(text) => text.trim().parse::<i64>().map_err(|_wrong| {
            Error::new(Fault::InvalidText, format!("invalid input syntax for type bigint: \"{text}\""))
        }),
        Value::Boolean(_) => {
            let message = format!("argument of {clause} must be type bigint, not type boolean");
            Err(Error::new(Fault::DatatypeMismatch, message))
        }
        _ => return Ok(()),
    };
    let number = number.map_err(|error| error.at(place))?;
    value.value = Value::Number(number.to_string(), false);
    Ok(())
}

/// The whole number that is nearest to one with a fraction, away from zero where two are.
fn rounded(digits: &str) -> Result<i64> {
    let out_of_range = || Error::new(Fault::NumericOutOfRange, format!("bigint out of range: {digits}"));
    let nearest = digits.replace('_', "").parse::<f64>().map_err(|_wrong| out_of_range())?.round();
    format!("{nearest:.0}").parse().map_err(|_wrong| out_of_range())
}

pub(super) fn is_null(rows: &Expr) -> bool {
    match rows {
        Expr::Value(value) => value.value == Value::Null,
        Expr::Cast { expr, .. } | Expr::Nested(expr) => is_null(expr),
        _ => false,
    }
}

fn from_fetch(query: &mut Query) -> Result<()> {
    let Some(fetch) = query.fetch.take() else { return Ok(()) };
    if fetch.percent {
        return Err(Error::new(Fault::FeatureNotSupported, "FETCH takes a number of rows, and no PERCENT of them"));
    }
    let one = || number("1");
    let mut rows = fetch.quantity.unwrap_or_else(one);
    if fetch.with_ties {
        whole("LIMIT", &mut rows)?;
        return ties::rewrite(query, rows);
    }
    let rows = Some(rows);
    match &mut query.limit_clause {
        None => query.limit_clause = Some(LimitClause::LimitOffset { limit: rows, offset: None, limit_by: Vec::new() }),
        Some(LimitClause::LimitOffset { limit: limit @ None, .. }) => *limit = rows,
        Some(_) => return Err(Error::new(Fault::Syntax, "LIMIT and FETCH exclude each other; leave one out")),
    }
    Ok(())
}

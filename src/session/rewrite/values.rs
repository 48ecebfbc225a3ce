//! Texts in quotes among the other values in a column of VALUES, which are read when the types of those are known, and values
//! of types that Arrow does not tell apart.
//!
//! The planner casts all values of a column to one type as soon as it has them: a text beside a date it refuses, and of
//! `VALUES ('2.5'::numeric(5, 1)), ('2.47')` it made 2.5 twice. And it refuses values that do not say the same of their types, as
//! `VALUES ('a'::varchar(3)), ('b')` do not.

use datafusion::sql::sqlparser::ast::{CastKind, DataType, Expr, Function, FunctionArguments, Query, SetExpr, Value};

use super::{call, is_text, null, told_types};
use crate::{Result, pgtype::ColumnType, planning::UNREAD};

/// Leaves texts of a query that is VALUES unread.
pub(super) fn rewrite(query: &mut Query) -> Result<()> {
    let SetExpr::Values(values) = query.body.as_mut() else { return Ok(()) };
    let width = values.rows.iter().map(|row| row.len()).min().unwrap_or(0);
    for at in 0..width {
        let mut column: Vec<&mut Expr> = values.rows.iter_mut().map(|row| &mut row[at]).collect();
        if column.len() > 1 && column.iter().any(|value| tells(value)) {
            say_the_same(&mut column)?;
        }
        if !column.iter().all(|value| is_open(value)) {
            // What is cast to a text is none of the numbers beside it, for which the planner would read it.
            let is_left: fn(&Expr) -> bool = match column.iter().any(|value| is_no_text(value)) {
                true => |value| is_text(value) || is_cast_to_text(value),
                false => is_text,
            };
            column.iter_mut().filter(|value| is_left(value)).for_each(|value| leave_unread(value));
        }
    }
    Ok(())
}

fn leave_unread(value: &mut Expr) {
    let text = std::mem::replace(value, null());
    *value = call(UNREAD, vec![text]);
}

/// Whether a value is a number or a truth value that is written.
fn is_no_text(value: &Expr) -> bool {
    matches!(value, Expr::Value(value) if matches!(value.value, Value::Number(..) | Value::Boolean(_)))
}

fn is_cast_to_text(value: &Expr) -> bool {
    match value {
        Expr::Nested(inner) => is_cast_to_text(inner),
        Expr::Cast { data_type, .. } => *data_type == DataType::Text,
        _ => false,
    }
}

/// Whether the planner may find that the field of a value says its type.
fn tells(value: &Expr) -> bool {
    match value {
        Expr::Nested(inner) => tells(inner),
        Expr::Cast { data_type, .. } => told_types::told_by(data_type).is_ok_and(|told| told.is_some()),
        Expr::TypedString(typed) => told_types::told_by(&typed.data_type).is_ok_and(|told| told.is_some()),
        Expr::Subquery(_) => true,
        Expr::Function(function) => {
            let is_told = ["pg_sleep", "current_schemas"].contains(&function.name.to_string().to_lowercase().as_str());
            is_told || has_no_arguments(function)
        }
        _ => false,
    }
}

fn has_no_arguments(function: &Function) -> bool {
    match &function.args {
        FunctionArguments::None => true,
        FunctionArguments::List(list) => list.args.is_empty(),
        FunctionArguments::Subquery(_) => false,
    }
}

/// The type that a value is cast to, if Arrow does not tell it.
fn told_by(value: &Expr) -> Option<ColumnType> {
    match value {
        Expr::Nested(inner) => told_by(inner),
        Expr::Cast { data_type, .. } => told_types::told_by(data_type).ok().flatten(),
        Expr::TypedString(typed) => told_types::told_by(&typed.data_type).ok().flatten(),
        _ => None,
    }
}

/// Whether a value is a text in quotes or NULL.
fn is_open(value: &Expr) -> bool {
    let is_open = |value: &Value| matches!(value, Value::SingleQuotedString(_) | Value::Null);
    matches!(value, Expr::Value(value) if is_open(&value.value))
}

/// Values of one type say that they are of it; others say nothing.
fn say_the_same(column: &mut [&mut Expr]) -> Result<()> {
    let told: Vec<Option<ColumnType>> = column.iter().map(|value| told_by(value)).collect();
    let Some(first) = told.iter().flatten().next().copied() else {
        column.iter_mut().for_each(|value| say_nothing(value));
        return Ok(());
    };
    if told.iter().all(|told| *told == Some(first)) {
        return Ok(());
    }
    let is_one = |(value, told): (&&mut Expr, &Option<ColumnType>)| match told {
        Some(told) => told.pg == first.pg,
        None => is_open(value),
    };
    let are_one = column.iter().zip(&told).all(is_one);
    match are_one {
        true => column.iter_mut().for_each(|value| {
            let expr = Box::new(std::mem::replace(&mut **value, null()));
            let (kind, data_type) = (CastKind::DoubleColon, told_types::plain(first.pg));
            **value = Expr::Cast { kind, expr, data_type, array: false, format: None };
        }),
        false => column.iter_mut().for_each(|value| say_nothing(value)),
    }
    Ok(())
}

/// A value that is called for says nothing of its type.
fn say_nothing(value: &mut Expr) {
    if tells(value) {
        let called = std::mem::replace(value, null());
        *value = call("coalesce", vec![called]);
    }
}

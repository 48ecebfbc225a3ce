//! Texts among numerics of a column of VALUES, which are numerics of their own digits; those that are no finite numbers are
//! doubles, as all numbers beside a double are. And texts among values of types that Arrow does not tell apart, of which they
//! are.
//!
//! The planner casts all values of a column to one type, and does not know afterwards which of them the statement casts: of
//! `VALUES ('2.5'::numeric(5, 1)), ('2.47')` it made 2.5 twice. And it refuses values that do not say the same of their types, as
//! `VALUES ('a'::varchar(3)), ('b')` do not.

use datafusion::{
    common::ScalarValue,
    sql::sqlparser::ast::{
        CastKind, DataType as Type, ExactNumberInfo, Expr, Function, FunctionArguments, Query, SetExpr, Value,
    },
};

use super::{call, told_types};
use crate::{Result, pgtype::ColumnType, planning};

/// Casts these texts of a query that is VALUES.
pub(super) fn rewrite(query: &mut Query) -> Result<()> {
    let SetExpr::Values(values) = query.body.as_mut() else { return Ok(()) };
    let width = values.rows.iter().map(|row| row.len()).min().unwrap_or(0);
    for at in 0..width {
        if values.rows.iter().any(|row| is_double(&row[at])) {
            values.rows.iter_mut().for_each(|row| cast_to_double(&mut row[at], |_| true));
        } else if values.rows.iter().any(|row| is_numeric(&row[at])) {
            values.rows.iter_mut().for_each(|row| cast(&mut row[at]));
        }
        if let Some(array) = values.rows.iter().find_map(|row| array_type(&row[at])) {
            values.rows.iter_mut().for_each(|row| cast_text(&mut row[at], &array));
        }
        let mut column: Vec<&mut Expr> = values.rows.iter_mut().map(|row| &mut row[at]).collect();
        if column.len() > 1 && column.iter().any(|value| tells(value)) {
            say_the_same(&mut column)?;
        }
    }
    Ok(())
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
            let expr = Box::new(std::mem::replace(&mut **value, Expr::Value(Value::Null.into())));
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
        let called = std::mem::replace(value, Expr::Value(Value::Null.into()));
        *value = call("coalesce", vec![called]);
    }
}

fn is_numeric(value: &Expr) -> bool {
    match value {
        Expr::Cast { data_type, .. } => matches!(data_type, Type::Numeric(_) | Type::Decimal(_) | Type::Dec(_)),
        Expr::Value(value) => matches!(&value.value, Value::Number(digits, _) if digits.contains('.')),
        Expr::UnaryOp { expr: inner, .. } | Expr::Nested(inner) => is_numeric(inner),
        _ => false,
    }
}

fn is_double(value: &Expr) -> bool {
    match value {
        Expr::Cast { data_type, .. } => {
            matches!(data_type, Type::Float(_) | Type::Float8 | Type::Double(_) | Type::DoublePrecision | Type::Float64)
        }
        Expr::Nested(inner) => is_double(inner),
        _ => false,
    }
}

/// The type of arrays that a value is cast to.
fn array_type(value: &Expr) -> Option<Type> {
    match value {
        Expr::Cast { data_type: array @ Type::Array(_), .. } => Some(array.clone()),
        Expr::Nested(inner) => array_type(inner),
        _ => None,
    }
}

/// Casts a text in quotes.
fn cast_text(value: &mut Expr, data_type: &Type) {
    if matches!(value, Expr::Value(written) if matches!(written.value, Value::SingleQuotedString(_))) {
        let expr = Box::new(std::mem::replace(value, Expr::Value(Value::Null.into())));
        let (kind, data_type) = (CastKind::DoubleColon, data_type.clone());
        *value = Expr::Cast { kind, expr, data_type, array: false, format: None };
    }
}

/// Casts a text that is such a number.
fn cast_to_double(value: &mut Expr, is_such: fn(f64) -> bool) {
    let Expr::Value(written) = &*value else { return };
    let Value::SingleQuotedString(text) = &written.value else { return };
    if text.trim().parse::<f64>().is_ok_and(is_such) {
        let expr = Box::new(value.clone());
        *value = Expr::Cast {
            kind: CastKind::DoubleColon,
            expr,
            data_type: Type::DoublePrecision,
            array: false,
            format: None,
        };
    }
}

fn cast(value: &mut Expr) {
    let Expr::Value(written) = &*value else { return };
    let Value::SingleQuotedString(text) = &written.value else { return };
    let Some(ScalarValue::Decimal128(Some(_), precision, scale)) = planning::own_digits(text) else {
        return cast_to_double(value, |number| !number.is_finite());
    };
    let digits = ExactNumberInfo::PrecisionAndScale(u64::from(precision), i64::from(scale));
    let expr = Box::new(value.clone());
    *value =
        Expr::Cast { kind: CastKind::DoubleColon, expr, data_type: Type::Numeric(digits), array: false, format: None };
}

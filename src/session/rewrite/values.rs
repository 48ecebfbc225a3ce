//! Texts among numerics of a column of VALUES, which are numerics of their own digits; those that are no finite numbers are
//! doubles, as all numbers beside a double are.
//!
//! The planner casts all values of a column to one type, and does not know afterwards which of them the statement casts: of
//! `VALUES ('2.5'::numeric(5, 1)), ('2.47')` it made 2.5 twice.

use datafusion::{
    common::ScalarValue,
    sql::sqlparser::ast::{CastKind, DataType as Type, ExactNumberInfo, Expr, Query, SetExpr, Value},
};

use crate::{Result, planning};

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
    }
    Ok(())
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

//! Texts among numerics of a column of VALUES, which are numerics of their own digits.
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
        if values.rows.iter().any(|row| is_numeric(&row[at])) {
            values.rows.iter_mut().for_each(|row| cast(&mut row[at]));
        }
    }
    Ok(())
}

fn is_numeric(value: &Expr) -> bool {
    match value {
        Expr::Cast { data_type, .. } => matches!(data_type, Type::Numeric(_) | Type::Decimal(_) | Type::Dec(_)),
        Expr::Nested(inner) => is_numeric(inner),
        _ => false,
    }
}

fn cast(value: &mut Expr) {
    let Expr::Value(written) = &*value else { return };
    let Value::SingleQuotedString(text) = &written.value else { return };
    let Some(ScalarValue::Decimal128(Some(_), precision, scale)) = planning::own_digits(text) else { return };
    let digits = ExactNumberInfo::PrecisionAndScale(u64::from(precision), i64::from(scale));
    let expr = Box::new(value.clone());
    *value =
        Expr::Cast { kind: CastKind::DoubleColon, expr, data_type: Type::Numeric(digits), array: false, format: None };
}

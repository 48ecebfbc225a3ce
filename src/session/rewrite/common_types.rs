//! The type of a column that tables of several types are joined by.
//!
//! `k` of `a JOIN b USING (k)` is the left table's for the planner, and an integer where that has integers; PostgreSQL casts it
//! to the type that both sides are compared as. Where the types of both are known, so do we.

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::sql::sqlparser::ast::{CastKind, DataType as Type, ExactNumberInfo, Expr, JoinOperator, TimezoneInfo};

use crate::{
    Error, Fault, Result,
    pgtype::{self, Form, Unmatched},
    planning::compared_as,
};

/// The types of the left and the right column, where they are known.
pub(super) type Types<'a> = (Option<&'a DataType>, Option<&'a DataType>);

/// The value as one of the type that the columns have in common, and that type.
pub(super) fn merged(value: Expr, types: Types<'_>) -> (Expr, Option<DataType>) {
    let (Some(left), Some(right)) = types else { return (value, None) };
    let common = common(left, right);
    if left == right || (left.is_integer() && right.is_integer()) || (left.is_decimal() && right.is_decimal()) {
        // Whatever is done with one of them is done as with the other, and a column is found by its name.
        return (value, common);
    }
    let Some(data_type) = common.as_ref().and_then(written) else { return (value, None) };
    let cast = Expr::Cast { kind: CastKind::DoubleColon, expr: Box::new(value), data_type, array: false, format: None };
    (cast, common)
}

/// Whether the rows of a join have the right column's value: those of a right join do, and those of an inner one if that
/// column has the common type already and the left one has not.
pub(super) fn takes_right(operator: &JoinOperator, types: Types<'_>) -> bool {
    match (operator, types) {
        (JoinOperator::Right(_) | JoinOperator::RightOuter(_), _) => true,
        (JoinOperator::Join(_) | JoinOperator::Inner(_), (Some(left), Some(right))) => {
            left != right && common(left, right).as_ref() == Some(right)
        }
        _ => false,
    }
}

/// Refuses columns that do not go together. What the field of a column says of its type is not known here.
pub(super) fn check(types: Types<'_>) -> Result<()> {
    let (Some(left), Some(right)) = types else { return Ok(()) };
    if left.is_nested() || right.is_nested() || left.is_null() || right.is_null() {
        return Ok(());
    }
    match pgtype::common_type(&[Some(pgtype::of(left).pg), Some(pgtype::of(right).pg)]) {
        Err(Unmatched::Categories(one, other)) => {
            let (one, other) = (one.sql(None), other.sql(None));
            let message = format!("JOIN/USING types {one} and {other} cannot be matched; cast one of the columns");
            Err(Error::new(Fault::DatatypeMismatch, message))
        }
        Ok(_) | Err(Unmatched::Becoming(..)) => Ok(()),
    }
}

fn common(left: &DataType, right: &DataType) -> Option<DataType> {
    if left == right {
        return Some(left.clone());
    }
    if !is_known(left) || !is_known(right) {
        return None;
    }
    let (left_pg, right_pg) = (pgtype::of(left).pg, pgtype::of(right).pg);
    let pg = pgtype::common_type(&[Some(left_pg), Some(right_pg)]).ok()??;
    match pg.form {
        Form::Timestamp | Form::Instant if left_pg != right_pg => {
            Some(if left_pg == pg { left } else { right }.clone())
        }
        // They are compared as doubles, and are reals in one column.
        Form::Float4 => Some(DataType::Float32),
        _ => compared_as(left, right),
    }
}

/// Whether PostgreSQL has one type for a value of this and another number, or another time.
fn is_known(data_type: &DataType) -> bool {
    data_type.is_numeric() || matches!(data_type, DataType::Date32 | DataType::Timestamp(..))
}

/// How SQL writes a type as what the planner reads; none where that reads another.
pub(crate) fn written(data_type: &DataType) -> Option<Type> {
    Some(match data_type {
        DataType::Boolean => Type::Boolean,
        DataType::Int16 => Type::SmallInt(None),
        DataType::Int32 => Type::Integer(None),
        DataType::Int64 => Type::BigInt(None),
        DataType::Float32 => Type::Real,
        DataType::Float64 => Type::DoublePrecision,
        DataType::Decimal128(digits, scale) => {
            Type::Numeric(ExactNumberInfo::PrecisionAndScale(u64::from(*digits), i64::from(*scale)))
        }
        DataType::Utf8 | DataType::Utf8View => Type::Text,
        DataType::Date32 => Type::Date,
        DataType::Timestamp(TimeUnit::Microsecond, None) => Type::Timestamp(None, TimezoneInfo::WithoutTimeZone),
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => Type::Timestamp(Some(6), TimezoneInfo::WithTimeZone),
        _ => return None,
    })
}

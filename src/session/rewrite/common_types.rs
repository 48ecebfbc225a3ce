//! The type of a column that tables of several types are joined by.
//!
//! `k` of `a JOIN b USING (k)` is the left table's for the planner, and an integer where that has integers; PostgreSQL casts it
//! to the type that both sides are compared as. Where the types of both are known, so do we.

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::sql::sqlparser::ast::{CastKind, DataType as Type, ExactNumberInfo, Expr, JoinOperator, TimezoneInfo};

use crate::planning::compared_as;

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

fn common(left: &DataType, right: &DataType) -> Option<DataType> {
    match (left, right) {
        (left, right) if left == right => Some(left.clone()),
        // They are compared as doubles, and are reals in one column.
        (real @ DataType::Float32, other) | (other, real @ DataType::Float32)
            if other.is_numeric() && *other != DataType::Float64 =>
        {
            Some(real.clone())
        }
        (DataType::Date32, timestamp @ DataType::Timestamp(..))
        | (timestamp @ DataType::Timestamp(..), DataType::Date32) => Some(timestamp.clone()),
        (left, right) if is_known(left) && is_known(right) => compared_as(left, right),
        _ => None,
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
        DataType::Timestamp(TimeUnit::Microsecond, None) => Type::Timestamp(Some(6), TimezoneInfo::WithoutTimeZone),
        _ => return None,
    })
}

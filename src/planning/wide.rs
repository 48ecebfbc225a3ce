//! Sums and results of numerics that are computed with twice the digits.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, Datum, Scalar},
    compute::{CastOptions, cast, cast_with_options},
    datatypes::{DECIMAL256_MAX_PRECISION, DataType, Decimal128Type, Int64Type, UInt64Type},
    error::ArrowError,
};

/// The sums in the type that they have for whoever asked.
pub(super) fn narrowed(sums: &dyn Array, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
    if data_type.is_decimal() {
        let narrowed = cast_with_options(sums, data_type, &CastOptions { safe: false, ..CastOptions::default() });
        return narrowed.map_err(|_| ArrowError::ArithmeticOverflow("sum: the sum has more than 38 digits".to_owned()));
    }
    let sums = sums.as_primitive::<Decimal128Type>();
    let outside = |sum| move |_| ArrowError::ArithmeticOverflow(format!("sum: the sum is {sum}"));
    Ok(match data_type {
        DataType::UInt64 => {
            Arc::new(sums.try_unary::<_, UInt64Type, _>(|sum: i128| u64::try_from(sum).map_err(outside(sum)))?)
        }
        _ => Arc::new(sums.try_unary::<_, Int64Type, _>(|sum: i128| i64::try_from(sum).map_err(outside(sum)))?),
    })
}

/// What a kernel makes of two decimals with twice the digits.
pub(super) fn computed(
    left: &dyn Datum,
    right: &dyn Datum,
    kernel: fn(&dyn Datum, &dyn Datum) -> Result<ArrayRef, ArrowError>,
    result: &DataType,
) -> Result<ArrayRef, ArrowError> {
    let wide = |operand: &dyn Datum| -> Result<(ArrayRef, bool), ArrowError> {
        let (values, is_scalar) = operand.get();
        let scale = match values.data_type() {
            DataType::Decimal128(_, scale) => *scale,
            _ => 0,
        };
        Ok((cast(values, &DataType::Decimal256(DECIMAL256_MAX_PRECISION, scale))?, is_scalar))
    };
    let computed = match (wide(left)?, wide(right)?) {
        ((left, true), (right, true)) => kernel(&Scalar::new(left), &Scalar::new(right)),
        ((left, true), (right, false)) => kernel(&Scalar::new(left), &right),
        ((left, false), (right, true)) => kernel(&left, &Scalar::new(right)),
        ((left, false), (right, false)) => kernel(&left, &right),
    };
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(&computed?, result, &strict)
        .map_err(|error| ArrowError::ArithmeticOverflow(format!("result: {error}")))
}

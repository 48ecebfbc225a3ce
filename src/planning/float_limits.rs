//! Calculations of floats that fail where PostgreSQL's do: where numbers give an infinity, or a zero that is none, and where
//! something is divided by zero. An infinity that was one before may stay one.

use arrow::{
    array::{Array, ArrayRef, AsArray, Datum, PrimitiveArray},
    compute::kernels::numeric,
    datatypes::{ArrowPrimitiveType, DataType, Float32Type, Float64Type},
    error::ArrowError,
};
use datafusion::{common::ScalarValue, logical_expr::Expr};

/// What is wrong with the result of two numbers, if anything is.
type Fault = fn(f64, f64, f64) -> Option<ArrowError>;

pub(super) fn add(left: &dyn Datum, right: &dyn Datum) -> Result<ArrayRef, ArrowError> {
    checked(numeric::add(left, right)?, left, right, wrong_sum)
}

pub(super) fn sub(left: &dyn Datum, right: &dyn Datum) -> Result<ArrayRef, ArrowError> {
    checked(numeric::sub(left, right)?, left, right, wrong_sum)
}

pub(super) fn mul(left: &dyn Datum, right: &dyn Datum) -> Result<ArrayRef, ArrowError> {
    checked(numeric::mul(left, right)?, left, right, wrong_product)
}

pub(super) fn div(left: &dyn Datum, right: &dyn Datum) -> Result<ArrayRef, ArrowError> {
    checked(numeric::div(left, right)?, left, right, wrong_quotient)
}

/// Whether an operand is a number that is written and so small that no sum with it is greater than all floats.
pub(super) fn is_small(operand: &Expr) -> bool {
    match operand {
        Expr::Literal(ScalarValue::Float64(Some(number)), _) => number.abs() < 1e290,
        Expr::Literal(ScalarValue::Float32(Some(number)), _) => number.abs() < 1e30,
        _ => false,
    }
}

fn overflow() -> ArrowError {
    ArrowError::ArithmeticOverflow("overflow".to_owned())
}

fn underflow() -> ArrowError {
    ArrowError::ArithmeticOverflow("underflow".to_owned())
}

fn wrong_sum(left: f64, right: f64, sum: f64) -> Option<ArrowError> {
    (sum.is_infinite() && left.is_finite() && right.is_finite()).then(overflow)
}

fn wrong_product(left: f64, right: f64, product: f64) -> Option<ArrowError> {
    if product.is_infinite() && left.is_finite() && right.is_finite() {
        return Some(overflow());
    }
    (product == 0.0 && left != 0.0 && right != 0.0).then(underflow)
}

fn wrong_quotient(left: f64, right: f64, quotient: f64) -> Option<ArrowError> {
    if right == 0.0 && !left.is_nan() {
        return Some(ArrowError::DivideByZero);
    }
    if quotient.is_infinite() && left.is_finite() {
        return Some(overflow());
    }
    (quotient == 0.0 && left != 0.0 && !right.is_infinite()).then(underflow)
}

fn checked(result: ArrayRef, left: &dyn Datum, right: &dyn Datum, fault: Fault) -> Result<ArrayRef, ArrowError> {
    match result.data_type() {
        DataType::Float64 => check::<Float64Type>(&result, left, right, fault)?,
        DataType::Float32 => check::<Float32Type>(&result, left, right, fault)?,
        _ => {}
    }
    Ok(result)
}

fn check<T>(result: &ArrayRef, left: &dyn Datum, right: &dyn Datum, fault: Fault) -> Result<(), ArrowError>
where
    T: ArrowPrimitiveType,
    T::Native: Into<f64>,
{
    let results = result.as_primitive::<T>();
    let is_plain = |value: f64| value.is_finite() && value != 0.0;
    if results.values().iter().all(|value| is_plain((*value).into())) {
        return Ok(());
    }
    let ((left, is_left_one), (right, is_right_one)) = (left.get(), right.get());
    let (left, right) = (left.as_primitive::<T>(), right.as_primitive::<T>());
    let at = |operand: &PrimitiveArray<T>, is_one: bool, row: usize| -> f64 {
        operand.value(if is_one { 0 } else { row }).into()
    };
    for row in (0..results.len()).filter(|row| results.is_valid(*row)) {
        let (left, right) = (at(left, is_left_one, row), at(right, is_right_one, row));
        if let Some(error) = fault(left, right, results.value(row).into()) {
            return Err(error);
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float64Array, Scalar};

    use super::*;

    #[test]
    fn numbers_do_not_become_infinities_nor_zeros() {
        let one = |value: f64| Scalar::new(Arc::new(Float64Array::from(vec![value])) as ArrayRef);
        let failure = |result: Result<ArrayRef, ArrowError>| result.err().map(|error| error.to_string());
        let overflow = Some(overflow().to_string());
        let underflow = Some(underflow().to_string());
        let zero = Some(ArrowError::DivideByZero.to_string());
        assert_eq!(failure(add(&one(1e308), &one(1e308))), overflow);
        assert_eq!(failure(sub(&one(-1e308), &one(1e308))), overflow);
        assert_eq!(failure(mul(&one(1e308), &one(10.0))), overflow);
        assert_eq!(failure(mul(&one(1e-300), &one(1e-300))), underflow);
        assert_eq!(failure(div(&one(1e308), &one(1e-10))), overflow);
        assert_eq!(failure(div(&one(1e-300), &one(1e300))), underflow);
        assert_eq!(failure(div(&one(0.0), &one(0.0))), zero);
        assert_eq!(failure(div(&one(f64::INFINITY), &one(0.0))), zero);
        for kept in [
            div(&one(f64::NAN), &one(0.0)),
            div(&one(1.0), &one(f64::INFINITY)),
            mul(&one(f64::INFINITY), &one(10.0)),
            mul(&one(0.0), &one(10.0)),
            add(&one(f64::INFINITY), &one(f64::NEG_INFINITY)),
        ] {
            assert_eq!(failure(kept), None);
        }
    }

    #[test]
    fn rows_without_a_value_are_not_looked_at() {
        let left = Float64Array::from(vec![Some(1.0), None, Some(3.0)]);
        let right = Float64Array::from(vec![Some(2.0), Some(0.0), Some(4.0)]);
        assert_eq!(div(&left, &right).unwrap().null_count(), 1);
    }
}

//! Sums and results of numerics that are computed with twice the digits.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, Datum, PrimitiveArray, Scalar},
    compute::{CastOptions, cast, cast_with_options, kernels::numeric::mul, try_binary},
    datatypes::{
        DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, DataType, Decimal128Type, Decimal256Type, Int64Type,
        UInt64Type, i256,
    },
    error::ArrowError,
};

/// The least digits of a product that has lost some: it has sixteen.
const LEAST_KEPT: u128 = 10_u128.pow(15);

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

/// The quotients of decimals, rounded to the places of the result.
pub(super) fn quotients(left: &dyn Datum, right: &dyn Datum, result: &DataType) -> Result<ArrayRef, ArrowError> {
    let ((left, is_left_one), (right, is_right_one)) = (left.get(), right.get());
    let moved = i16::from(scale(result)) - i16::from(scale(left.data_type())) + i16::from(scale(right.data_type()));
    let moved = u32::try_from(moved).map_err(|_| no_room())?;
    let (left, right) = (left.as_primitive::<Decimal128Type>(), right.as_primitive::<Decimal128Type>());
    let power = 10_i128.checked_pow(moved);
    let each = |left: i128, right: i128| quotient(left, right, power, moved);
    let quotients: PrimitiveArray<Decimal128Type> = match (is_left_one, is_right_one) {
        (true, _) if left.is_null(0) => PrimitiveArray::new_null(right.len()),
        (_, true) if right.is_null(0) => PrimitiveArray::new_null(left.len()),
        (true, false) => {
            let left = left.value(0);
            right.try_unary(|right| each(left, right))?
        }
        (false, true) => {
            let right = right.value(0);
            left.try_unary(|left| each(left, right))?
        }
        _ => try_binary(left, right, each)?,
    };
    Ok(Arc::new(quotients.with_data_type(result.clone())))
}

/// The quotient of digits, of which the dividend's are moved by so many places: multiplied by that power of ten, if there is one.
fn quotient(left: i128, right: i128, power: Option<i128>, moved: u32) -> Result<i128, ArrowError> {
    if right == 0 {
        return Err(ArrowError::DivideByZero);
    }
    let rounded = match power.and_then(|power| left.checked_mul(power)) {
        Some(left) => {
            let quotient = left.checked_div(right).ok_or_else(no_room)?;
            let rest = (left - quotient * right).unsigned_abs();
            // Twice the rest may have no room.
            let is_up = rest >= right.unsigned_abs() - rest;
            let away = if (left < 0) == (right < 0) { 1 } else { -1 };
            if is_up { quotient + away } else { quotient }
        }
        None => {
            let power = i256::from_i128(10).checked_pow(moved).ok_or_else(no_room)?;
            let left = i256::from_i128(left).checked_mul(power).ok_or_else(no_room)?;
            divided(left, i256::from_i128(right))?.to_i128().ok_or_else(no_room)?
        }
    };
    Some(rounded).filter(|rounded| fits(*rounded)).ok_or_else(no_room)
}

/// A quotient of long numbers, rounded away from zero. The divisor is less than half of what there is room for.
fn divided(left: i256, right: i256) -> Result<i256, ArrowError> {
    let parts = left.checked_div(right).zip(left.checked_rem(right));
    let (quotient, rest) = parts.ok_or_else(no_room)?;
    let (rest, divisor) = (rest.wrapping_abs(), right.wrapping_abs());
    let is_up = rest >= divisor.wrapping_sub(rest);
    let away = if left.is_negative() == right.is_negative() { i256::ONE } else { i256::MINUS_ONE };
    Ok(if is_up { quotient.wrapping_add(away) } else { quotient })
}

/// The products of decimals with the places of the result. Those that lose digits for that keep as many as a double has at
/// least, or there is no room for them.
pub(super) fn products(left: &dyn Datum, right: &dyn Datum, result: &DataType) -> Result<ArrayRef, ArrowError> {
    let products = computed(left, right, mul)?;
    let lost = i16::from(scale(products.data_type())) - i16::from(scale(result));
    let power = u32::try_from(lost).ok().and_then(|lost| i256::from_i128(10).checked_pow(lost)).ok_or_else(no_room)?;
    let each = |product: i256| -> Result<i128, ArrowError> {
        if lost == 0 {
            return product.to_i128().filter(|kept| fits(*kept)).ok_or_else(no_room);
        }
        let kept = divided(product, power)?.to_i128().filter(|kept| fits(*kept)).ok_or_else(no_room)?;
        let is_exact = i256::from_i128(kept).checked_mul(power) == Some(product);
        if is_exact || kept.unsigned_abs() >= LEAST_KEPT { Ok(kept) } else { Err(no_room()) }
    };
    let kept: PrimitiveArray<Decimal128Type> = products.as_primitive::<Decimal256Type>().try_unary(each)?;
    Ok(Arc::new(kept.with_data_type(result.clone())))
}

fn scale(decimal: &DataType) -> i8 {
    match decimal {
        DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale) => *scale,
        _ => 0,
    }
}

fn fits(digits: i128) -> bool {
    digits.unsigned_abs() < 10_u128.pow(u32::from(DECIMAL128_MAX_PRECISION))
}

fn no_room() -> ArrowError {
    ArrowError::ArithmeticOverflow("result: the result has more than 38 digits".to_owned())
}

/// What a kernel makes of two decimals with twice the digits.
fn computed(
    left: &dyn Datum,
    right: &dyn Datum,
    kernel: fn(&dyn Datum, &dyn Datum) -> Result<ArrayRef, ArrowError>,
) -> Result<ArrayRef, ArrowError> {
    let wide = |operand: &dyn Datum| -> Result<(ArrayRef, bool), ArrowError> {
        let (values, is_scalar) = operand.get();
        let scale = scale(values.data_type());
        Ok((cast(values, &DataType::Decimal256(DECIMAL256_MAX_PRECISION, scale))?, is_scalar))
    };
    match (wide(left)?, wide(right)?) {
        ((left, true), (right, true)) => kernel(&Scalar::new(left), &Scalar::new(right)),
        ((left, true), (right, false)) => kernel(&Scalar::new(left), &right),
        ((left, false), (right, true)) => kernel(&left, &Scalar::new(right)),
        ((left, false), (right, false)) => kernel(&left, &right),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::array::Decimal128Array;

    use super::*;

    fn one(digits: i128, scale: i8) -> Decimal128Array {
        Decimal128Array::from(vec![digits]).with_data_type(DataType::Decimal128(38, scale))
    }

    fn value(result: Result<ArrayRef, ArrowError>) -> Option<i128> {
        result.ok().map(|result| result.as_primitive::<Decimal128Type>().value(0))
    }

    #[test]
    fn quotients_are_rounded() {
        let result = DataType::Decimal128(38, 4);
        let of = |left: i128, right: i128| value(quotients(&one(left, 0), &one(right, 0), &result));
        assert_eq!(of(2, 3), Some(6667));
        assert_eq!(of(-2, 3), Some(-6667));
        assert_eq!(of(2, -3), Some(-6667));
        assert_eq!(of(1, 3), Some(3333));
        assert_eq!(of(1, 20_000), Some(1));
        assert_eq!(of(-1, 20_000), Some(-1));
        assert_eq!(of(1, 20_001), Some(0));
        assert_eq!(of(6, 3), Some(20_000));
        // The dividend has no room for its places.
        let most = 10_i128.pow(38) - 1;
        assert_eq!(of(most, 3 * 10_i128.pow(9)), Some(333_333_333_333_333_333_333_333_333_333_333));
        assert_eq!(of(most, 1), None);
        assert!(matches!(quotients(&one(1, 0), &one(0, 0), &result), Err(ArrowError::DivideByZero)));
        let scalar = Scalar::new(one(3, 0));
        assert_eq!(value(quotients(&one(2, 0), &scalar, &result)), Some(6667));
        assert_eq!(value(quotients(&scalar, &one(2, 0), &result)), Some(15_000));
    }

    #[test]
    fn products_are_exact_or_have_the_digits_of_a_double() {
        let result = DataType::Decimal128(38, 20);
        let of = |left: i128, right: i128| value(products(&one(left, 15), &one(right, 15), &result));
        // 0.000000001 squared, and half of that.
        assert_eq!(of(1_000_000, 1_000_000), Some(100));
        assert_eq!(of(1, 1), None);
        // A third squared.
        assert_eq!(of(333_333_333_333_333, 333_333_333_333_333), Some(11_111_111_111_111_088_889));
        assert_eq!(of(10_i128.pow(36), 1), Some(10_i128.pow(26)));
        assert_eq!(of(10_i128.pow(36), 10_i128.pow(15)), None);
    }
}

//! Sums and results of numerics that are computed with twice the digits.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, Datum, PrimitiveArray, Scalar},
    compute::{CastOptions, cast, cast_with_options, kernels::numeric::mul, try_binary},
    datatypes::{
        ArrowPrimitiveType, DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, DataType, Decimal128Type,
        Decimal256Type, DecimalType, Int64Type, UInt64Type, i256,
    },
    error::ArrowError,
};
use datafusion::logical_expr::Operator;

use super::number_types::{MAX_DIGITS, digits_of};
use crate::functions;

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

/// The quotients of decimals, rounded to the places of the result. One that loses digits for that keeps as many as a double has
/// at least, or it is refused.
pub(super) fn quotients(left: &dyn Datum, right: &dyn Datum, result: &DataType) -> Result<ArrayRef, ArrowError> {
    if matches!(result, DataType::Decimal256(..)) {
        // Where 256 bits have no room before it is rounded, or it has too few digits.
        return long_quotients(left, right, result).or_else(|_| {
            let exact = functions::calculated_columns(left, Operator::Divide, right, result);
            exact.map_err(|failure| ArrowError::ExternalError(Box::new(failure)))
        });
    }
    let places = scale(result);
    let moved = moved(left, right, places)?;
    let power = 10_i128.checked_pow(moved);
    let quotients: PrimitiveArray<Decimal128Type> =
        each_pair(left, right, |left, right| quotient(left, right, power, moved, places))?;
    Ok(Arc::new(quotients.with_data_type(result.clone())))
}

/// The same with twice the digits.
fn long_quotients(left: &dyn Datum, right: &dyn Datum, result: &DataType) -> Result<ArrayRef, ArrowError> {
    let places = scale(result);
    let power = i256::from_i128(10).checked_pow(moved(left, right, places)?).ok_or_else(no_long_room)?;
    computed(left, right, |left, right| {
        let quotients: PrimitiveArray<Decimal256Type> =
            each_pair(left, right, |left, right| long_quotient(left, right, power, places))?;
        Ok(Arc::new(quotients.with_data_type(result.clone())))
    })
}

/// How many places the digits of dividends are moved by, so that quotients have so many.
fn moved(left: &dyn Datum, right: &dyn Datum, places: i8) -> Result<u32, ArrowError> {
    let [from, by] = [left, right].map(|operand| i16::from(scale(operand.get().0.data_type())));
    u32::try_from(i16::from(places) - from + by).map_err(|_| no_room())
}

/// What each pair of numbers comes to, of which one may stand beside all others.
fn each_pair<T: ArrowPrimitiveType>(
    left: &dyn Datum,
    right: &dyn Datum,
    each: impl Fn(T::Native, T::Native) -> Result<T::Native, ArrowError>,
) -> Result<PrimitiveArray<T>, ArrowError> {
    let ((left, is_left_one), (right, is_right_one)) = (left.get(), right.get());
    let (left, right) = (left.as_primitive::<T>(), right.as_primitive::<T>());
    match (is_left_one, is_right_one) {
        (true, _) if left.is_null(0) => Ok(PrimitiveArray::new_null(right.len())),
        (_, true) if right.is_null(0) => Ok(PrimitiveArray::new_null(left.len())),
        (true, false) => {
            let left = left.value(0);
            right.try_unary(|right| each(left, right))
        }
        (false, true) => {
            let right = right.value(0);
            left.try_unary(|left| each(left, right))
        }
        _ => try_binary(left, right, each),
    }
}

/// The quotient of digits, of which the dividend's are moved by so many places: multiplied by that power of ten, if there is one.
fn quotient(left: i128, right: i128, power: Option<i128>, moved: u32, places: i8) -> Result<i128, ArrowError> {
    if right == 0 {
        return Err(ArrowError::DivideByZero);
    }
    let rounded = match power.and_then(|power| left.checked_mul(power)) {
        Some(left) => {
            let quotient = left.checked_div(right).ok_or_else(no_room)?;
            let rest = (left - quotient * right).unsigned_abs();
            if rest != 0 && quotient.unsigned_abs() < LEAST_KEPT {
                return Err(few_digits(places));
            }
            // Twice the rest may have no room.
            let is_up = rest >= right.unsigned_abs() - rest;
            let away = if (left < 0) == (right < 0) { 1 } else { -1 };
            if is_up { quotient + away } else { quotient }
        }
        None => {
            let power = i256::from_i128(10).checked_pow(moved).ok_or_else(no_room)?;
            let quotient = long_quotient(i256::from_i128(left), i256::from_i128(right), power, places)?;
            quotient.to_i128().ok_or_else(no_room)?
        }
    };
    Some(rounded).filter(|rounded| fits(*rounded)).ok_or_else(no_room)
}

/// The same of twice the digits.
fn long_quotient(left: i256, right: i256, power: i256, places: i8) -> Result<i256, ArrowError> {
    if right == i256::ZERO {
        return Err(ArrowError::DivideByZero);
    }
    let left = left.checked_mul(power).ok_or_else(no_long_room)?;
    let quotient = divided(left, right)?;
    let is_short = quotient.wrapping_abs() < i256::from_parts(LEAST_KEPT, 0);
    if is_short && quotient.checked_mul(right) != Some(left) {
        return Err(few_digits(places));
    }
    let has_room = Decimal256Type::is_valid_decimal_precision(quotient, DECIMAL256_MAX_PRECISION);
    has_room.then_some(quotient).ok_or_else(no_long_room)
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
    let [one, other] = [left, right].map(|operand| i16::from(scale(operand.get().0.data_type())));
    let lost = one + other - i16::from(scale(result));
    if lost == 0 {
        let products = short(mul(left, right)?)?;
        return Ok(Arc::new(products.as_primitive::<Decimal128Type>().clone().with_data_type(result.clone())));
    }
    let products = computed(left, right, mul)?;
    let power = u32::try_from(lost).ok().and_then(|lost| i256::from_i128(10).checked_pow(lost)).ok_or_else(no_room)?;
    let each = |product: i256| -> Result<i128, ArrowError> {
        let kept = divided(product, power)?.to_i128().filter(|kept| fits(*kept)).ok_or_else(no_room)?;
        let is_exact = i256::from_i128(kept).checked_mul(power) == Some(product);
        if is_exact || kept.unsigned_abs() >= LEAST_KEPT { Ok(kept) } else { Err(no_room()) }
    };
    let kept: PrimitiveArray<Decimal128Type> = products.as_primitive::<Decimal256Type>().try_unary(each)?;
    Ok(Arc::new(kept.with_data_type(result.clone())))
}

/// Whether a sum or a difference of decimals of these types may have more than 38 digits.
pub(super) fn sum_may_leave(left: &DataType, right: &DataType) -> bool {
    let pair = digits_of(left).zip(digits_of(right));
    pair.is_some_and(|((digits, places), (other, other_places))| {
        (digits - places).max(other - other_places) + places.max(other_places) >= MAX_DIGITS
    })
}

/// The same of a product.
pub(super) fn product_may_leave(left: &DataType, right: &DataType) -> bool {
    let pair = digits_of(left).zip(digits_of(right));
    pair.is_some_and(|((digits, _), (other, _))| digits + other > MAX_DIGITS)
}

/// Results of the engine's own, if all have 38 digits at most: there are numbers of 39 that have the bits.
pub(super) fn short(results: ArrayRef) -> Result<ArrayRef, ArrowError> {
    let has_room = results.as_primitive::<Decimal128Type>().iter().flatten().all(fits);
    if has_room { Ok(results) } else { Err(no_room()) }
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

fn no_long_room() -> ArrowError {
    ArrowError::ArithmeticOverflow("result: the result has more than 76 digits".to_owned())
}

fn few_digits(places: i8) -> ArrowError {
    let why = format!("the quotient has less than sixteen digits in {places} decimal places");
    ArrowError::ArithmeticOverflow(format!("result: {why}; cast the dividend to double precision"))
}

/// What a kernel makes of two decimals with twice the digits.
fn computed(
    left: &dyn Datum,
    right: &dyn Datum,
    kernel: impl Fn(&dyn Datum, &dyn Datum) -> Result<ArrayRef, ArrowError>,
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
    use arrow::{array::Decimal128Array, compute::kernels::numeric::add};

    use super::*;

    fn one(digits: i128, scale: i8) -> Decimal128Array {
        Decimal128Array::from(vec![digits]).with_data_type(DataType::Decimal128(38, scale))
    }

    fn value(result: Result<ArrayRef, ArrowError>) -> Option<i128> {
        result.ok().map(|result| result.as_primitive::<Decimal128Type>().value(0))
    }

    #[test]
    fn quotients_are_rounded() {
        let result = DataType::Decimal128(38, 20);
        let of = |left: i128, right: i128| value(quotients(&one(left, 0), &one(right, 0), &result));
        assert_eq!(of(2, 3), Some(66_666_666_666_666_666_667));
        assert_eq!(of(-2, 3), Some(-66_666_666_666_666_666_667));
        assert_eq!(of(2, -3), Some(-66_666_666_666_666_666_667));
        assert_eq!(of(1, 3), Some(33_333_333_333_333_333_333));
        assert_eq!(of(6, 3), Some(200_000_000_000_000_000_000));
        // The dividend has no room for its places.
        let most = 10_i128.pow(38) - 1;
        let of_most = |right: i128| value(quotients(&one(most, 0), &one(right, 0), &DataType::Decimal128(38, 4)));
        assert_eq!(of_most(3 * 10_i128.pow(9)), Some(333_333_333_333_333_333_333_333_333_333_333));
        assert_eq!(of_most(1), None);
        assert!(matches!(quotients(&one(1, 0), &one(0, 0), &result), Err(ArrowError::DivideByZero)));
        let scalar = Scalar::new(one(3, 0));
        assert_eq!(value(quotients(&one(2, 0), &scalar, &result)), Some(66_666_666_666_666_666_667));
        assert_eq!(value(quotients(&scalar, &one(2, 0), &result)), Some(150_000_000_000_000_000_000));
    }

    #[test]
    fn quotients_are_exact_or_have_the_digits_of_a_double() {
        let result = DataType::Decimal128(38, 20);
        let of = |left: i128, right: i128| value(quotients(&one(left, 0), &one(right, 0), &result));
        assert_eq!(of(1, 1024), Some(97_656_250_000_000_000));
        assert_eq!(of(1, 2_i128.pow(20)), Some(95_367_431_640_625));
        assert_eq!(of(1, 9_000), Some(11_111_111_111_111_111));
        assert_eq!(of(1, 300_000), None);
        assert_eq!(of(0, 300_000), Some(0));
        let long = DataType::Decimal256(76, 30);
        let of = |left: i128, right: i128| {
            let quotients = quotients(&one(left, 0), &Scalar::new(one(right, 10)), &long).ok()?;
            Some(quotients.as_primitive::<Decimal256Type>().value(0).to_string())
        };
        assert_eq!(of(1, 3 * 10_i128.pow(15)).as_deref(), Some("3333333333333333333333333"));
        assert_eq!(of(-2, 3 * 10_i128.pow(15)).as_deref(), Some("-6666666666666666666666667"));
        assert_eq!(of(1, 10_i128.pow(35)).as_deref(), Some("100000"));
        assert_eq!(of(1, 3 * 10_i128.pow(35)), None);
        assert_eq!(of(1, 0), None);
    }

    #[test]
    fn results_of_39_digits_are_refused() {
        let most = 10_i128.pow(38) - 1;
        let sum = |left: i128, right: i128| value(short(add(&one(left, 0), &one(right, 0)).unwrap()));
        assert_eq!(sum(most, 0), Some(most));
        assert_eq!(sum(-most, 0), Some(-most));
        assert_eq!(sum(most, 1), None);
        assert_eq!(sum(-most, -1), None);
        let result = DataType::Decimal128(38, 4);
        let product = |left: i128, right: i128| value(products(&one(left, 2), &one(right, 2), &result));
        assert_eq!(product(150, 200), Some(30_000));
        assert_eq!(product(10_i128.pow(19), 10_i128.pow(19)), None);
        assert_eq!(product(10_i128.pow(30), 10_i128.pow(19)), None);
        let decimal = |digits: u8, scale: i8| DataType::Decimal128(digits, scale);
        assert!(!sum_may_leave(&decimal(37, 2), &decimal(20, 2)));
        assert!(sum_may_leave(&decimal(38, 10), &decimal(5, 2)));
        assert!(!product_may_leave(&decimal(15, 2), &decimal(23, 2)));
        assert!(product_may_leave(&decimal(15, 2), &decimal(24, 2)));
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

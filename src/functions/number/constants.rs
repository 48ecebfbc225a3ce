//! Numerics that are written, calculated with as PostgreSQL does: the result has the digits that it gives it.

use arrow::datatypes::{DECIMAL256_MAX_PRECISION, DataType, i256};
use datafusion::{common::ScalarValue, logical_expr::Operator};

use super::{
    exact::{Decimal, MIN_DIGITS, Rounding},
    numerics::{Room, long, short},
};

/// What an operator makes of two numbers, of which one is a numeric and none a float. None if there is no result, or no room for
/// it: whoever calculates with columns says so.
pub(crate) fn calculated(left: &ScalarValue, op: Operator, right: &ScalarValue) -> Option<ScalarValue> {
    let is_numeric = |value: &ScalarValue| value.data_type().is_decimal();
    if !is_numeric(left) && !is_numeric(right) {
        return None;
    }
    let (left, right) = (exact(left)?, exact(right)?);
    let value = match op {
        Operator::Plus => left.plus(&right),
        Operator::Minus => left.minus(&right),
        Operator::Multiply => left.times(&right),
        Operator::Divide => left.divided(&right, left.quotient_scale(&right)).ok()?,
        Operator::Modulo => left.divided_whole(&right).ok()?.1,
        _ => return None,
    };
    numeric(&value)
}

/// A whole number or a numeric.
fn exact(value: &ScalarValue) -> Option<Decimal> {
    Some(match value {
        ScalarValue::Decimal128(Some(digits), _, scale) => short(*digits, *scale),
        ScalarValue::Decimal256(Some(digits), _, scale) => long(*digits, *scale),
        ScalarValue::Int16(Some(number)) => Decimal::new(i128::from(*number), 0),
        ScalarValue::Int32(Some(number)) => Decimal::new(i128::from(*number), 0),
        ScalarValue::Int64(Some(number)) => Decimal::new(i128::from(*number), 0),
        _ => return None,
    })
}

/// The value in a type of its own digits. Where they are too many, it is rounded to those that there is room for, if sixteen are
/// left.
fn numeric(value: &Decimal) -> Option<ScalarValue> {
    let Room { whole, places } = Room::of_value(value);
    let most = i16::from(DECIMAL256_MAX_PRECISION);
    let value = match usize::try_from(places.min(most - whole)) {
        Ok(places) if places < value.scale() => {
            let kept = value.rounded(places, Rounding::Nearest);
            let count = kept.to_digits().trim_start_matches('-').len();
            let is_exact = value.min_scale() <= places;
            Some(kept).filter(|_| is_exact || count >= MIN_DIGITS)?
        }
        Ok(_) => value.clone(),
        Err(_) => return None,
    };
    let digits = value.to_digits();
    let has_places = |scale: i8| usize::try_from(scale) == Ok(value.scale());
    match Room::of_value(&value).numeric() {
        DataType::Decimal128(precision, scale) if has_places(scale) => {
            Some(ScalarValue::Decimal128(Some(digits.parse().ok()?), precision, scale))
        }
        DataType::Decimal256(precision, scale) if has_places(scale) => {
            Some(ScalarValue::Decimal256(Some(i256::from_string(&digits)?), precision, scale))
        }
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn written(text: &str) -> ScalarValue {
        let scale = text.split_once('.').map_or(0, |(_, places)| places.len());
        numeric(&Decimal::from_digits(&text.replace('.', ""), scale).unwrap()).unwrap()
    }

    fn shown(left: &str, op: Operator, right: &str) -> Option<String> {
        calculated(&written(left), op, &written(right)).and_then(|value| exact(&value)).map(|value| value.to_string())
    }

    /// As PostgreSQL 15 answers.
    #[test]
    fn results_have_the_digits_that_postgresql_gives_them() {
        use Operator::{Divide, Minus, Modulo, Multiply, Plus};
        for (left, op, right, expected) in [
            ("-1", Divide, "12345678901234567890.123456789012345678", "-0.000000000000000000081000000729000007"),
            ("1", Divide, "3", "0.33333333333333333333"),
            ("0.00001", Divide, "3", "0.000003333333333333333333"),
            ("1.0", Divide, "123456789", "0.0000000081000000737100006708"),
            ("1", Divide, "12345678901234567890123456789", "0.000000000000000000000000000081000000729000006634"),
            (
                "0.123456789012345678901234567890",
                Multiply,
                "0.123456789012345678901234567890",
                "0.015241578753238836750495351562536198787501905199875019052100",
            ),
            (
                "12345678901234567890123456789012345678",
                Multiply,
                "12345678901234567890123456789012345678",
                "152415787532388367504953515625666819427831123554031397676527968299765279684",
            ),
            ("99999999999999999999999999999999999999", Plus, "1", "100000000000000000000000000000000000000"),
            (
                "99999999999999999999999999999999999999",
                Minus,
                "0.00000001",
                "99999999999999999999999999999999999998.99999999",
            ),
            ("12345678901234567890123.456", Modulo, "7.1", "2.556"),
        ] {
            assert_eq!(shown(left, op, right).as_deref(), Some(expected), "{left} {op} {right}");
        }
        assert_eq!(shown("1", Divide, "0"), None);
        // There is no room.
        assert_eq!(shown(&"9".repeat(76), Multiply, "11"), None);
    }

    #[test]
    fn numbers_that_are_no_numerics_are_left_alone() {
        let one = ScalarValue::Int64(Some(1));
        assert_eq!(calculated(&one, Operator::Plus, &one), None);
        assert_eq!(calculated(&written("1.5"), Operator::Plus, &ScalarValue::Float64(Some(1.0))), None);
        assert_eq!(calculated(&written("1.5"), Operator::Plus, &ScalarValue::Int64(None)), None);
    }
}

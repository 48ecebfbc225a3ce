//! Columns of numerics that are calculated with as PostgreSQL does, where the engine has no type or no room for the results.
//!
//! A result is computed exactly and rounded once, to the digits behind the point that its column has. One that loses some has
//! sixteen significant digits nevertheless, or it is refused, as one is that has more digits than there is room for.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, Datum, Decimal256Array, Int32Array},
    datatypes::{DataType, Decimal256Type, DecimalType, i256},
};
use datafusion::logical_expr::Operator;

use super::{
    exact::{Decimal, MIN_DIGITS, Rounding},
    numerics::{Numerics, long_digits},
    undefined,
};
use crate::{
    fault::{Failure, Fault, Result},
    interrupt::step,
    pgtype,
};

/// What an operator makes of each pair of numerics, of which one may stand beside all others, as numerics of up to 76 digits.
pub(crate) fn calculated_columns(
    left: &dyn Datum,
    op: Operator,
    right: &dyn Datum,
    result: &DataType,
) -> Result<ArrayRef> {
    let pairs = Pairs::of(left, right)?;
    let DataType::Decimal256(precision, scale) = *result else {
        let found = pgtype::type_name(result);
        return Err(Failure::new(Fault::Internal, format!("numerics were promised as values of the type {found}")));
    };
    let places = usize::try_from(scale).unwrap_or(0);
    let quick = Quick::of(op, [pairs.left.scale(), pairs.right.scale()], scale);
    let digits = pairs.each(|left, right| {
        let found = quick.as_ref().and_then(|quick| quick.digits(pairs.left.digits(left), pairs.right.digits(right)));
        match found.filter(|digits| Decimal256Type::is_valid_decimal_precision(*digits, precision)) {
            Some(digits) => Ok(digits),
            None => {
                let number = calculated(&pairs.left.value(left), op, &pairs.right.value(right), places)?;
                long_digits(&number, precision, places)
            }
        }
    });
    let digits = digits.collect::<Result<Decimal256Array>>()?;
    Ok(Arc::new(digits.with_data_type(result.clone())))
}

/// How the numerics of each pair are ordered, of which one may stand beside all others: -1, 0 or 1.
pub(crate) fn compared_columns(left: &dyn Datum, right: &dyn Datum) -> Result<ArrayRef> {
    let pairs = Pairs::of(left, right)?;
    let orders = pairs.each(|left, right| Ok(pairs.left.value(left).cmp(&pairs.right.value(right)) as i32));
    Ok(Arc::new(orders.collect::<Result<Int32Array>>()?))
}

/// Numerics of two columns, or one beside all of a column.
struct Pairs<'a> {
    left: Numerics<'a>,
    right: Numerics<'a>,
    columns: [(&'a dyn Array, bool); 2],
}

impl<'a> Pairs<'a> {
    fn of(left: &'a dyn Datum, right: &'a dyn Datum) -> Result<Self> {
        let columns = [left.get(), right.get()];
        match columns.map(|(column, _)| Numerics::of_column(column)) {
            [Some(left), Some(right)] => Ok(Self { left, right, columns }),
            _ => {
                let [left, right] = columns.map(|(column, _)| pgtype::type_name(column.data_type()));
                Err(Failure::new(Fault::Internal, format!("{left} and {right} are not both numerics")))
            }
        }
    }

    /// What each pair comes to, by the rows of both; NULL where one of them is.
    fn each<T>(&self, of_rows: impl Fn(usize, usize) -> Result<T>) -> impl Iterator<Item = Result<Option<T>>> {
        let [(left, is_left_one), (right, is_right_one)] = self.columns;
        let rows = if is_left_one { right.len() } else { left.len() };
        (0..rows).map(move |row| {
            step()?;
            let (at, beside) = (if is_left_one { 0 } else { row }, if is_right_one { 0 } else { row });
            if left.is_null(at) || right.is_null(beside) { Ok(None) } else { of_rows(at, beside).map(Some) }
        })
    }
}

/// Sums, differences and products that have all their digits and room in 256 bits.
struct Quick {
    op: Operator,
    /// What the digits of both are multiplied by, so that they have the places of the result.
    powers: [i256; 2],
}

impl Quick {
    /// None where results are rounded, or are quotients.
    fn of(op: Operator, scales: [i8; 2], scale: i8) -> Option<Self> {
        let [one, two] = scales.map(i16::from);
        let powers = match op {
            Operator::Plus | Operator::Minus => [power(i16::from(scale) - one)?, power(i16::from(scale) - two)?],
            Operator::Multiply if one + two == i16::from(scale) => [i256::ONE; 2],
            _ => return None,
        };
        Some(Self { op, powers })
    }

    fn digits(&self, one: i256, two: i256) -> Option<i256> {
        let [by, other_by] = self.powers;
        let (one, two) = (one.checked_mul(by)?, two.checked_mul(other_by)?);
        match self.op {
            Operator::Plus => one.checked_add(two),
            Operator::Minus => one.checked_sub(two),
            _ => one.checked_mul(two),
        }
    }
}

fn power(places: i16) -> Option<i256> {
    i256::from_i128(10).checked_pow(u32::try_from(places).ok()?)
}

/// What an operator makes of two numerics, with so many digits behind the point.
fn calculated(one: &Decimal, op: Operator, two: &Decimal, places: usize) -> Result<Decimal> {
    let exact = match op {
        Operator::Plus => one.plus(two),
        Operator::Minus => one.minus(two),
        Operator::Multiply => one.times(two),
        _ => {
            let quotient = one.divided(two, places).map_err(undefined)?;
            return if has_enough(&quotient) || quotient.times(two) == *one { Ok(quotient) } else { Err(few(places)) };
        }
    };
    let kept = exact.rounded(places, Rounding::Nearest);
    if exact.min_scale() <= places || has_enough(&kept) { Ok(kept) } else { Err(few(places)) }
}

/// Whether a number that was rounded has as many digits as PostgreSQL keeps.
fn has_enough(number: &Decimal) -> bool {
    number.to_digits().trim_start_matches('-').len() >= MIN_DIGITS
}

fn few(places: usize) -> Failure {
    let why = format!("the result has less than sixteen digits in {places} decimal places");
    Failure::new(Fault::NumericOutOfRange, format!("numeric out of range: {why}; cast to double precision"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::{
        array::{AsArray, Decimal128Array, Scalar},
        datatypes::Int32Type,
    };

    use super::*;

    fn short(digits: i128, scale: i8) -> Decimal128Array {
        Decimal128Array::from(vec![digits]).with_data_type(DataType::Decimal128(38, scale))
    }

    fn long(digits: &str, scale: i8) -> Decimal256Array {
        let digits = i256::from_string(digits).unwrap();
        Decimal256Array::from(vec![digits]).with_data_type(DataType::Decimal256(76, scale))
    }

    fn shown(left: &dyn Datum, op: Operator, right: &dyn Datum, scale: i8) -> Option<String> {
        let result = calculated_columns(left, op, right, &DataType::Decimal256(76, scale)).ok()?;
        Some(result.as_primitive::<Decimal256Type>().value_as_string(0))
    }

    #[test]
    fn results_are_exact_or_have_sixteen_digits() {
        let (factorial, small) = (long("120", 0), short(1_005, 3));
        assert_eq!(shown(&small, Operator::Plus, &factorial, 3).unwrap(), "121.005");
        assert_eq!(shown(&small, Operator::Minus, &factorial, 3).unwrap(), "-118.995");
        assert_eq!(shown(&small, Operator::Multiply, &factorial, 3).unwrap(), "120.600");
        assert_eq!(shown(&factorial, Operator::Divide, &short(7, 0), 20).unwrap(), "17.14285714285714285714");
        // What 256 bits have no room for before it is rounded.
        let great = long(&"9".repeat(70), 35);
        assert_eq!(shown(&great, Operator::Divide, &great, 38).unwrap(), format!("1.{}", "0".repeat(38)));
        assert_eq!(shown(&great, Operator::Multiply, &long("1", 38), 38).unwrap().len(), 40);
        assert_eq!(shown(&long("1", 38), Operator::Multiply, &long("1", 38), 38), None);
        assert_eq!(
            shown(&long("15", 10), Operator::Multiply, &long("2", 20), 29).unwrap(),
            format!("0.{}3", "0".repeat(28))
        );
        assert_eq!(shown(&great, Operator::Multiply, &great, 38), None);
        assert_eq!(shown(&small, Operator::Divide, &short(0, 0), 38), None);
    }

    #[test]
    fn one_stands_beside_all() {
        let many = Decimal128Array::from(vec![Some(1), None, Some(3)]).with_data_type(DataType::Decimal128(5, 1));
        let one = Scalar::new(long("2", 0));
        let sums = calculated_columns(&one, Operator::Plus, &many, &DataType::Decimal256(76, 1)).unwrap();
        let sums = sums.as_primitive::<Decimal256Type>();
        assert_eq!((sums.len(), sums.is_null(1), sums.value_as_string(2)), (3, true, "2.3".to_owned()));
        let orders = compared_columns(&many, &Scalar::new(long("3", 1))).unwrap();
        assert_eq!(orders.as_primitive::<Int32Type>(), &Int32Array::from(vec![Some(-1), None, Some(0)]));
    }
}

//! `width_bucket`: in which of equal parts of a range a number lies, or between which of several thresholds a value of any type.

use arrow::array::{Array as _, ArrayRef};

use super::{
    exact::{Decimal, Undefined},
    integers::Whole,
    numerics::Numerics,
    undefined,
};
use crate::{
    fault::{Failure, Fault, Result},
    functions::{
        Call, Function, Overload,
        array::{Lists, comparing},
        call::counted,
    },
    pgtype::{ANYCOMPATIBLE, ANYCOMPATIBLEARRAY, FLOAT8, INT4, NUMERIC},
};

pub(super) static WIDTH_BUCKET: Function = Function {
    name: "width_bucket",
    purpose: "The number of the part of a range that the number lies in: 0 is before the first, one more behind the last",
    example: "width_bucket(5.35::float8, 0.024::float8, 10.06::float8, 5::int4)",
    shows: "3",
    overloads: &[
        Overload::new(&[FLOAT8, FLOAT8, FLOAT8, INT4], INT4, of_floats),
        Overload::new(&[NUMERIC, NUMERIC, NUMERIC, INT4], INT4, of_numerics),
        Overload::new(&[ANYCOMPATIBLE, ANYCOMPATIBLEARRAY], INT4, of_thresholds),
    ],
};

fn of_floats(call: &Call<'_>) -> Result<ArrayRef> {
    let (numbers, lows, highs) = (call.float8s(0)?, call.float8s(1)?, call.float8s(2)?);
    let counts = call.int4s(3)?;
    let bucket = |row: usize| of_float(numbers.value(row), lows.value(row), highs.value(row), counts.value(row));
    call.int4_of(|row| bucket(row).map(Some))
}

fn of_numerics(call: &Call<'_>) -> Result<ArrayRef> {
    let [numbers, lows, highs] = [Numerics::of(call, 0)?, Numerics::of(call, 1)?, Numerics::of(call, 2)?];
    let counts = call.int4s(3)?;
    let bucket = |row: usize| of_numeric(&numbers.value(row), &lows.value(row), &highs.value(row), counts.value(row));
    call.int4_of(|row| bucket(row).map(Some))
}

/// How many thresholds are no greater than the value. They are in order, or it is no matter what is found.
fn of_thresholds(call: &Call<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(call.argument(1)?)?;
    let compare = comparing(&lists.leaves, call.argument(0)?)?;
    let nulls = lists.leaves.logical_nulls();
    call.int4_of(|row| {
        let Some(thresholds) = lists.array(row) else { return Ok(None) };
        if thresholds.dimensions.len() > 1 {
            return Err(Failure::new(Fault::ArraySubscript, "thresholds must be one-dimensional array"));
        }
        let (start, length) = (thresholds.elements.start, thresholds.elements.len());
        if nulls.as_ref().is_some_and(|nulls| nulls.slice(start, length).null_count() > 0) {
            return Err(Failure::new(Fault::NullNotAllowed, "thresholds array must not contain NULLs"));
        }
        let (first, mut low, mut high) =
            (thresholds.elements.start, thresholds.elements.start, thresholds.elements.end);
        while low < high {
            let middle = low.midpoint(high);
            if compare(middle, row).is_gt() { high = middle } else { low = middle + 1 }
        }
        counted(low - first)
    })
}

fn invalid(message: &str) -> Failure {
    Failure::new(Fault::InvalidWidthBucket, message)
}

fn check_count(count: i32) -> Result<()> {
    if count > 0 { Ok(()) } else { Err(invalid("count must be greater than zero")) }
}

fn after_last(count: i32) -> Result<i32> {
    i32::narrowed(i128::from(count) + 1)
}

fn of_float(number: f64, low: f64, high: f64, count: i32) -> Result<i32> {
    check_count(count)?;
    if number.is_nan() || low.is_nan() || high.is_nan() {
        return Err(invalid("operand, lower bound, and upper bound cannot be NaN"));
    }
    if low.is_infinite() || high.is_infinite() {
        return Err(invalid("lower and upper bounds must be finite"));
    }
    if low == high {
        return Err(invalid("lower bound cannot equal upper bound"));
    }
    // From the greater bound to the less one it counts the other way.
    let (number, low, high) = if low < high { (number, low, high) } else { (-number, -low, -high) };
    if number < low {
        return Ok(0);
    }
    if number >= high {
        return after_last(count);
    }
    // The range of two bounds may be infinite where they are not.
    let width = high - low;
    let count_of = f64::from(count);
    let before = if width.is_finite() {
        count_of * (number - low) / width
    } else {
        count_of * ((number / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0))
    };
    // It may be rounded up to the bound.
    let before = before as i32;
    Ok(before.min(count - 1) + 1)
}

fn of_numeric(number: &Decimal, low: &Decimal, high: &Decimal, count: i32) -> Result<i32> {
    check_count(count)?;
    if low == high {
        return Err(invalid("lower bound cannot equal upper bound"));
    }
    let is_descending = low > high;
    let is_before = if is_descending { number > low } else { number < low };
    let is_after = if is_descending { number <= high } else { number >= high };
    if is_before {
        return Ok(0);
    }
    if is_after {
        return after_last(count);
    }
    let parts = number.minus(low).times(&Decimal::new(i128::from(count), 0));
    let (before, _) = parts.divided_whole(&high.minus(low)).map_err(undefined)?;
    let before = before.to_i128().ok_or_else(|| undefined(Undefined::Overflow))?;
    i32::narrowed(before + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected as PostgreSQL 15 has them.
    #[test]
    fn buckets_count_from_the_first_bound_to_the_second() {
        let float = |number: f64, low: f64, high: f64, count: i32| of_float(number, low, high, count).ok();
        let numeric = |number: i128, low: i128, high: i128, count: i32| {
            let [number, low, high] = [number, low, high].map(|digits| Decimal::new(digits, 1));
            of_numeric(&number, &low, &high, count).ok()
        };
        assert_eq!([float(5.3, 0.0, 10.0, 5), numeric(53, 0, 100, 5)], [Some(3); 2]);
        assert_eq!([float(-0.1, 0.0, 10.0, 5), numeric(-1, 0, 100, 5)], [Some(0); 2]);
        assert_eq!([float(10.0, 0.0, 10.0, 5), numeric(100, 0, 100, 5)], [Some(6); 2]);
        assert_eq!([float(8.0, 10.0, 0.0, 5), numeric(80, 100, 0, 5)], [Some(2); 2]);
        assert_eq!([float(10.0, 10.0, 0.0, 5), numeric(100, 100, 0, 5)], [Some(1); 2]);
        assert_eq!([float(0.0, 10.0, 0.0, 5), numeric(0, 100, 0, 5)], [Some(6); 2]);
        assert_eq!([float(1.0, 2.0, 2.0, 5), numeric(1, 2, 2, 5)], [None; 2]);
        assert_eq!([float(1.0, 0.0, 2.0, 0), numeric(1, 0, 2, 0)], [None; 2]);
        assert_eq!([float(9.0, 0.0, 2.0, i32::MAX), numeric(9, 0, 2, i32::MAX)], [None; 2]);
        assert_eq!(float(f64::NEG_INFINITY, 0.0, 1.0, 3), Some(0));
        assert_eq!(float(1.0, 0.0, f64::INFINITY, 3), None);
    }

    /// PostgreSQL 15 has -2147483648 there, and later ones this.
    #[test]
    fn a_range_may_be_wider_than_any_number() {
        assert_eq!(of_float(0.0, -1e308, 1e308, 10).ok(), Some(6));
    }
}

//! The variance of integers and numerics, exactly: of the sum of the values and the sum of their squares, with the digits behind
//! the point that PostgreSQL gives a quotient of such.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, Decimal128Array, Decimal256Array, Int8Array, Int64Array},
    compute::cast,
    datatypes::{DECIMAL256_MAX_PRECISION, DataType, Decimal128Type, Decimal256Type, Int8Type, Int64Type, i256},
};
use datafusion::common::{Result, internal_err};

use super::{states::State, sums::column};
use crate::{
    fault::{Failure, Fault},
    functions::number::{Decimal, NumericRoom, Undefined, numerics, undefined},
};

/// Digits behind the point of a variance or a deviation beyond those of the values, as of other results whose digits never end.
const PLACES: i16 = 20;

/// Digits before the point that are kept: as many as the variance of bigints has.
const MOST_WHOLE: i16 = 39;

/// The sum of values and of their squares, as digits without a point.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Squares {
    count: i64,
    sum: i256,
    squares: i256,
    /// Digits of the values behind the point.
    scale: i8,
}

impl Squares {
    /// The variance with so many values fewer in the divisor, or the root of it.
    fn spread(&self, fewer: i64, is_root: bool) -> Result<Option<Decimal>, Undefined> {
        if self.count <= fewer {
            return Ok(None);
        }
        let scale = usize::try_from(self.scale).unwrap_or(0);
        let number = |digits: i256, scale: usize| {
            Decimal::from_digits(&digits.to_string(), scale).unwrap_or_else(|| Decimal::zero(scale))
        };
        let whole = |number: i64| Decimal::new(i128::from(number), 0);
        let sum = number(self.sum, scale);
        let squares = number(self.squares, 2 * scale);
        let above = whole(self.count).times(&squares).minus(&sum.times(&sum));
        if above.is_zero() || above.is_negative() {
            return Ok(Some(Decimal::zero(0)));
        }
        let below = whole(self.count).times(&whole(self.count - fewer));
        let places = above.quotient_scale(&below);
        let variance = above.divided(&below, places)?;
        Ok(Some(if is_root { variance.root(places)? } else { variance }))
    }

    /// Those of one value.
    fn of(columns: &Numbers, row: usize) -> Result<Self> {
        let (sum, squares, scale) = columns.value(row);
        Ok(Self { count: 1, sum, squares: squares.ok_or_else(no_room)?, scale })
    }

    /// The sum and that of the squares with so many digits behind the point, which are no fewer, and twice as many.
    fn at(&self, scale: i8) -> Option<(i256, i256)> {
        if scale == self.scale {
            return Some((self.sum, self.squares));
        }
        let power = i256::from_i128(10).checked_pow(u32::try_from(scale - self.scale).ok()?)?;
        Some((self.sum.checked_mul(power)?, self.squares.checked_mul(power)?.checked_mul(power)?))
    }

    /// Adds the sums of others, or takes them away.
    fn combine(&mut self, other: &Self, step: fn(i256, i256) -> Option<i256>) -> Result<()> {
        let scale = self.scale.max(other.scale);
        let combined = self.at(scale).zip(other.at(scale)).and_then(|((sum, squares), (other_sum, other_squares))| {
            Some((step(sum, other_sum)?, step(squares, other_squares)?))
        });
        (self.sum, self.squares) = combined.ok_or_else(no_room)?;
        self.scale = scale;
        Ok(())
    }
}

/// The digits of a long numeric without zeros at their end, whose squares would have no room, and those that are left behind the
/// point.
fn without_zeros(mut digits: i256, mut scale: i8) -> (i256, i8) {
    let ten = i256::from_i128(10);
    while scale > 0 && digits.wrapping_rem(ten) == i256::ZERO {
        (digits, scale) = (digits.wrapping_div(ten), scale - 1);
    }
    (digits, scale)
}

/// Columns of integers and numerics.
#[derive(Debug)]
pub(super) enum Numbers {
    Whole(Int64Array),
    Short(Decimal128Array, i8),
    Long(Decimal256Array, i8),
}

impl Numbers {
    fn of(column: &ArrayRef) -> Result<Self> {
        Ok(match column.data_type() {
            DataType::Decimal128(_, scale) => Self::Short(column.as_primitive::<Decimal128Type>().clone(), *scale),
            DataType::Decimal256(_, scale) => Self::Long(column.as_primitive::<Decimal256Type>().clone(), *scale),
            integer if integer.is_integer() => {
                Self::Whole(cast(column, &DataType::Int64)?.as_primitive::<Int64Type>().clone())
            }
            other => return internal_err!("a variance of {other} is none of numerics"),
        })
    }

    /// A value, its square if it has room, and its digits behind the point.
    fn value(&self, row: usize) -> (i256, Option<i256>, i8) {
        let short = |value: i128| {
            let wide = i256::from_i128(value);
            let square = match value.checked_mul(value) {
                Some(square) => Some(i256::from_i128(square)),
                None => wide.checked_mul(wide),
            };
            (wide, square)
        };
        match self {
            Self::Whole(values) => {
                let (value, square) = short(values.value(row).into());
                (value, square, 0)
            }
            Self::Short(values, scale) => {
                let (value, square) = short(values.value(row));
                (value, square, *scale)
            }
            Self::Long(values, scale) => {
                let (value, scale) = without_zeros(values.value(row), *scale);
                (value, value.checked_mul(value), scale)
            }
        }
    }
}

impl State for Squares {
    type Columns<'a> = Numbers;

    const RETRACTS: bool = true;

    fn columns(arguments: &[ArrayRef]) -> Result<Self::Columns<'_>> {
        match arguments {
            [column] => Numbers::of(column),
            _ => internal_err!("a variance has one argument"),
        }
    }

    fn add(&mut self, columns: &Self::Columns<'_>, row: usize) -> Result<()> {
        self.merge(&Self::of(columns, row)?)
    }

    fn remove(&mut self, columns: &Self::Columns<'_>, row: usize) -> Result<()> {
        self.combine(&Self::of(columns, row)?, i256::checked_sub)?;
        self.count -= 1;
        Ok(())
    }

    fn merge(&mut self, other: &Self) -> Result<()> {
        self.combine(other, i256::checked_add)?;
        self.count += other.count;
        Ok(())
    }

    fn fields() -> Vec<(&'static str, DataType)> {
        let long = DataType::Decimal256(DECIMAL256_MAX_PRECISION, 0);
        vec![("count", DataType::Int64), ("sum", long.clone()), ("squares", long), ("scale", DataType::Int8)]
    }

    fn save(states: &[Self]) -> Vec<ArrayRef> {
        let long = |part: fn(&Self) -> i256| -> ArrayRef {
            let digits = Decimal256Array::from_iter_values(states.iter().map(part));
            Arc::new(digits.with_data_type(DataType::Decimal256(DECIMAL256_MAX_PRECISION, 0)))
        };
        vec![
            Arc::new(Int64Array::from_iter_values(states.iter().map(|state| state.count))),
            long(|state| state.sum),
            long(|state| state.squares),
            Arc::new(Int8Array::from_iter_values(states.iter().map(|state| state.scale))),
        ]
    }

    fn load(columns: &[ArrayRef]) -> Result<Vec<Self>> {
        let (counts, scales) = (column::<Int64Type>(columns, 0)?, column::<Int8Type>(columns, 3)?);
        let (sums, squares) = (column::<Decimal256Type>(columns, 1)?, column::<Decimal256Type>(columns, 2)?);
        let state = |row: usize| Self {
            count: counts.value(row),
            sum: sums.value(row),
            squares: squares.value(row),
            scale: scales.value(row),
        };
        Ok((0..counts.len()).map(state).collect())
    }
}

fn no_room() -> Failure {
    Failure::new(Fault::NumericOutOfRange, "value overflows numeric format")
}

/// The type of the variance of values of a type, or of the root of it.
pub(super) fn spread_of(values: &DataType, is_root: bool) -> DataType {
    let (whole, places) = match values {
        DataType::Int8 | DataType::Int16 => (5, 0),
        DataType::Int32 => (10, 0),
        integer if integer.is_integer() => (19, 0),
        DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) => {
            let (precision, places) = (i16::from(*precision), i16::from(*scale));
            (precision - places, places)
        }
        _ => (MOST_WHOLE, 0),
    };
    let room = match is_root {
        true => NumericRoom { whole: whole + 1, places: places + PLACES },
        false => NumericRoom { whole: (2 * whole + 1).min(MOST_WHOLE), places: 2 * places + PLACES },
    };
    room.numeric()
}

fn spreads(states: &[Squares], result: &DataType, fewer: i64, is_root: bool) -> Result<ArrayRef> {
    let values = states.iter().map(|state| state.spread(fewer, is_root).map_err(undefined));
    Ok(numerics(values, result)?)
}

pub(super) fn var_pop(states: &[Squares], result: &DataType) -> Result<ArrayRef> {
    spreads(states, result, 0, false)
}

pub(super) fn var_samp(states: &[Squares], result: &DataType) -> Result<ArrayRef> {
    spreads(states, result, 1, false)
}

pub(super) fn stddev_pop(states: &[Squares], result: &DataType) -> Result<ArrayRef> {
    spreads(states, result, 0, true)
}

pub(super) fn stddev_samp(states: &[Squares], result: &DataType) -> Result<ArrayRef> {
    spreads(states, result, 1, true)
}

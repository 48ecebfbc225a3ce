//! The numerics of arrays, and the types that have room for results.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, Decimal128Array, Decimal256Array},
    datatypes::{DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, DataType, Decimal128Type, Decimal256Type, i256},
};

use super::{
    PLACES,
    exact::{Decimal, Rounding, Undefined},
    undefined,
};
use crate::{
    fault::{Failure, Fault, Result},
    functions::{Call, Known},
    pgtype,
};

/// The numerics of an argument.
pub(super) struct Numerics<'a> {
    values: Values<'a>,
    scale: i8,
}

enum Values<'a> {
    Short(&'a Decimal128Array),
    Long(&'a Decimal256Array),
}

impl<'a> Numerics<'a> {
    pub(super) fn of(call: &Call<'a>, at: usize) -> Result<Self> {
        let argument = call.argument(at)?;
        Self::of_column(argument.as_ref()).ok_or_else(|| {
            let found = pgtype::type_name(argument.data_type());
            Failure::new(Fault::Internal, format!("the argument {} is of the type {found}", at + 1))
        })
    }

    /// Those of a column; none of one of another type.
    pub(super) fn of_column(column: &'a dyn Array) -> Option<Self> {
        let (values, scale) = match column.data_type() {
            DataType::Decimal128(_, scale) => (Values::Short(column.as_primitive::<Decimal128Type>()), *scale),
            DataType::Decimal256(_, scale) => (Values::Long(column.as_primitive::<Decimal256Type>()), *scale),
            _ => return None,
        };
        Some(Self { values, scale })
    }

    /// How many digits each has behind the point.
    pub(super) fn scale(&self) -> i8 {
        self.scale
    }

    /// The digits of a row's value, without the point.
    pub(super) fn digits(&self, row: usize) -> i256 {
        match &self.values {
            Values::Short(values) => i256::from_i128(values.value(row)),
            Values::Long(values) => values.value(row),
        }
    }

    /// The value of a row, which is not NULL.
    pub(super) fn value(&self, row: usize) -> Decimal {
        match &self.values {
            Values::Short(values) => short(values.value(row), self.scale),
            Values::Long(values) => long(values.value(row), self.scale),
        }
    }
}

pub(super) fn short(digits: i128, scale: i8) -> Decimal {
    moved(Decimal::new(digits, usize::try_from(scale).unwrap_or(0)), scale)
}

pub(super) fn long(digits: i256, scale: i8) -> Decimal {
    match digits.to_i128() {
        Some(digits) => short(digits, scale),
        None => {
            let places = usize::try_from(scale).unwrap_or(0);
            let number = Decimal::from_digits(&digits.to_string(), places);
            moved(number.unwrap_or_else(|| Decimal::zero(places)), scale)
        }
    }
}

/// A scale below zero counts zeros before the point.
fn moved(number: Decimal, scale: i8) -> Decimal {
    (scale..0).fold(number, |number, _| number.times(&Decimal::new(10, 0)))
}

/// The numerics that a call makes of its rows, each of which is asked for with the digits behind the point that it has
/// room for.
pub(super) fn numeric_of(call: &Call<'_>, mut of_row: impl FnMut(usize, usize) -> Result<Decimal>) -> Result<ArrayRef> {
    let places = match call.result() {
        DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale) => usize::try_from(*scale).unwrap_or(0),
        other => return Err(no_numerics(other)),
    };
    let values = call.each(|row| of_row(row, places).map(Some))?;
    numerics(values.into_iter().map(Ok), call.result())
}

/// A column of this type of numerics.
pub(in crate::functions) fn numerics(
    values: impl Iterator<Item = Result<Option<Decimal>>>,
    result: &DataType,
) -> Result<ArrayRef> {
    match result {
        DataType::Decimal128(precision, scale) => {
            let places = usize::try_from(*scale).unwrap_or(0);
            let digits =
                |value: Option<Decimal>| value.map(|value| short_digits(&value, *precision, places)).transpose();
            let numbers = values.map(|value| digits(value?)).collect::<Result<Decimal128Array>>()?;
            Ok(Arc::new(numbers.with_data_type(result.clone())))
        }
        DataType::Decimal256(precision, scale) => {
            let places = usize::try_from(*scale).unwrap_or(0);
            let digits =
                |value: Option<Decimal>| value.map(|value| long_digits(&value, *precision, places)).transpose();
            let numbers = values.map(|value| digits(value?)).collect::<Result<Decimal256Array>>()?;
            Ok(Arc::new(numbers.with_data_type(result.clone())))
        }
        other => Err(no_numerics(other)),
    }
}

fn short_digits(number: &Decimal, precision: u8, places: usize) -> Result<i128> {
    let limit = 10_u128.pow(u32::from(precision));
    let digits = number.rounded(places, Rounding::Nearest).to_i128();
    digits.filter(|digits| digits.unsigned_abs() < limit).ok_or_else(|| undefined(Undefined::Overflow))
}

pub(super) fn long_digits(number: &Decimal, precision: u8, places: usize) -> Result<i256> {
    let digits = number.rounded(places, Rounding::Nearest).to_digits();
    let has_room = digits.trim_start_matches('-').len() <= usize::from(precision);
    let number = if has_room { i256::from_string(&digits) } else { None };
    number.ok_or_else(|| undefined(Undefined::Overflow))
}

fn no_numerics(promised: &DataType) -> Failure {
    let found = pgtype::type_name(promised);
    Failure::new(Fault::Internal, format!("numerics were promised as values of the type {found}"))
}

/// How many digits numbers have before the point and behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::functions) struct Room {
    pub(in crate::functions) whole: i16,
    pub(in crate::functions) places: i16,
}

impl Room {
    /// Of the numerics of a type.
    pub(super) fn of(numeric: &DataType) -> Self {
        match numeric {
            DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) => {
                let (precision, places) = (i16::from(*precision), i16::from(*scale));
                Self { whole: (precision - places).max(0), places: places.max(0) }
            }
            _ => Self { whole: i16::from(DECIMAL128_MAX_PRECISION) - PLACES, places: PLACES },
        }
    }

    /// That a value needs.
    pub(super) fn of_value(value: &Decimal) -> Self {
        let digits = i16::try_from(value.to_digits().trim_start_matches('-').len()).unwrap_or(i16::MAX);
        let places = i16::try_from(value.scale()).unwrap_or(i16::MAX);
        Self { whole: (digits - places).max(0), places }
    }

    /// The type of numerics that have it. Where none has, there are fewer digits behind the point, but [`PLACES`] if they
    /// were wanted: what is too long then is refused.
    pub(in crate::functions) fn numeric(self) -> DataType {
        let (short, long) = (i16::from(DECIMAL128_MAX_PRECISION), i16::from(DECIMAL256_MAX_PRECISION));
        let whole = self.whole.clamp(0, long);
        let places = self.places.clamp(0, (long - whole).max(PLACES.min(self.places)).max(0));
        let precision = u8::try_from((whole + places).clamp(1, long)).unwrap_or(DECIMAL256_MAX_PRECISION);
        let scale = i8::try_from(places).unwrap_or(0);
        if whole + places <= short {
            DataType::Decimal128(precision, scale)
        } else {
            DataType::Decimal256(precision, scale)
        }
    }
}

/// The numeric that the statement says an argument is, if it does.
pub(super) fn known(arguments: &[Known<'_>], at: usize) -> Option<Decimal> {
    use datafusion::common::ScalarValue::{Decimal128, Decimal256};
    match arguments.get(at)?.value.as_ref()? {
        Decimal128(Some(digits), _, scale) => Some(short(*digits, *scale)),
        Decimal256(Some(digits), _, scale) => Some(long(*digits, *scale)),
        _ => None,
    }
}

/// The whole number that the statement says an argument is, if it does.
pub(super) fn known_whole(arguments: &[Known<'_>], at: usize) -> Option<i64> {
    use datafusion::common::ScalarValue;
    match arguments.get(at)?.value.as_ref()?.cast_to(&DataType::Int64).ok()? {
        ScalarValue::Int64(number) => number,
        _ => None,
    }
}

/// The digits of an argument's type.
pub(super) fn room(arguments: &[Known<'_>], at: usize) -> Room {
    arguments.get(at).map_or(Room { whole: 0, places: 0 }, |argument| Room::of(argument.data_type))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_have_room_or_as_many_are_left_as_can_be() {
        let numeric = |whole: i16, places: i16| Room { whole, places }.numeric();
        assert_eq!(numeric(3, 2), DataType::Decimal128(5, 2));
        assert_eq!(numeric(0, 0), DataType::Decimal128(1, 0));
        assert_eq!(numeric(18, 20), DataType::Decimal128(38, 20));
        assert_eq!(numeric(19, 20), DataType::Decimal256(39, 20));
        assert_eq!(numeric(70, 40), DataType::Decimal256(76, 20));
        assert_eq!(numeric(70, 5), DataType::Decimal256(75, 5));
        assert_eq!(numeric(90, 0), DataType::Decimal256(76, 0));
        assert_eq!(numeric(0, 90), DataType::Decimal256(76, 76));
        assert_eq!(Room::of_value(&Decimal::new(-12_345, 2)), Room { whole: 3, places: 2 });
        assert_eq!(Room::of_value(&Decimal::new(5, 3)), Room { whole: 0, places: 3 });
    }
}

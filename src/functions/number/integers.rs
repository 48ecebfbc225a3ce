//! What is whole: `mod` and `%`, `div`, `gcd`, `lcm`, `factorial`, and the bits of integers.

use arrow::{array::ArrayRef, datatypes::DataType};

use super::{
    division_by_zero,
    exact::{Decimal, Undefined},
    numerics::{Numerics, Room, known_whole, numeric_of},
    undefined,
};
use crate::{
    fault::{Failure, Fault, Result},
    functions::{Call, Function, Known, Overload},
    pgtype::{INT2, INT4, INT8, NUMERIC},
};

/// An integer of two, four or eight bytes.
pub(super) trait Whole: Copy + Into<i128> + TryFrom<i128> {
    /// As PostgreSQL says it.
    const NAME: &'static str;

    /// A result of the type, if it has room.
    fn narrowed(result: i128) -> Result<Self> {
        let out_of_range = |_| Failure::new(Fault::NumericOutOfRange, format!("{} out of range", Self::NAME));
        Self::try_from(result).map_err(out_of_range)
    }
}

impl Whole for i16 {
    const NAME: &'static str = "smallint";
}

impl Whole for i32 {
    const NAME: &'static str = "integer";
}

impl Whole for i64 {
    const NAME: &'static str = "bigint";
}

/// The overloads of an operation of two numbers of one type, of integers first, and then those that are given.
macro_rules! of_two {
    ($operation:expr; $($type:ident $values:ident $results:ident),*; $($other:expr),*) => {
        &[
            $(Overload::new(&[$type, $type], $type, |call| {
                let (one, two) = (call.$values(0)?, call.$values(1)?);
                call.$results(|row| computed(one.value(row), two.value(row), $operation).map(Some))
            }),)*
            $($other,)*
        ]
    };
}

pub(super) static MOD: Function = Function {
    name: "mod",
    purpose: "What a division leaves, with the sign of the dividend",
    example: "mod(-7::int4, 4::int4)",
    shows: "-3",
    overloads: REMAINDERS,
};

pub(super) static MOD_OPERATOR: Function = Function {
    name: "%",
    purpose: "What a division leaves, with the sign of the dividend",
    example: "'-17.5'::numeric(3,1) % '5'::numeric(1,0)",
    shows: "-2.5",
    overloads: REMAINDERS,
};

pub(super) static DIV: Function = Function {
    name: "div",
    purpose: "How often a number fits into another",
    example: "div('9.5'::numeric(2,1), '4'::numeric(1,0))",
    shows: "2",
    overloads: &[Overload::new(&[NUMERIC, NUMERIC], NUMERIC, |call| {
        of_numerics(call, |one, two| Ok(one.divided_whole(two).map_err(undefined)?.0))
    })
    .with_digits(whole_quotient)],
};

pub(super) static GCD: Function = Function {
    name: "gcd",
    purpose: "The greatest number by which both can be divided",
    example: "gcd(1071::int4, 462::int4)",
    shows: "21",
    overloads: of_two!(
        |one, two| integer(common_divisor(one, two));
        INT4 int4s int4_of, INT8 int8s int8_of;
        Overload::new(&[NUMERIC, NUMERIC], NUMERIC, |call| of_numerics(call, |one, two| Ok(one.common_divisor(two))))
            .with_digits(greater)
    ),
};

pub(super) static LCM: Function = Function {
    name: "lcm",
    purpose: "The least number that can be divided by both",
    example: "lcm(12::int4, 18::int4)",
    shows: "36",
    overloads: of_two!(
        |one, two| integer(common_multiple(one, two));
        INT4 int4s int4_of, INT8 int8s int8_of;
        Overload::new(&[NUMERIC, NUMERIC], NUMERIC, |call| of_numerics(call, |one, two| Ok(one.common_multiple(two))))
            .with_digits(product)
    ),
};

pub(super) static FACTORIAL: Function = Function {
    name: "factorial",
    purpose: "The product of the whole numbers up to this one",
    example: "factorial(5)",
    shows: "120",
    overloads: &[Overload::new(&[INT8], NUMERIC, factorials).with_known_digits(factorial_digits)],
};

pub(super) static AND: Function = Function {
    name: "&",
    purpose: "The bits that both have",
    example: "91::int4 & 15::int4",
    shows: "11",
    overloads: of_two!(|one, two| Ok(one & two); INT2 int2s int2_of, INT4 int4s int4_of, INT8 int8s int8_of;),
};

pub(super) static OR: Function = Function {
    name: "|",
    purpose: "The bits that either has",
    example: "32::int4 | 3::int4",
    shows: "35",
    overloads: of_two!(|one, two| Ok(one | two); INT2 int2s int2_of, INT4 int4s int4_of, INT8 int8s int8_of;),
};

pub(super) static XOR: Function = Function {
    name: "#",
    purpose: "The bits that one of both has",
    example: "17::int4 # 5::int4",
    shows: "20",
    overloads: of_two!(|one, two| Ok(one ^ two); INT2 int2s int2_of, INT4 int4s int4_of, INT8 int8s int8_of;),
};

pub(super) static NOT: Function = Function {
    name: "~",
    purpose: "The bits that the number has not",
    example: "~ (1::int4)",
    shows: "-2",
    overloads: &[
        Overload::new(&[INT2], INT2, |call| {
            let numbers = call.int2s(0)?;
            call.int2_of(|row| Ok(Some(!numbers.value(row))))
        }),
        Overload::new(&[INT4], INT4, |call| {
            let numbers = call.int4s(0)?;
            call.int4_of(|row| Ok(Some(!numbers.value(row))))
        }),
        Overload::new(&[INT8], INT8, |call| {
            let numbers = call.int8s(0)?;
            call.int8_of(|row| Ok(Some(!numbers.value(row))))
        }),
    ],
};

pub(super) static SHIFT_LEFT: Function = Function {
    name: "<<",
    purpose: "The bits, so many places to the left",
    example: "1::int4 << 4::int4",
    shows: "16",
    overloads: &[
        Overload::new(&[INT2, INT4], INT2, |call| {
            let (numbers, places) = (call.int2s(0)?, call.int4s(1)?);
            call.int2_of(|row| Ok(Some(low_bits(i32::from(numbers.value(row)).wrapping_shl(turns(places.value(row)))))))
        }),
        Overload::new(&[INT4, INT4], INT4, |call| {
            let (numbers, places) = (call.int4s(0)?, call.int4s(1)?);
            call.int4_of(|row| Ok(Some(numbers.value(row).wrapping_shl(turns(places.value(row))))))
        }),
        Overload::new(&[INT8, INT4], INT8, |call| {
            let (numbers, places) = (call.int8s(0)?, call.int4s(1)?);
            call.int8_of(|row| Ok(Some(numbers.value(row).wrapping_shl(turns(places.value(row))))))
        }),
    ],
};

pub(super) static SHIFT_RIGHT: Function = Function {
    name: ">>",
    purpose: "The bits, so many places to the right, under copies of the sign",
    example: "-8::int4 >> 2::int4",
    shows: "-2",
    overloads: &[
        Overload::new(&[INT2, INT4], INT2, |call| {
            let (numbers, places) = (call.int2s(0)?, call.int4s(1)?);
            call.int2_of(|row| Ok(Some(low_bits(i32::from(numbers.value(row)).wrapping_shr(turns(places.value(row)))))))
        }),
        Overload::new(&[INT4, INT4], INT4, |call| {
            let (numbers, places) = (call.int4s(0)?, call.int4s(1)?);
            call.int4_of(|row| Ok(Some(numbers.value(row).wrapping_shr(turns(places.value(row))))))
        }),
        Overload::new(&[INT8, INT4], INT8, |call| {
            let (numbers, places) = (call.int8s(0)?, call.int4s(1)?);
            call.int8_of(|row| Ok(Some(numbers.value(row).wrapping_shr(turns(places.value(row))))))
        }),
    ],
};

const REMAINDERS: &[Overload] = of_two!(
    remainder;
    INT2 int2s int2_of, INT4 int4s int4_of, INT8 int8s int8_of;
    Overload::new(&[NUMERIC, NUMERIC], NUMERIC, |call| {
        of_numerics(call, |one, two| Ok(one.divided_whole(two).map_err(undefined)?.1))
    })
    .with_digits(least)
);

fn computed<T: Whole>(one: T, two: T, operation: fn(i128, i128) -> Result<i128>) -> Result<T> {
    T::narrowed(operation(one.into(), two.into())?)
}

fn remainder(dividend: i128, divisor: i128) -> Result<i128> {
    if divisor == 0 { Err(division_by_zero()) } else { Ok(dividend % divisor) }
}

fn common_divisor(one: i128, two: i128) -> u128 {
    let (mut one, mut two) = (one.unsigned_abs(), two.unsigned_abs());
    while two != 0 {
        (one, two) = (two, one % two);
    }
    one
}

fn common_multiple(one: i128, two: i128) -> u128 {
    match common_divisor(one, two) {
        0 => 0,
        divisor => one.unsigned_abs() / divisor * two.unsigned_abs(),
    }
}

/// Of integers of eight bytes, it has room.
fn integer(number: u128) -> Result<i128> {
    i128::try_from(number).map_err(|_| undefined(Undefined::Overflow))
}

/// The places that bits are moved by: of them the processor, and PostgreSQL with it, takes those that an integer has, and
/// Rust's shifts do, whatever more these are.
fn turns(places: i32) -> u32 {
    places.cast_unsigned()
}

/// The lower half of the bits.
fn low_bits(number: i32) -> i16 {
    let [first, second, ..] = number.to_le_bytes();
    i16::from_le_bytes([first, second])
}

fn of_numerics(call: &Call<'_>, operation: fn(&Decimal, &Decimal) -> Result<Decimal>) -> Result<ArrayRef> {
    let (one, two) = (Numerics::of(call, 0)?, Numerics::of(call, 1)?);
    numeric_of(call, |row, _| operation(&one.value(row), &two.value(row)))
}

/// The digits of the first argument, which have room in a result that is no greater.
pub(super) fn first(types: &[DataType]) -> DataType {
    both(types).0.numeric()
}

fn both(types: &[DataType]) -> (Room, Room) {
    let room = |at: usize| types.get(at).map_or(Room { whole: 0, places: 0 }, Room::of);
    (room(0), room(1))
}

/// A rest is less than the divisor, and no more than the dividend.
fn least(types: &[DataType]) -> DataType {
    let (one, two) = both(types);
    Room { whole: one.whole.min(two.whole), places: one.places.max(two.places) }.numeric()
}

fn greater(types: &[DataType]) -> DataType {
    let (one, two) = both(types);
    Room { whole: one.whole.max(two.whole), places: one.places.max(two.places) }.numeric()
}

/// The least divisor may be as many places behind the point as it has.
fn whole_quotient(types: &[DataType]) -> DataType {
    let (one, two) = both(types);
    Room { whole: one.whole + two.places, places: 0 }.numeric()
}

/// The numbers are multiplied as whole ones.
fn product(types: &[DataType]) -> DataType {
    let (one, two) = both(types);
    let places = one.places.max(two.places);
    Room { whole: one.whole + two.whole + places, places }.numeric()
}

/// The greatest number whose factorial has no more digits than a numeric.
const MAX_FACTOR: i64 = 56;

fn factorial(number: i64) -> Result<Decimal> {
    if number < 0 {
        return Err(Failure::new(Fault::NumericOutOfRange, "factorial of a negative number is undefined"));
    }
    if number > MAX_FACTOR {
        return Err(undefined(Undefined::Overflow));
    }
    Ok((2..=number).fold(Decimal::one(), |product, factor| product.times(&Decimal::new(i128::from(factor), 0))))
}

fn factorials(call: &Call<'_>) -> Result<ArrayRef> {
    let numbers = call.int8s(0)?;
    numeric_of(call, |row, _| factorial(numbers.value(row)))
}

fn factorial_digits(arguments: &[Known<'_>]) -> DataType {
    let value = known_whole(arguments, 0).and_then(|number| factorial(number).ok());
    let most = i16::from(arrow::datatypes::DECIMAL256_MAX_PRECISION);
    value.map_or(Room { whole: most, places: 0 }, |value| Room::of_value(&value)).numeric()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Expected as PostgreSQL 15 has them.
    #[test]
    fn bits_are_moved_by_places_that_there_are() {
        let left = |number: i32, places: i32| number.wrapping_shl(turns(places));
        assert_eq!((left(1, 32), left(1, -1), left(1, 31)), (1, i32::MIN, i32::MIN));
        assert_eq!((1_i64.wrapping_shl(turns(64)), 3_i64.wrapping_shl(turns(63))), (1, i64::MIN));
        assert_eq!((low_bits(left(1, 15)), low_bits(left(1, 16))), (i16::MIN, 0));
        assert_eq!((-8_i32).wrapping_shr(turns(33)), -4);
    }

    /// Expected as PostgreSQL 15 has them.
    #[test]
    fn divisors_and_multiples_are_positive_or_out_of_range() {
        let divisor = |one: i32, two: i32| computed(one, two, |one, two| integer(common_divisor(one, two))).ok();
        assert_eq!((divisor(-12, 18), divisor(0, 0), divisor(0, -5)), (Some(6), Some(0), Some(5)));
        assert_eq!((divisor(i32::MIN, 0), divisor(i32::MIN, -1)), (None, Some(1)));
        let multiple = |one: i64, two: i64| computed(one, two, |one, two| integer(common_multiple(one, two))).ok();
        assert_eq!((multiple(4, -6), multiple(0, 5), multiple(i64::MIN, 1)), (Some(12), Some(0), None));
        assert_eq!(computed(i64::MIN, -1, remainder).ok(), Some(0));
    }

    #[test]
    fn the_greatest_factorial_has_room() {
        assert_eq!(factorial(MAX_FACTOR).unwrap().to_digits().len(), 75);
        assert!(factorial(MAX_FACTOR + 1).is_err() && factorial(-1).is_err());
        assert_eq!((factorial(0).unwrap(), factorial(5).unwrap()), (Decimal::one(), Decimal::new(120, 0)));
    }
}

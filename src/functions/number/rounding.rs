//! `ceil`, `floor`, `round` and `trunc`.
//!
//! A numeric that is rounded at a place has digits behind the point up to it, if the statement names it; if that is
//! computed, it has those that its argument has.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, AsArray},
    datatypes::{
        DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, DataType, Decimal128Type, Decimal256Type, DecimalType, i256,
    },
};

use super::{
    exact::{Rounding, Undefined},
    numerics::{Numerics, Room, known_whole, numeric_of, room},
    undefined,
};
use crate::{
    fault::{Failure, Result},
    functions::{Call, Function, Known, Overload},
    pgtype::{FLOAT8, INT4, NUMERIC},
};

pub(super) static CEIL: Function = Function {
    name: "ceil",
    purpose: "The nearest whole number that is not less",
    example: "ceil('-42.8'::numeric(3,1))",
    shows: "-42",
    overloads: CEILINGS,
};

pub(super) static CEILING: Function = Function {
    name: "ceiling",
    purpose: "The nearest whole number that is not less",
    example: "ceiling('42.2'::numeric(3,1))",
    shows: "43",
    overloads: CEILINGS,
};

pub(super) static FLOOR: Function = Function {
    name: "floor",
    purpose: "The nearest whole number that is not greater",
    example: "floor('-42.8'::numeric(3,1))",
    shows: "-43",
    overloads: &[
        Overload::new(&[FLOAT8], FLOAT8, |call| of_floats(call, f64::floor)),
        Overload::new(&[NUMERIC], NUMERIC, |call| whole(call, Rounding::Down)).with_digits(whole_digits),
    ],
};

pub(super) static ROUND: Function = Function {
    name: "round",
    purpose: "The nearest whole number, or the nearest with so many digits behind the point",
    example: "round('42.4382'::numeric(6,4), 2)",
    shows: "42.44",
    overloads: &[
        Overload::new(&[FLOAT8], FLOAT8, |call| of_floats(call, f64::round_ties_even)),
        Overload::new(&[NUMERIC], NUMERIC, |call| whole(call, Rounding::Nearest)).with_digits(whole_digits),
        Overload::new(&[NUMERIC, INT4], NUMERIC, |call| at_places(call, Rounding::Nearest))
            .with_known_digits(rounded_digits),
    ],
};

pub(super) static TRUNC: Function = Function {
    name: "trunc",
    purpose: "The number without what is behind the point, or behind so many digits there",
    example: "trunc('42.4382'::numeric(6,4), 2)",
    shows: "42.43",
    overloads: &[
        Overload::new(&[FLOAT8], FLOAT8, |call| of_floats(call, f64::trunc)),
        Overload::new(&[NUMERIC], NUMERIC, |call| whole(call, Rounding::TowardsZero)).with_digits(whole_digits),
        Overload::new(&[NUMERIC, INT4], NUMERIC, |call| at_places(call, Rounding::TowardsZero))
            .with_known_digits(rounded_digits),
    ],
};

const CEILINGS: &[Overload] = &[
    Overload::new(&[FLOAT8], FLOAT8, |call| of_floats(call, f64::ceil)),
    Overload::new(&[NUMERIC], NUMERIC, |call| whole(call, Rounding::Up)).with_digits(whole_digits),
];

fn of_floats(call: &Call<'_>, rounded: fn(f64) -> f64) -> Result<ArrayRef> {
    let numbers = call.float8s(0)?;
    call.float8_of(|row| Ok(Some(rounded(numbers.value(row)))))
}

fn whole(call: &Call<'_>, rounding: Rounding) -> Result<ArrayRef> {
    if let Some(rounded) = short(call, 0, rounding)? {
        return Ok(rounded);
    }
    let numbers = Numerics::of(call, 0)?;
    numeric_of(call, |row, _| Ok(numbers.value(row).rounded(0, rounding)))
}

fn at_places(call: &Call<'_>, rounding: Rounding) -> Result<ArrayRef> {
    let (numbers, places) = (Numerics::of(call, 0)?, call.int4s(1)?);
    let asked = call.argument(1)?;
    if let (DataType::Decimal128(_, scale), Some(first)) = (call.result(), places.iter().flatten().next())
        && i32::from(*scale) == first
        && asked.null_count() == 0
        && places.values().iter().all(|places| *places == first)
        && let Some(rounded) = short(call, *scale, rounding)?
    {
        return Ok(rounded);
    }
    numeric_of(call, |row, _| Ok(numbers.value(row).rounded_at(i64::from(places.value(row)), rounding)))
}

/// The rounded values of numerics of 38 digits at most, with fewer of them behind the point; none of others.
fn short(call: &Call<'_>, scale: i8, rounding: Rounding) -> Result<Option<ArrayRef>> {
    let numbers = call.argument(0)?;
    let given = match (numbers.data_type(), call.result()) {
        (DataType::Decimal128(_, given), DataType::Decimal128(..)) => given,
        (DataType::Decimal256(_, given), DataType::Decimal128(precision, _)) => {
            return of_long(call, i16::from(*given) - i16::from(scale), *precision, rounding);
        }
        _ => return Ok(None),
    };
    let Ok(left_out @ 0..=38) = u32::try_from(i16::from(*given) - i16::from(scale)) else { return Ok(None) };
    let unit = 10_i128.pow(left_out);
    let rounded = numbers.as_primitive::<Decimal128Type>().unary::<_, Decimal128Type>(|digits| {
        let (kept, rest) = (digits / unit, digits % unit);
        let away = match rounding {
            Rounding::Nearest => rest.unsigned_abs() >= unit.unsigned_abs().div_ceil(2) && left_out > 0,
            Rounding::TowardsZero => false,
            Rounding::Up => rest > 0,
            Rounding::Down => rest < 0,
        };
        if away { kept + if digits < 0 { -1 } else { 1 } } else { kept }
    });
    Ok(Some(Arc::new(rounded.with_data_type(call.result().clone()))))
}

/// The same of longer numerics, of which so many digits are left out, if these are any.
fn of_long(call: &Call<'_>, left_out: i16, precision: u8, rounding: Rounding) -> Result<Option<ArrayRef>> {
    let power = |by: i128, power: u32| i256::from_i128(10).checked_pow(power)?.checked_mul(i256::from_i128(by));
    let Ok(left_out @ 1..) = u32::try_from(left_out) else { return Ok(None) };
    let (Some(unit), Some(half)) = (power(1, left_out), power(5, left_out - 1)) else { return Ok(None) };
    let numbers = call.argument(0)?.as_primitive::<Decimal256Type>();
    let rounded = numbers.try_unary::<_, Decimal128Type, Failure>(|digits| {
        let kept = digits.wrapping_div(unit);
        let rest = digits.wrapping_sub(kept.wrapping_mul(unit));
        let is_away = match rounding {
            Rounding::Nearest => rest.wrapping_abs() >= half,
            Rounding::TowardsZero => false,
            Rounding::Up => rest.is_positive(),
            Rounding::Down => rest.is_negative(),
        };
        let away = if digits.is_negative() { i256::MINUS_ONE } else { i256::ONE };
        let number = if is_away { kept.wrapping_add(away) } else { kept }.to_i128();
        let number = number.filter(|number| Decimal128Type::is_valid_decimal_precision(*number, precision));
        number.ok_or_else(|| undefined(Undefined::Overflow))
    })?;
    Ok(Some(Arc::new(rounded.with_data_type(call.result().clone()))))
}

/// Whether these are the numerics of any digits that have most places, which have many before the point, too. What is rounded
/// has room as a short numeric has it.
fn is_any(room: Room) -> bool {
    room.whole + room.places == i16::from(DECIMAL256_MAX_PRECISION) && (37..=38).contains(&room.places)
}

/// A digit more before the point, if there are any behind it.
fn whole_digits(types: &[DataType]) -> DataType {
    let room = types.first().map_or(Room { whole: i16::from(DECIMAL128_MAX_PRECISION), places: 0 }, Room::of);
    let whole =
        if is_any(room) { i16::from(DECIMAL128_MAX_PRECISION) } else { room.whole + i16::from(room.places > 0) };
    Room { whole, places: 0 }.numeric()
}

/// Digits before the point of what is rounded, though there are many places: a numeric of ten places has one less.
const LEAST_WHOLE: i16 = 29;

fn rounded_digits(arguments: &[Known<'_>]) -> DataType {
    let room = room(arguments, 0);
    let places = known_whole(arguments, 1).map(|places| i16::try_from(places.clamp(0, 1_000)).unwrap_or(0));
    if let Some(places) = places
        && is_any(room)
    {
        let whole = (i16::from(DECIMAL128_MAX_PRECISION) - places).max(LEAST_WHOLE);
        return Room { whole, places }.numeric();
    }
    let places = places.unwrap_or(room.places);
    // 99.5 becomes 100, and 9 does at the second place before the point.
    let named_before = known_whole(arguments, 1).is_none_or(|places| places < 0);
    let whole = room.whole + i16::from(places < room.places || named_before);
    Room { whole, places }.numeric()
}

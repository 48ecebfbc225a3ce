//! Numbers: functions and operators with PostgreSQL's types, values and refusals.
//!
//! A numeric of PostgreSQL has digits behind its point as its value has them, one of Arrow as its column has. Of a function
//! whose arguments say how many there are, as `abs` or `mod`, the result has those. Of one whose digits never end, PostgreSQL
//! shows sixteen significant ones at least, and so a number of them behind the point that depends on the value:
//!
//! - Where the arguments are written in the statement, the value is known while it is planned, and the result has the
//!   digits that PostgreSQL gives it: `ln(2.0)` is 0.6931471805599453.
//! - Where they are computed, it has [`PLACES`] behind the point (or as many as the arguments have, if that is more): what
//!   is as small as 0.0001 has sixteen significant digits then. Each value is rounded there once. An exponential or a power
//!   may be long before the point too, and is a decimal of 76 digits.
//!
//! What has no room is refused (22003). Numerics that are no numbers, NaN and the infinities, there are none.

mod angles;
mod buckets;
mod calculations;
mod constants;
mod exact;
mod float;
mod integers;
mod numerics;
mod powers;
mod rounding;
mod scales;
mod signs;

use self::float::Refused;
pub(crate) use self::{
    calculations::{calculated_columns, compared_columns},
    constants::calculated,
};
pub(super) use self::{
    exact::{Decimal, Undefined},
    numerics::{Room as NumericRoom, numerics},
};
use super::Function;
use crate::fault::{Failure, Fault};

/// Digits behind the point of results whose own never end; as quotients of numerics have them.
const PLACES: i16 = 20;

pub(super) const ROOM: &[&Function] = &[
    &signs::ABS,
    &signs::ABS_OPERATOR,
    &signs::PLUS,
    &signs::SIGN,
    &rounding::CEIL,
    &rounding::CEILING,
    &rounding::FLOOR,
    &rounding::ROUND,
    &rounding::TRUNC,
    &integers::MOD,
    &integers::MOD_OPERATOR,
    &integers::DIV,
    &integers::GCD,
    &integers::LCM,
    &integers::FACTORIAL,
    &integers::AND,
    &integers::OR,
    &integers::XOR,
    &integers::NOT,
    &integers::SHIFT_LEFT,
    &integers::SHIFT_RIGHT,
    &powers::SQRT,
    &powers::SQRT_OPERATOR,
    &powers::CBRT,
    &powers::CBRT_OPERATOR,
    &powers::EXP,
    &powers::LN,
    &powers::LOG,
    &powers::LOG10,
    &powers::POWER,
    &powers::POW,
    &powers::POWER_OPERATOR,
    &scales::SCALE,
    &scales::MIN_SCALE,
    &scales::TRIM_SCALE,
    &buckets::WIDTH_BUCKET,
    &angles::PI,
    &angles::DEGREES,
    &angles::RADIANS,
    &angles::SIN,
    &angles::COS,
    &angles::TAN,
    &angles::COT,
    &angles::ASIN,
    &angles::ACOS,
    &angles::ATAN,
    &angles::ATAN2,
    &angles::SIND,
    &angles::COSD,
    &angles::TAND,
    &angles::COTD,
    &angles::ASIND,
    &angles::ACOSD,
    &angles::ATAND,
    &angles::ATAN2D,
    &angles::SINH,
    &angles::COSH,
    &angles::TANH,
    &angles::ASINH,
    &angles::ACOSH,
    &angles::ATANH,
];

fn division_by_zero() -> Failure {
    undefined(Undefined::DivisionByZero)
}

/// What is told of a numeric that does not exist.
pub(super) fn undefined(undefined: Undefined) -> Failure {
    let (fault, message) = match undefined {
        Undefined::Overflow => (Fault::NumericOutOfRange, "value overflows numeric format"),
        Undefined::DivisionByZero => (Fault::DivisionByZero, "division by zero"),
        Undefined::LogarithmOfZero => (Fault::InvalidLogarithm, "cannot take logarithm of zero"),
        Undefined::LogarithmOfNegative => (Fault::InvalidLogarithm, "cannot take logarithm of a negative number"),
        Undefined::RootOfNegative => (Fault::InvalidPower, "cannot take square root of a negative number"),
        Undefined::Complex => {
            (Fault::InvalidPower, "a negative number raised to a non-integer power yields a complex result")
        }
        Undefined::ZeroToNegative => (Fault::InvalidPower, "zero raised to a negative power is undefined"),
    };
    Failure::new(fault, message)
}

/// What is told of a double that does not exist.
fn refused(refused: Refused) -> Failure {
    let message = match refused {
        Refused::Overflow => "value out of range: overflow",
        Refused::Underflow => "value out of range: underflow",
        Refused::Input => "input is out of range",
        Refused::Undefined(other) => return undefined(other),
    };
    Failure::new(Fault::NumericOutOfRange, message)
}

//! Functions of double precision numbers as PostgreSQL has them: what it refuses, and what NaN and the infinities yield.
//!
//! Knows nothing but the standard library.

use std::f64::consts::PI;

use super::exact::Undefined;

/// Why there is no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    Overflow,
    Underflow,
    /// The function has no value there.
    Input,
    /// As for numerics.
    Undefined(Undefined),
}

type Result = std::result::Result<f64, Refused>;

/// A degree.
const DEGREE: f64 = PI / 180.0;

/// A result that must be no infinity, as its arguments are none, and zero only where that is exact.
fn finite(result: f64, may_be_infinite: bool, may_be_zero: bool) -> Result {
    if result.is_infinite() && !may_be_infinite {
        return Err(Refused::Overflow);
    }
    if result == 0.0 && !may_be_zero {
        return Err(Refused::Underflow);
    }
    Ok(result)
}

pub(super) fn sign(number: f64) -> f64 {
    if number > 0.0 {
        1.0
    } else if number < 0.0 {
        -1.0
    } else {
        0.0
    }
}

pub(super) fn sqrt(number: f64) -> Result {
    if number < 0.0 { Err(Refused::Undefined(Undefined::RootOfNegative)) } else { Ok(number.sqrt()) }
}

pub(super) fn exp(power: f64) -> Result {
    if power.is_nan() || power == f64::INFINITY {
        return Ok(power);
    }
    finite(power.exp(), false, power == f64::NEG_INFINITY)
}

pub(super) fn ln(number: f64) -> Result {
    logarithm(number, f64::ln)
}

pub(super) fn log10(number: f64) -> Result {
    logarithm(number, f64::log10)
}

fn logarithm(number: f64, of_positive: fn(f64) -> f64) -> Result {
    if number == 0.0 {
        return Err(Refused::Undefined(Undefined::LogarithmOfZero));
    }
    if number < 0.0 {
        return Err(Refused::Undefined(Undefined::LogarithmOfNegative));
    }
    finite(of_positive(number), number.is_infinite(), number == 1.0)
}

pub(super) fn power(base: f64, power: f64) -> Result {
    if base == 0.0 && power < 0.0 {
        return Err(Refused::Undefined(Undefined::ZeroToNegative));
    }
    if base < 0.0 && power.is_finite() && power.fract() != 0.0 {
        return Err(Refused::Undefined(Undefined::Complex));
    }
    let is_finite = base.is_finite() && power.is_finite();
    let result = base.powf(power);
    if is_finite { finite(result, false, base == 0.0) } else { Ok(result) }
}

pub(super) fn degrees(radians: f64) -> Result {
    finite(radians / DEGREE, radians.is_infinite(), radians == 0.0)
}

pub(super) fn radians(degrees: f64) -> Result {
    finite(degrees * DEGREE, degrees.is_infinite(), degrees == 0.0)
}

/// Of an angle, which has no direction when it is infinite.
pub(super) fn of_angle(angle: f64, function: fn(f64) -> f64) -> Result {
    if angle.is_infinite() { Err(Refused::Input) } else { Ok(function(angle)) }
}

pub(super) fn cot(angle: f64) -> f64 {
    1.0 / angle.tan()
}

/// Of a number between two bounds.
fn between(number: f64, low: f64, high: f64, function: fn(f64) -> f64) -> Result {
    if number < low || number > high { Err(Refused::Input) } else { Ok(function(number)) }
}

// The standard library's own hyperbolic areas are off by some units in the last place, and infinite too early. These are
// the formulas of Kahan ("Branch Cuts for Complex Elementary Functions", 1987), with the form for each range that keeps
// its digits.

/// Beyond it the square is the square plus one, and below its inverse the number is its own area.
const FAR: f64 = 268_435_456.0;

/// Of a sine or a cosine.
pub(super) fn of_ratio(ratio: f64, function: fn(f64) -> f64) -> Result {
    between(ratio, -1.0, 1.0, function)
}

pub(super) fn asinh(number: f64) -> f64 {
    let size = number.abs();
    let area = if size > FAR {
        size.ln() + std::f64::consts::LN_2
    } else if size > 2.0 {
        (2.0 * size + 1.0 / ((number * number + 1.0).sqrt() + size)).ln()
    } else if size >= 1.0 / FAR {
        let square = number * number;
        (size + square / (1.0 + (1.0 + square).sqrt())).ln_1p()
    } else {
        return number;
    };
    area.copysign(number)
}

pub(super) fn acosh(number: f64) -> Result {
    between(number, 1.0, f64::INFINITY, |number| {
        if number > FAR {
            number.ln() + std::f64::consts::LN_2
        } else if number > 2.0 {
            (2.0 * number - 1.0 / (number + (number * number - 1.0).sqrt())).ln()
        } else {
            let above = number - 1.0;
            (above + (2.0 * above + above * above).sqrt()).ln_1p()
        }
    })
}

pub(super) fn atanh(number: f64) -> Result {
    between(number, -1.0, 1.0, |number| {
        let size = number.abs();
        let double = size + size;
        let area = if size < 1.0 / FAR {
            return number;
        } else if size < 0.5 {
            0.5 * (double + double * size / (1.0 - size)).ln_1p()
        } else {
            0.5 * (double / (1.0 - size)).ln_1p()
        };
        area.copysign(number)
    })
}

// Functions of degrees are exact at multiples of 30 and 45, for which they are scaled by what the library's yield there.

fn sin_to_30(degrees: f64) -> f64 {
    let at_30 = (30.0 * DEGREE).sin();
    (degrees * DEGREE).sin() / at_30 / 2.0
}

fn cos_to_60(degrees: f64) -> f64 {
    let at_60 = 1.0 - (60.0 * DEGREE).cos();
    1.0 - (1.0 - (degrees * DEGREE).cos()) / at_60 / 2.0
}

fn sin_to_90(degrees: f64) -> f64 {
    if degrees <= 30.0 { sin_to_30(degrees) } else { cos_to_60(90.0 - degrees) }
}

fn cos_to_90(degrees: f64) -> f64 {
    if degrees <= 60.0 { cos_to_60(degrees) } else { sin_to_30(90.0 - degrees) }
}

/// An angle within the first quarter of the circle, and whether it was in the lower half and in the left half.
fn folded(degrees: f64) -> (f64, bool, bool) {
    let turned = degrees % 360.0;
    let mut is_lower = turned < 0.0;
    let mut angle = signed(is_lower, turned);
    if angle > 180.0 {
        (angle, is_lower) = (360.0 - angle, !is_lower);
    }
    let is_left = angle > 90.0;
    (if is_left { 180.0 - angle } else { angle }, is_lower, is_left)
}

fn signed(negative: bool, number: f64) -> f64 {
    if negative { -number } else { number }
}

pub(super) fn sind(degrees: f64) -> f64 {
    let (angle, is_lower, _) = folded(degrees);
    signed(is_lower, sin_to_90(angle))
}

pub(super) fn cosd(degrees: f64) -> f64 {
    let (angle, _, is_left) = folded(degrees);
    signed(is_left, cos_to_90(angle))
}

pub(super) fn tand(degrees: f64) -> f64 {
    let (angle, is_lower, is_left) = folded(degrees);
    let at_45 = sin_to_90(45.0) / cos_to_90(45.0);
    without_sign_of_zero(signed(is_lower != is_left, sin_to_90(angle) / cos_to_90(angle) / at_45))
}

pub(super) fn cotd(degrees: f64) -> f64 {
    let (angle, is_lower, is_left) = folded(degrees);
    let at_45 = cos_to_90(45.0) / sin_to_90(45.0);
    without_sign_of_zero(signed(is_lower != is_left, cos_to_90(angle) / sin_to_90(angle) / at_45))
}

fn without_sign_of_zero(number: f64) -> f64 {
    if number == 0.0 { 0.0 } else { number }
}

fn asin_of_positive(number: f64) -> f64 {
    if number <= 0.5 { number.asin() / 0.5_f64.asin() * 30.0 } else { 90.0 - number.acos() / 0.5_f64.acos() * 60.0 }
}

fn acos_of_positive(number: f64) -> f64 {
    if number <= 0.5 { 90.0 - number.asin() / 0.5_f64.asin() * 30.0 } else { number.acos() / 0.5_f64.acos() * 60.0 }
}

pub(super) fn asind(number: f64) -> f64 {
    if number >= 0.0 { asin_of_positive(number) } else { -asin_of_positive(-number) }
}

pub(super) fn acosd(number: f64) -> f64 {
    if number >= 0.0 { acos_of_positive(number) } else { 90.0 + asin_of_positive(-number) }
}

pub(super) fn atand(number: f64) -> f64 {
    number.atan() / 1.0_f64.atan() * 45.0
}

pub(super) fn atan2d(y: f64, x: f64) -> f64 {
    y.atan2(x) / 1.0_f64.atan() * 45.0
}

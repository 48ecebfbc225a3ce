//! Exponentials, logarithms and powers, whose digits never end: computed with some more than are wanted, and rounded.

use super::{
    Undefined,
    decimal::{Decimal, MAX_SCALE, MIN_DIGITS, Rounding, clamped, signed},
    natural::Natural,
};

/// Digits that are computed beyond those that are wanted.
const GUARD: usize = 15;

/// Digits before the point beyond which a power is none: more than any numeric here has.
const MAX_WEIGHT: f64 = 400.0;

/// The greatest exponent of e that has a result at all, and the least that is not just zero.
const MAX_EXPONENT: f64 = 6_000.0;

const LOG10_OF_E: f64 = std::f64::consts::LOG10_E;

/// How often an argument is halved before the series of the exponential, to need few of its terms.
const HALVINGS: usize = 8;

/// e to a power, with this many digits behind the point.
pub(crate) fn exp(power: &Decimal, scale: usize) -> Result<Decimal, Undefined> {
    let about = power.to_f64();
    if about.abs() >= MAX_EXPONENT {
        return if power.is_negative() { Ok(Decimal::zero(scale)) } else { Err(Undefined::Overflow) };
    }
    let places = clamped(signed(scale) + truncated(about * LOG10_OF_E)) + GUARD;
    // It is 2^doublings times e to a rest that is less than ln 2.
    let ln_2 = ln_of_2(places + GUARD);
    let times_ln_2 = |doublings: i64| Decimal::new(i128::from(doublings), 0).times(&ln_2);
    let mut doublings = truncated((about / std::f64::consts::LN_2).floor());
    let mut rest = power.minus(&times_ln_2(doublings));
    if rest.is_negative() {
        doublings -= 1;
        rest = power.minus(&times_ln_2(doublings));
    }
    let rest = rest.rounded(places, Rounding::Nearest);
    let rest = rest.natural().divided_by_group(1 << HALVINGS).0;
    let one = Natural::one().times_power(places);
    let (mut sum, mut term) = (one.clone(), one);
    for at in 1.. {
        term = term.times(&rest).divided_by_power(places).0.divided_by_group(at).0;
        if term.is_zero() {
            break;
        }
        sum = sum.plus(&term);
    }
    for _ in 0..HALVINGS {
        sum = sum.times(&sum).divided_by_power(places).0;
    }
    let power_of_2 = power_of_two(clamped(doublings.abs()));
    let (above, below) = if doublings < 0 { (Natural::one(), power_of_2) } else { (power_of_2, Natural::one()) };
    let result = sum.times(&above).times_power(scale).divided_half_up(&below.times_power(places));
    Ok(Decimal::of(false, result.ok_or(Undefined::DivisionByZero)?, scale))
}

/// The digits behind the point that PostgreSQL gives an exponential.
pub(crate) fn exp_scale(power: &Decimal) -> usize {
    let weight = (power.to_f64() * LOG10_OF_E).clamp(-2_000.0, 2_000.0);
    clamped(signed(MIN_DIGITS) - truncated(weight)).max(power.scale()).min(MAX_SCALE)
}

/// The natural logarithm, with this many digits behind the point.
pub(crate) fn ln(number: &Decimal, scale: usize) -> Result<Decimal, Undefined> {
    if number.is_negative() {
        return Err(Undefined::LogarithmOfNegative);
    }
    if number.is_zero() {
        return Err(Undefined::LogarithmOfZero);
    }
    let places = scale + GUARD;
    let (digits, power) = number.natural().to_f64();
    let power = signed(power) - signed(number.scale());
    let doublings = truncated((digits.log2() + to_f64(power) * std::f64::consts::LOG2_10).round());
    // It is 2^doublings times a number near 1, whose logarithm is 2 artanh((number - 1) / (number + 1)).
    let power_of_2 = power_of_two(clamped(doublings.abs()));
    let digits = number.natural().times_power(places);
    let digits = if doublings < 0 { digits.times(&power_of_2) } else { digits };
    let divisor = if doublings < 0 { Natural::one() } else { power_of_2 };
    let near_one = digits.divided_half_up(&divisor.times_power(number.scale())).ok_or(Undefined::DivisionByZero)?;
    let one = Natural::one().times_power(places);
    let is_less = near_one < one;
    let away = if is_less { one.minus(&near_one) } else { near_one.minus(&one) };
    let ratio = away.times_power(places).divided_half_up(&near_one.plus(&one)).ok_or(Undefined::DivisionByZero)?;
    let square = ratio.times(&ratio).divided_by_power(places).0;
    let (mut sum, mut term) = (ratio.clone(), ratio);
    for at in 1.. {
        term = term.times(&square).divided_by_power(places).0;
        if term.is_zero() {
            break;
        }
        sum = sum.plus(&term.divided_by_group(2 * at + 1).0);
    }
    let of_near_one = Decimal::of(is_less, sum.plus(&sum), places);
    let of_doublings = Decimal::new(i128::from(doublings), 0).times(&ln_of_2(places));
    Ok(of_doublings.plus(&of_near_one).rounded(scale, Rounding::Nearest))
}

/// The digits behind the point that PostgreSQL gives a natural logarithm.
pub(crate) fn ln_scale(number: &Decimal) -> usize {
    clamped(signed(MIN_DIGITS) - ln_weight(number)).max(number.scale()).min(MAX_SCALE)
}

/// The logarithm to a base, with this many digits behind the point.
pub(crate) fn log(base: &Decimal, number: &Decimal, scale: usize) -> Result<Decimal, Undefined> {
    let (base_weight, weight) = (ln_weight(base), ln_weight(number));
    let places = signed(scale) + signed(GUARD) - base_weight;
    let (one, two) = (clamped(places), clamped(places + weight - base_weight));
    let (of_base, of_number) = (ln(base, two)?, ln(number, one)?);
    of_number.divided(&of_base, scale)
}

/// The digits behind the point that PostgreSQL gives such a logarithm.
pub(crate) fn log_scale(base: &Decimal, number: &Decimal) -> usize {
    let weight = ln_weight(number) - ln_weight(base);
    clamped(signed(MIN_DIGITS) - weight).max(base.scale()).max(number.scale()).min(MAX_SCALE)
}

/// A number to a power, with this many digits behind the point.
pub(crate) fn power(base: &Decimal, power: &Decimal, scale: usize) -> Result<Decimal, Undefined> {
    if base.is_zero() && power.is_negative() {
        return Err(Undefined::ZeroToNegative);
    }
    if base.is_negative() && !power.is_whole() {
        return Err(Undefined::Complex);
    }
    if let Some(whole) = whole(power) {
        return power_of_whole(base, whole, scale);
    }
    if base.is_zero() {
        return Ok(Decimal::zero(scale));
    }
    let negative = base.is_negative() && power.is_odd();
    let base = base.abs();
    let (ln_weight, about) = rough_power(&base, power)?;
    if about.abs() > MAX_WEIGHT {
        return if about > 0.0 { Err(Undefined::Overflow) } else { Ok(Decimal::zero(scale)) };
    }
    let digits = clamped(signed(scale) + truncated(about)) + GUARD;
    let places = signed(digits) + power.weight().max(0) - ln_weight.min(0);
    let result = exp(&ln(&base, clamped(places))?.times(power), scale)?;
    Ok(if negative { result.negated() } else { result })
}

/// The digits behind the point that PostgreSQL gives a power.
pub(crate) fn power_scale(base: &Decimal, power: &Decimal) -> usize {
    if whole(power).is_some() {
        return MIN_DIGITS.max(base.scale()).min(MAX_SCALE);
    }
    if base.is_zero() {
        return MIN_DIGITS;
    }
    let weight = rough_power(&base.abs(), power).map_or(0.0, |(_, weight)| weight.clamp(-2_000.0, 2_000.0));
    clamped(signed(MIN_DIGITS) - truncated(weight)).max(base.scale()).max(power.scale()).min(MAX_SCALE)
}

/// A power that is a whole number of four bytes.
fn whole(power: &Decimal) -> Option<i32> {
    let whole = power.is_whole().then(|| power.rounded(0, Rounding::TowardsZero))?;
    i32::try_from(whole.to_i128()?).ok()
}

/// The weight of the logarithm of a base, and about that of its power, by a logarithm of eight digits.
fn rough_power(base: &Decimal, power: &Decimal) -> Result<(i64, f64), Undefined> {
    let weight = ln_weight(base);
    let places = clamped(8 - weight);
    let product = ln(base, places)?.times(power).rounded(places, Rounding::Nearest);
    Ok((weight, product.to_f64() * LOG10_OF_E))
}

/// By squaring, with as many leading digits as the result needs.
fn power_of_whole(base: &Decimal, power: i32, scale: usize) -> Result<Decimal, Undefined> {
    if power == 0 {
        return Ok(Decimal::one().rounded(scale, Rounding::Nearest));
    }
    if base.is_zero() {
        return Ok(Decimal::zero(scale));
    }
    let (digits, moved) = base.natural().to_f64();
    let log = digits.log10() + to_f64(signed(moved) - signed(base.scale()));
    let weight = f64::from(power) * log;
    if weight > MAX_WEIGHT {
        return Err(Undefined::Overflow);
    }
    if weight + 1.0 < -to_f64(signed(scale)) {
        return Ok(Decimal::zero(scale));
    }
    let lost = usize::try_from(power.unsigned_abs().ilog10()).unwrap_or(0);
    let kept = clamped(signed(scale) + truncated(weight)) + GUARD + lost;
    let mut product = Leading { digits: Natural::one(), power: 0 };
    let mut factor = Leading { digits: base.natural().clone(), power: -signed(base.scale()) };
    let mut left = power.unsigned_abs();
    while left > 0 {
        if left % 2 == 1 {
            product = product.times(&factor, kept);
        }
        left /= 2;
        if left > 0 {
            factor = factor.times(&factor, kept);
        }
    }
    let (digits, moved) = match power < 0 {
        false => (product.digits, product.power),
        true => {
            let places = kept + product.digits.digits();
            let one = Natural::one().times_power(places);
            let quotient = one.divided_half_up(&product.digits).ok_or(Undefined::DivisionByZero)?;
            (quotient, -signed(places) - product.power)
        }
    };
    let negative = base.is_negative() && power % 2 != 0;
    let result = match usize::try_from(moved) {
        Ok(moved) => Decimal::of(negative, digits.times_power(moved), 0),
        Err(_) => Decimal::of(negative, digits, clamped(-moved)),
    };
    Ok(result.rounded(scale, Rounding::Nearest))
}

/// The leading digits of a number, and the power of ten that they are multiples of.
struct Leading {
    digits: Natural,
    power: i64,
}

impl Leading {
    /// The product, with as many digits.
    fn times(&self, other: &Self, kept: usize) -> Self {
        let (digits, power) = (self.digits.times(&other.digits), self.power + other.power);
        let left_out = digits.digits().saturating_sub(kept);
        Self { digits: digits.divided_by_power(left_out).0, power: power + signed(left_out) }
    }
}

/// The place of the first digit of a logarithm, as PostgreSQL estimates it (`estimate_ln_dweight`).
fn ln_weight(number: &Decimal) -> i64 {
    if number.is_zero() || number.is_negative() {
        return 0;
    }
    if *number >= Decimal::new(9, 1) && *number <= Decimal::new(11, 1) {
        let away = number.minus(&Decimal::one());
        return if away.is_zero() { 0 } else { away.weight() };
    }
    let (digits, power) = number.leading_digits();
    let ln = digits.ln() + to_f64(power) * std::f64::consts::LN_10;
    truncated(ln.abs().log10())
}

fn ln_of_2(places: usize) -> Decimal {
    // 2 artanh(1/3).
    let mut term = Natural::one().times_power(places + GUARD).divided_by_group(3).0;
    let mut sum = Natural::zero();
    for at in 0.. {
        if term.is_zero() {
            break;
        }
        sum = sum.plus(&term.divided_by_group(2 * at + 1).0);
        term = term.divided_by_group(9).0;
    }
    Decimal::of(false, sum.plus(&sum), places + GUARD)
}

fn power_of_two(power: usize) -> Natural {
    let group = Natural::from_u128(1 << 120);
    let start = Natural::from_u128(1 << (power % 120));
    (0..power / 120).fold(start, |product, _| product.times(&group))
}

/// The whole part of a number that is near zero.
fn truncated(number: f64) -> i64 {
    number as i64
}

/// A number of digits as a float.
fn to_f64(digits: i64) -> f64 {
    i32::try_from(digits).map_or(f64::from(i32::MAX), f64::from)
}

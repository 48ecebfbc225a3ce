//! A value: digits, a sign and a scale; the arithmetic whose results are exact or rounded once.

use std::{cmp::Ordering, fmt};

use super::{Undefined, natural::Natural};

/// Significant digits that a quotient, a root or a logarithm has at least (`NUMERIC_MIN_SIG_DIGITS`).
pub(crate) const MIN_DIGITS: usize = 16;

/// The greatest scale of a result (`NUMERIC_MAX_DISPLAY_SCALE`).
pub(super) const MAX_SCALE: usize = 1_000;

/// The digits of a group in PostgreSQL, which reckons scales from groups.
const GROUP: i64 = 4;

/// A numeric.
#[derive(Debug, Clone)]
pub(crate) struct Decimal {
    /// Zero is not.
    negative: bool,
    digits: Natural,
    scale: usize,
}

/// Where a value goes that has more digits than it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rounding {
    /// To the nearest, and halves away from zero.
    Nearest,
    TowardsZero,
    Up,
    Down,
}

impl Decimal {
    /// `digits` with as many of them behind the point as the scale says.
    pub(crate) fn new(digits: i128, scale: usize) -> Self {
        Self::of(digits < 0, Natural::from_u128(digits.unsigned_abs()), scale)
    }

    pub(super) fn of(negative: bool, digits: Natural, scale: usize) -> Self {
        Self { negative: negative && !digits.is_zero(), digits, scale }
    }

    /// Reads digits with a sign before them and no point.
    pub(crate) fn from_digits(digits: &str, scale: usize) -> Option<Self> {
        let (negative, digits) = digits.strip_prefix('-').map_or((false, digits), |digits| (true, digits));
        Some(Self::of(negative, Natural::from_digits(digits)?, scale))
    }

    pub(crate) fn zero(scale: usize) -> Self {
        Self::of(false, Natural::zero(), scale)
    }

    pub(crate) fn one() -> Self {
        Self::of(false, Natural::one(), 0)
    }

    /// How many digits it has behind the point.
    pub(crate) fn scale(&self) -> usize {
        self.scale
    }

    /// How many digits behind the point are needed to write it.
    pub(crate) fn min_scale(&self) -> usize {
        if self.digits.is_zero() { 0 } else { self.scale.saturating_sub(self.digits.trailing_zeros()) }
    }

    /// Its digits without the point, with a sign.
    pub(crate) fn to_digits(&self) -> String {
        format!("{}{}", if self.negative { "-" } else { "" }, self.digits)
    }

    /// The same as a number, if it has room.
    pub(crate) fn to_i128(&self) -> Option<i128> {
        let digits = i128::try_from(self.digits.to_u128()?).ok()?;
        Some(if self.negative { -digits } else { digits })
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.digits.is_zero()
    }

    pub(crate) fn is_negative(&self) -> bool {
        self.negative
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.min_scale() == 0
    }

    pub(super) fn is_odd(&self) -> bool {
        self.rounded(0, Rounding::TowardsZero).digits.is_odd()
    }

    pub(super) fn natural(&self) -> &Natural {
        &self.digits
    }

    pub(crate) fn abs(&self) -> Self {
        Self { negative: false, ..self.clone() }
    }

    pub(crate) fn negated(&self) -> Self {
        Self::of(!self.negative, self.digits.clone(), self.scale)
    }

    /// With this many digits behind the point. Digits that are left out round it.
    pub(crate) fn rounded(&self, scale: usize, rounding: Rounding) -> Self {
        if scale >= self.scale {
            return Self::of(self.negative, self.digits.times_power(scale - self.scale), scale);
        }
        let (kept, rest) = self.digits.divided_by_power(self.scale - scale);
        let is_away = match rounding {
            Rounding::Nearest => matches!(rest, Some(Ordering::Equal | Ordering::Greater)),
            Rounding::TowardsZero => false,
            Rounding::Up => rest.is_some() && !self.negative,
            Rounding::Down => rest.is_some() && self.negative,
        };
        Self::of(self.negative, if is_away { kept.plus(&Natural::one()) } else { kept }, scale)
    }

    /// Rounded at a place behind the point, or before it where that is negative; as many digits as that says.
    pub(crate) fn rounded_at(&self, places: i64, rounding: Rounding) -> Self {
        match usize::try_from(places) {
            Ok(places) => self.rounded(places.min(MAX_SCALE), rounding),
            Err(_) => {
                let before = usize::try_from(places.unsigned_abs()).unwrap_or(usize::MAX);
                if before > self.digits.digits() {
                    return Self::zero(0);
                }
                let moved = Self { scale: self.scale + before, ..self.clone() };
                let kept = moved.rounded(0, rounding);
                Self::of(kept.negative, kept.digits.times_power(before), 0)
            }
        }
    }

    /// Both with the greater of their scales.
    fn aligned(&self, other: &Self) -> (Natural, Natural, usize) {
        let scale = self.scale.max(other.scale);
        let moved = |number: &Self| number.digits.times_power(scale - number.scale);
        (moved(self), moved(other), scale)
    }

    pub(crate) fn plus(&self, other: &Self) -> Self {
        let (one, two, scale) = self.aligned(other);
        if self.negative == other.negative {
            return Self::of(self.negative, one.plus(&two), scale);
        }
        match one >= two {
            true => Self::of(self.negative, one.minus(&two), scale),
            false => Self::of(other.negative, two.minus(&one), scale),
        }
    }

    pub(crate) fn minus(&self, other: &Self) -> Self {
        self.plus(&other.negated())
    }

    pub(crate) fn times(&self, other: &Self) -> Self {
        Self::of(self.negative != other.negative, self.digits.times(&other.digits), self.scale + other.scale)
    }

    /// The quotient with this many digits behind the point.
    pub(crate) fn divided(&self, divisor: &Self, scale: usize) -> Result<Self, Undefined> {
        let up = (scale + divisor.scale).saturating_sub(self.scale);
        let down = self.scale.saturating_sub(scale + divisor.scale);
        let quotient = self.digits.times_power(up).divided_half_up(&divisor.digits.times_power(down));
        let quotient = quotient.ok_or(Undefined::DivisionByZero)?;
        Ok(Self::of(self.negative != divisor.negative, quotient, scale))
    }

    /// The digits behind the point that PostgreSQL gives a quotient (`select_div_scale`).
    pub(crate) fn quotient_scale(&self, divisor: &Self) -> usize {
        let ((weight, first), (other_weight, other_first)) = (self.first_group(), divisor.first_group());
        let weight = weight - other_weight - i64::from(first <= other_first);
        let least = clamped(signed(MIN_DIGITS) - weight * GROUP);
        least.max(self.scale).max(divisor.scale).min(MAX_SCALE)
    }

    /// The whole part of the quotient, and the rest, which has the sign of the dividend.
    pub(crate) fn divided_whole(&self, divisor: &Self) -> Result<(Self, Self), Undefined> {
        let (one, two, scale) = self.aligned(divisor);
        let (quotient, rest) = one.divided(&two).ok_or(Undefined::DivisionByZero)?;
        let quotient = Self::of(self.negative != divisor.negative, quotient, 0);
        Ok((quotient, Self::of(self.negative, rest, scale)))
    }

    /// The greatest number by which both can be divided.
    pub(crate) fn common_divisor(&self, other: &Self) -> Self {
        let (mut one, mut two, scale) = self.aligned(other);
        while let Some((_, rest)) = one.divided(&two) {
            (one, two) = (two, rest);
        }
        Self::of(false, one, scale)
    }

    /// The least number that both divide.
    pub(crate) fn common_multiple(&self, other: &Self) -> Self {
        let (one, two, scale) = self.aligned(other);
        let divisor = self.common_divisor(other).digits;
        let quotient = one.divided(&divisor).map_or_else(Natural::zero, |(quotient, _)| quotient);
        Self::of(false, quotient.times(&two), scale)
    }

    /// The square root with this many digits behind the point.
    pub(crate) fn root(&self, scale: usize) -> Result<Self, Undefined> {
        if self.negative {
            return Err(Undefined::RootOfNegative);
        }
        // A digit more than is wanted says whether to round up, whatever follows it.
        let places = scale.max(self.scale.div_ceil(2)) + 1;
        let root = self.digits.times_power(2 * places - self.scale).root();
        Ok(Self::of(false, root, places).rounded(scale, Rounding::Nearest))
    }

    /// The digits behind the point that PostgreSQL gives a square root.
    pub(crate) fn root_scale(&self) -> usize {
        let (weight, _) = self.first_group();
        let digits = (weight + 1) * GROUP / 2 - 1;
        clamped(signed(MIN_DIGITS) - digits).max(self.scale).min(MAX_SCALE)
    }

    /// The place of its first group of four digits, 0 before the point, and the group; of zero both are 0.
    fn first_group(&self) -> (i64, i64) {
        if self.digits.is_zero() {
            return (0, 0);
        }
        let weight = self.weight().div_euclid(GROUP);
        (weight, self.leading(weight * GROUP))
    }

    /// The place of its first digit: 0 just before the point, -1 just behind it.
    pub(super) fn weight(&self) -> i64 {
        signed(self.digits.digits()) - signed(self.scale) - 1
    }

    /// How often a power of ten fits into it.
    fn leading(&self, power: i64) -> i64 {
        let power = power + signed(self.scale);
        let number = match usize::try_from(power) {
            Ok(power) => self.digits.divided_by_power(power).0,
            Err(_) => self.digits.times_power(clamped(-power)),
        };
        number.to_u128().and_then(|number| i64::try_from(number).ok()).unwrap_or(0)
    }

    /// Its first four to eight digits, and the power of ten that they are multiples of.
    pub(super) fn leading_digits(&self) -> (f64, i64) {
        let power = (self.weight().div_euclid(GROUP) - 1) * GROUP;
        let leading = u32::try_from(self.leading(power)).map_or(0.0, f64::from);
        (leading, power)
    }

    /// About the value.
    pub(crate) fn to_f64(&self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let (one, two, _) = self.aligned(other);
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => one.cmp(&two),
            (true, true) => two.cmp(&one),
        }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:0>width$}", self.digits.to_string(), width = self.scale + 1);
        let (whole, places) = digits.split_at(digits.len() - self.scale);
        let (sign, point) = (if self.negative { "-" } else { "" }, if self.scale > 0 { "." } else { "" });
        write!(formatter, "{sign}{whole}{point}{places}")
    }
}

/// A number of digits, to be reckoned with.
pub(super) fn signed(digits: usize) -> i64 {
    i64::try_from(digits).unwrap_or(i64::MAX)
}

/// A number of digits, none below zero.
pub(super) fn clamped(digits: i64) -> usize {
    usize::try_from(digits.max(0)).unwrap_or(0)
}

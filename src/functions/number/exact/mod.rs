//! PostgreSQL's numerics, exactly: whole numbers of any length with a decimal point somewhere.
//!
//! A value has as many digits behind its point as it is said to have, its [scale](Decimal::scale), and the results of
//! functions have those that PostgreSQL gives them: the functions named `…_scale` say how many for which values. Whoever has
//! room for fewer or more digits asks for those, and gets the value rounded there, once, half away from zero.
//!
//! Knows nothing but the standard library.

mod decimal;
mod natural;
mod series;

pub(crate) use self::{
    decimal::{Decimal, MIN_DIGITS, Rounding},
    series::{exp, exp_scale, ln, ln_scale, log, log_scale, power, power_scale},
};

/// Why there is no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Undefined {
    /// It is greater than any numeric.
    Overflow,
    DivisionByZero,
    /// A logarithm of zero.
    LogarithmOfZero,
    LogarithmOfNegative,
    /// An even root of a negative number.
    RootOfNegative,
    /// A negative number to a power that is not whole.
    Complex,
    /// Zero to a negative power.
    ZeroToNegative,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

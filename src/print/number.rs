//! Numbers as PostgreSQL prints and packs them: integers, floats and exact decimals.

use std::{
    fmt::{Display, LowerExp, Write},
    str::FromStr,
};

use arrow::datatypes::{DataType, i256};
use bytes::{BufMut, BytesMut};

use crate::{
    fault::{Failure, Fault, Result},
    pgtype::{self, FloatDigits},
};

/// Decimal digits of a numeric's binary digit, which counts in ten thousands.
const GROUP: i32 = 4;

/// Text on the stack. It holds the longest number there is here: a 256-bit integer has 77 digits and a sign.
struct StackText {
    bytes: [u8; 96],
    length: usize,
}

/// The digits of an exact decimal, read as an integer divided by ten to the scale.
struct Digits {
    text: StackText,
    negative: bool,
}

/// Writes an integer in decimal.
pub(super) fn write_integer(out: &mut BytesMut, value: i64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        out.put_u8(b'-');
    }
    out.put_slice(&digits[at..]);
}

/// Writes an integer with leading zeros up to a width.
pub(super) fn write_padded(out: &mut BytesMut, value: u64, width: u32) {
    for position in (1..width).rev() {
        if value < 10u64.saturating_pow(position) {
            out.put_u8(b'0');
        }
    }
    write_integer(out, i64::try_from(value).unwrap_or(i64::MAX));
}

/// A float of one of the two sizes.
pub(super) trait Float: Copy + LowerExp + FromStr + Into<f64> {
    /// Exponents from this one on are written with an `e`, as PostgreSQL does.
    const FIXED_DIGITS: i32;
    /// How many binary digits one has.
    const DIGITS: i32;
    /// The exponent of the least one.
    const LEAST: i32;
}

impl Float for f32 {
    const FIXED_DIGITS: i32 = 6;
    const DIGITS: i32 = 24;
    const LEAST: i32 = -149;
}

impl Float for f64 {
    const FIXED_DIGITS: i32 = 15;
    const DIGITS: i32 = 53;
    const LEAST: i32 = -1074;
}

/// Writes a float. Exponents below -4 and from as many digits on as survive in its type are written with an `e`, as PostgreSQL
/// does.
pub(super) fn write_float<T: Float>(out: &mut BytesMut, float: T, digits: FloatDigits) {
    let value: f64 = float.into();
    if value.is_nan() {
        return out.put_slice(b"NaN");
    }
    if value.is_infinite() {
        return out.put_slice(if value < 0.0 { b"-Infinity" } else { b"Infinity" });
    }
    let (text, fixed_digits) = match digits {
        FloatDigits::Shortest => (shortest(float), T::FIXED_DIGITS),
        FloatDigits::Fewer(fewer) => {
            let digits = (T::FIXED_DIGITS - i32::from(fewer)).max(1);
            let mut text = StackText::new();
            // No form of a float has more than 24 characters.
            let _fits = write!(text, "{float:.places$e}", places = usize::try_from(digits - 1).unwrap_or_default());
            (text, digits)
        }
    };
    let (mantissa, exponent) = text.as_str().split_once('e').unwrap_or((text.as_str(), "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let mantissa = match digits {
        FloatDigits::Fewer(_) if mantissa.contains('.') => mantissa.trim_end_matches('0').trim_end_matches('.'),
        _ => mantissa,
    };
    let (first, rest) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    out.put_slice(sign.as_bytes());
    if !(-4..fixed_digits).contains(&exponent) {
        out.put_slice(mantissa.as_bytes());
        out.put_slice(if exponent < 0 { b"e-" } else { b"e+" });
        return write_padded(out, u64::from(exponent.unsigned_abs()), 2);
    }
    let Ok(whole) = usize::try_from(exponent) else {
        out.put_slice(b"0.");
        out.put_bytes(b'0', exponent.unsigned_abs() as usize - 1);
        out.put_slice(first.as_bytes());
        return out.put_slice(rest.as_bytes());
    };
    let (before, after) = rest.split_at(whole.min(rest.len()));
    out.put_slice(first.as_bytes());
    out.put_slice(before.as_bytes());
    out.put_bytes(b'0', whole - before.len());
    if !after.is_empty() {
        out.put_u8(b'.');
        out.put_slice(after.as_bytes());
    }
}

/// The fewest digits that are nearer to the float than to any other: what is in the middle between two is read as one of them
/// by those readers alone that round to the even one. Digits, a point behind the first, and an exponent behind `e`.
fn shortest<T: Float>(float: T) -> StackText {
    let mut text = StackText::new();
    // The shortest form of any float has at most 24 characters.
    let _fits = write!(text, "{float:e}");
    if !is_halfway(text.as_str(), float) {
        return text;
    }
    let value: f64 = float.into();
    let digits = text.as_str().bytes().take_while(|byte| *byte != b'e').filter(u8::is_ascii_digit).count();
    for places in digits..MOST_DIGITS {
        text = StackText::new();
        let _fits = write!(text, "{float:.places$e}");
        let is_same = text.as_str().parse::<T>().is_ok_and(|read| read.into() == value);
        if is_same && !is_halfway(text.as_str(), float) {
            break;
        }
    }
    text
}

/// So many digits tell any float from all others.
const MOST_DIGITS: usize = 17;

/// Whether a text that is read as the float is in the middle between it and one of those beside it.
fn is_halfway<T: Float>(text: &str, float: T) -> bool {
    const EXPONENT: i32 = 1075;
    let bits = Into::<f64>::into(float).abs().to_bits();
    let Ok(exponent @ 1..) = i32::try_from(bits >> 52) else { return false };
    // The float is so many times the step to the next one, a power of two.
    let step = (exponent - EXPONENT + <f64 as Float>::DIGITS - T::DIGITS).max(T::LEAST);
    let Ok(shift) = u32::try_from(step - (exponent - EXPONENT)) else { return false };
    let steps = u128::from((bits & ((1 << 52) - 1)) | (1 << 52)) >> shift;
    if steps % 2 == 1 {
        return false;
    }
    let Some((digits, tens)) = read_digits(text) else { return false };
    let is_power = steps.is_power_of_two() && step > T::LEAST;
    let below = if is_power { (4 * steps - 1, step - 2) } else { (2 * steps - 1, step - 1) };
    [(2 * steps + 1, step - 1), below].into_iter().any(|(odd, twos)| is_equal(digits, tens, odd, twos))
}

/// The digits of a text such as `1.25e-7` as an integer, and the power of ten that it is multiplied by.
fn read_digits(text: &str) -> Option<(u128, i32)> {
    let (mantissa, exponent) = text.trim_start_matches('-').split_once('e')?;
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).fold(0, |all, digit| all * 10 + u128::from(digit - b'0'));
    let places = mantissa.split_once('.').map_or(0, |(_, rest)| rest.len());
    Some((digits, exponent.parse::<i32>().ok()? - i32::try_from(places).ok()?))
}

/// Whether `digits · 10^tens` is `odd · 2^twos`.
fn is_equal(digits: u128, tens: i32, odd: u128, twos: i32) -> bool {
    // What is beyond so many bits is no such number.
    let Some(fives) = 5_u128.checked_pow(tens.unsigned_abs()) else { return false };
    let (left, right) =
        if tens < 0 { (Some(digits), odd.checked_mul(fives)) } else { (digits.checked_mul(fives), Some(odd)) };
    let (Some(left @ 1..), Some(right)) = (left, right) else { return false };
    let zeros = left.trailing_zeros();
    left >> zeros == right && i32::try_from(zeros).is_ok_and(|zeros| zeros + tens == twos)
}

/// Writes `unscaled / 10^scale` with all its decimal places.
pub(super) fn write_decimal(out: &mut BytesMut, unscaled: impl Display, scale: i8) {
    let digits = Digits::new(unscaled);
    let text = digits.text.as_str();
    if digits.negative {
        out.put_u8(b'-');
    }
    let Ok(places @ 1..) = usize::try_from(scale) else {
        out.put_slice(text.as_bytes());
        if text != "0" {
            out.put_bytes(b'0', usize::from(scale.unsigned_abs()));
        }
        return;
    };
    let (whole, fraction) = text.split_at(text.len().saturating_sub(places));
    out.put_slice(if whole.is_empty() { b"0" } else { whole.as_bytes() });
    out.put_u8(b'.');
    out.put_bytes(b'0', places - fraction.len());
    out.put_slice(fraction.as_bytes());
}

/// A numeric that no declaration limits, with the digits that it has: of its decimal places those that end with no zero.
pub(super) fn without_zeros(mut digits: i128) -> (i128, i8) {
    let DataType::Decimal128(_, mut scale) = pgtype::ANY_NUMERIC else { return (digits, 0) };
    while scale > 0 && digits % 10 == 0 {
        (digits, scale) = (digits / 10, scale - 1);
    }
    (digits, scale)
}

/// The same of one of twice the digits.
pub(super) fn long_without_zeros(digits: i256) -> (i256, i8) {
    let DataType::Decimal256(_, scale) = pgtype::LONG_NUMERIC else { return (digits, 0) };
    if digits == i256::ZERO {
        return (digits, 0);
    }
    let text = digits.to_string();
    let count = text.bytes().rev().take(usize::from(scale.unsigned_abs())).take_while(|digit| *digit == b'0').count();
    let power = u32::try_from(count).ok().and_then(|count| i256::from_i128(10).checked_pow(count));
    match (power.and_then(|power| digits.checked_div(power)), i8::try_from(count)) {
        (Some(digits), Ok(count)) => (digits, scale - count),
        _ => (digits, scale),
    }
}

/// Writes `unscaled / 10^scale` as a binary numeric: count of digits, weight of the first, sign, shown scale, digits.
pub(super) fn write_binary_decimal(out: &mut BytesMut, unscaled: impl Display, scale: i8) -> Result<()> {
    let digits = Digits::new(unscaled);
    let (length, scale) = (digits.text.length as i32, i32::from(scale));
    // Decimal positions count from the point: 0 is the ones, -1 the tenths.
    let (highest, lowest) = ((length - scale - 1).div_euclid(GROUP), (-scale).div_euclid(GROUP));
    let mut groups = [0u16; 32];
    let mut count = 0;
    let mut weight = 0;
    let mut significant = 0;
    for group in (lowest..=highest).rev() {
        let value = digits.group(group, scale);
        if count == 0 {
            if value == 0 {
                continue;
            }
            weight = group;
        }
        let Some(place) = groups.get_mut(count) else {
            return Err(Failure::new(Fault::NumericOutOfRange, "a numeric has more digits than can be sent"));
        };
        *place = value;
        count += 1;
        if value != 0 {
            significant = count;
        }
    }
    out.put_i16(significant as i16);
    out.put_i16(weight as i16);
    out.put_u16(if digits.negative && significant > 0 { 0x4000 } else { 0 });
    out.put_i16(scale.max(0) as i16);
    for value in &groups[..significant] {
        out.put_u16(*value);
    }
    Ok(())
}

impl StackText {
    fn new() -> Self {
        Self { bytes: [0; 96], length: 0 }
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

impl Write for StackText {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.length + text.len();
        let place = self.bytes.get_mut(self.length..end).ok_or(std::fmt::Error)?;
        place.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

impl Digits {
    fn new(unscaled: impl Display) -> Self {
        let mut text = StackText::new();
        // 96 bytes hold any 256-bit integer.
        let _fits = write!(text, "{unscaled}");
        let negative = text.bytes[0] == b'-';
        if negative {
            text.bytes.copy_within(1..text.length, 0);
            text.length -= 1;
        }
        Self { text, negative }
    }

    // Four decimal digits as one number; positions outside of what is written are zeros.
    fn group(&self, group: i32, scale: i32) -> u16 {
        (0..GROUP).rev().fold(0, |value, offset| {
            let place = self.text.length as i32 - 1 - scale - (group * GROUP + offset);
            let digit = usize::try_from(place).ok().and_then(|place| self.text.as_str().as_bytes().get(place));
            value * 10 + digit.map_or(0, |digit| u16::from(digit - b'0'))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As PostgreSQL 15 writes them.
    #[test]
    fn floats_are_written_in_digits_that_are_in_the_middle_of_none() {
        let written = |write: &dyn Fn(&mut BytesMut)| {
            let mut out = BytesMut::new();
            write(&mut out);
            String::from_utf8_lossy(&out).into_owned()
        };
        for (double, text) in [
            (1e23, "9.999999999999999e+22"),
            (36_028_797_002_186_752.0, "3.6028797002186752e+16"),
            (-1e23, "-9.999999999999999e+22"),
            (1e22, "1e+22"),
            (0.1, "0.1"),
            (5e-324, "5e-324"),
            (2_f64.powi(60), "1.152921504606847e+18"),
            (0.0, "0"),
        ] {
            assert_eq!(written(&|out| write_float(out, double, FloatDigits::Shortest)), text);
        }
        for (single, text) in [(1.5e10_f32, "1.5000001e+10"), (8_388_608.0, "8.388608e+06"), (1e-45, "1e-45")] {
            assert_eq!(written(&|out| write_float(out, single, FloatDigits::Shortest)), text);
        }
    }
}

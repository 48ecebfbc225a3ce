//! Numerics with the scale that they came with: a decimal of 38 digits where they fit, else of 76.

use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, i256};
use datafusion::common::ScalarValue;

/// Decimal digits of a binary digit, which counts in ten thousands.
const GROUP: i32 = 4;

/// The exponent beyond which no decimal of 76 digits reaches.
const MAX_EXPONENT: i32 = 200;

/// Reads `-12.50` or `1e-3`; none if it is not a number or has too many digits.
pub(super) fn from_text(text: &str) -> Option<ScalarValue> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (negative, mantissa) = match mantissa.strip_prefix(['-', '+']) {
        Some(rest) => (mantissa.starts_with('-'), rest),
        None => (false, mantissa),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    decimal(digits, negative, i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?)
}

/// Reads the binary form: count of digits, weight of the first, sign, scale, digits.
pub(super) fn from_binary(bytes: &[u8]) -> Option<ScalarValue> {
    let (header, body) = bytes.split_first_chunk::<8>()?;
    let [count, weight, sign, scale] =
        [0, 2, 4, 6].map(|at| i32::from(i16::from_be_bytes([header[at], header[at + 1]])));
    let negative = match sign {
        0 => false,
        0x4000 => true,
        // NaN and the infinities have no decimal.
        _ => return None,
    };
    if body.len() != usize::try_from(count).ok()? * 2 || scale < 0 {
        return None;
    }
    let mut digits = String::new();
    for group in body.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])) {
        if group > 9999 {
            return None;
        }
        digits.push_str(&format!("{group:04}"));
    }
    let places = (count - weight - 1) * GROUP;
    if count == 0 {
        return decimal("0".to_owned(), false, scale);
    }
    // Cut or fill up to the scale that is to be shown; the digits past it can only be zeros.
    if places > scale {
        let excess = digits.split_off(digits.len().checked_sub(usize::try_from(places - scale).ok()?)?);
        if excess.bytes().any(|digit| digit != b'0') {
            return None;
        }
    } else if scale - places <= MAX_EXPONENT {
        digits.extend(std::iter::repeat_n('0', usize::try_from(scale - places).ok()?));
    }
    decimal(digits, negative, scale)
}

fn decimal(mut digits: String, negative: bool, mut scale: i32) -> Option<ScalarValue> {
    if scale < 0 {
        if -scale > MAX_EXPONENT {
            return None;
        }
        digits.extend(std::iter::repeat_n('0', usize::try_from(-scale).ok()?));
        scale = 0;
    }
    let significant = digits.trim_start_matches('0');
    let precision = significant.len().max(usize::try_from(scale).ok()?).max(1);
    let signed =
        format!("{}{}", if negative { "-" } else { "" }, if significant.is_empty() { "0" } else { significant });
    let scale = i8::try_from(scale).ok()?;
    if precision <= usize::from(DECIMAL128_MAX_PRECISION) {
        return Some(ScalarValue::Decimal128(Some(signed.parse().ok()?), DECIMAL128_MAX_PRECISION, scale));
    }
    if precision <= usize::from(DECIMAL256_MAX_PRECISION) {
        return Some(ScalarValue::Decimal256(Some(i256::from_string(&signed)?), DECIMAL256_MAX_PRECISION, scale));
    }
    None
}

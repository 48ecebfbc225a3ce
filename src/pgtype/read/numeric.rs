//! Numerics with the scale that they came with: a decimal of 38 digits where they fit, else of 76.

use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, DataType, i256};
use datafusion::common::ScalarValue;

use super::{NoNumber, Unreadable};

/// Decimal digits of a binary digit, which counts in ten thousands.
const GROUP: i32 = 4;

/// The exponent beyond which no decimal of 76 digits reaches.
const MAX_EXPONENT: i32 = 200;

/// The signs of the binary form.
const NEGATIVE: i32 = 0x4000;
const NOT_FINITE: [(i32, &str); 3] = [(0xC000, "NaN"), (0xD000, "Infinity"), (0xF000, "-Infinity")];

/// What a text of a numeric says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Written {
    negative: bool,
    /// All digits but for zeros before the first, or at least one.
    digits: String,
    /// How many of them are behind the point: less than none, if zeros follow before it.
    places: i32,
}

impl Written {
    /// Reads `-12.50` or `1e-3`, with white space around it.
    pub(crate) fn read(text: &str) -> Result<Self, NoNumber> {
        let text = text.trim_ascii();
        let (negative, unsigned) = match text.strip_prefix(['-', '+']) {
            Some(rest) => (text.starts_with('-'), rest),
            None => (false, text),
        };
        let is = |text: &str, word: &str| text.eq_ignore_ascii_case(word);
        if is(text, "nan") || is(unsigned, "inf") || is(unsigned, "infinity") {
            return Err(NoNumber::NotFinite);
        }
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent_of(exponent)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut digits = [whole, fraction].concat();
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NoNumber::Syntax);
        }
        let places = i32::try_from(fraction.len()).ok().and_then(|places| places.checked_sub(exponent));
        let leading = digits.len() - digits.trim_start_matches('0').len();
        digits.drain(..leading.min(digits.len() - 1));
        Ok(Self { negative, digits, places: places.ok_or(NoNumber::Range)? })
    }

    /// The numeric of all its digits.
    pub(crate) fn own(self) -> Result<ScalarValue, NoNumber> {
        decimal(self.digits, self.negative, self.places).ok_or(NoNumber::Range)
    }

    /// Its digits with so many of them behind the point, rounded away from zero; none if they are more than 76.
    pub(crate) fn rounded(&self, places: i8) -> Option<i256> {
        if self.digits == "0" {
            return Some(i256::ZERO);
        }
        let count = i64::try_from(self.digits.len()).ok()? - i64::from(self.places) + i64::from(places);
        if count < 0 {
            return Some(i256::ZERO);
        }
        let count = usize::try_from(count).ok().filter(|count| *count <= usize::from(DECIMAL256_MAX_PRECISION))?;
        let kept = match self.digits.get(..count) {
            Some("") => i256::ZERO,
            Some(kept) => i256::from_string(kept)?,
            None => i256::from_string(&format!("{:0<count$}", self.digits))?,
        };
        let is_up = self.digits.as_bytes().get(count).is_some_and(|next| *next >= b'5');
        let kept = if is_up { kept.checked_add(i256::ONE)? } else { kept };
        Some(if self.negative { kept.wrapping_neg() } else { kept })
    }
}

/// What stands behind the `e`, which PostgreSQL's reader of whole numbers takes, white space and all.
fn exponent_of(text: &str) -> Result<i32, NoNumber> {
    let text = text.trim_ascii_start();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NoNumber::Syntax);
    }
    // Beyond half of what there is, PostgreSQL refuses it for any digits.
    text.parse().ok().filter(|exponent: &i32| exponent.unsigned_abs() < u32::MAX / 4).ok_or(NoNumber::Range)
}

/// Reads the binary form: count of digits, weight of the first, sign, scale, digits.
pub(super) fn from_binary(bytes: &[u8]) -> Result<ScalarValue, Unreadable> {
    let sign = bytes.get(4..6).and_then(|pair| pair.try_into().ok()).map(u16::from_be_bytes).map(i32::from);
    if let Some((_, name)) = NOT_FINITE.iter().find(|(known, _)| Some(*known) == sign) {
        return Err(Unreadable::Number((*name).to_owned(), NoNumber::NotFinite));
    }
    finite(bytes).ok_or(Unreadable::Binary)
}

fn finite(bytes: &[u8]) -> Option<ScalarValue> {
    let (header, body) = bytes.split_first_chunk::<8>()?;
    let [count, weight, sign, scale] =
        [0, 2, 4, 6].map(|at| i32::from(i16::from_be_bytes([header[at], header[at + 1]])));
    let negative = match sign {
        0 => false,
        NEGATIVE => true,
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

/// The type of numerics that has all these as they are; none if they have too many digits together.
pub(super) fn holding<'a>(values: impl Iterator<Item = &'a ScalarValue>) -> Option<DataType> {
    let (mut whole, mut places) = (0, 0);
    for value in values {
        let (digits, scale) = match value {
            ScalarValue::Decimal128(Some(value), _, scale) => (value.unsigned_abs().to_string(), *scale),
            ScalarValue::Decimal256(Some(value), _, scale) => (value.to_string(), *scale),
            _ => continue,
        };
        let digits = i32::try_from(digits.trim_start_matches(['-', '0']).len()).ok()?;
        whole = whole.max(digits - i32::from(scale));
        places = places.max(scale);
    }
    let precision = u8::try_from(whole + i32::from(places)).ok()?;
    if precision <= DECIMAL128_MAX_PRECISION {
        return Some(DataType::Decimal128(DECIMAL128_MAX_PRECISION, places));
    }
    (precision <= DECIMAL256_MAX_PRECISION).then_some(DataType::Decimal256(DECIMAL256_MAX_PRECISION, places))
}

fn decimal(mut digits: String, negative: bool, mut scale: i32) -> Option<ScalarValue> {
    let is_zero = digits.bytes().all(|digit| digit == b'0');
    if scale < 0 {
        if -scale > MAX_EXPONENT && !is_zero {
            return None;
        }
        if !is_zero {
            digits.extend(std::iter::repeat_n('0', usize::try_from(-scale).ok()?));
        }
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn rounded(text: &str, places: i8) -> String {
        Written::read(text).unwrap().rounded(places).unwrap().to_string()
    }

    /// As PostgreSQL 15 reads them.
    #[test]
    fn texts_are_numerics_or_none() {
        for text in ["", " ", ".", "1e", "1 e3", "- 1", "0x1F", "--1", "1_000", "1e3.5", "1e+", "e5", "infi", "+nan"] {
            assert_eq!(Written::read(text), Err(NoNumber::Syntax), "{text}");
        }
        for text in ["NaN", " nan ", "Infinity", "-inf", "+INF"] {
            assert_eq!(Written::read(text), Err(NoNumber::NotFinite), "{text}");
        }
        assert_eq!(Written::read("1e99999999999"), Err(NoNumber::Range));
        for text in ["1e400", "1e-400", "1e76"] {
            assert_eq!(Written::read(text).unwrap().own(), Err(NoNumber::Range), "{text}");
        }
        for (text, digits, scale) in [
            (" 1e3\t", 1000, 0),
            ("1e 3", 1000, 0),
            ("1.50e2", 150, 0),
            ("12345.678E2", 12_345_678, 1),
            ("0e500", 0, 0),
            ("-0e-5", 0, 5),
            ("00012.50", 1250, 2),
            ("+5.", 5, 0),
            (".5", 5, 1),
        ] {
            let expected = ScalarValue::Decimal128(Some(digits), DECIMAL128_MAX_PRECISION, scale);
            assert_eq!(Written::read(text).unwrap().own(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn halves_go_away_from_zero() {
        for (text, places, expected) in [
            ("1e3", 2, "100000"),
            ("2.345", 2, "235"),
            ("-2.345", 2, "-235"),
            ("2.3449", 2, "234"),
            ("0.5", 0, "1"),
            ("0.05", 0, "0"),
            ("1e-400", 10, "0"),
            ("000", 2, "0"),
            ("9.99", 1, "100"),
        ] {
            assert_eq!(rounded(text, places), expected, "{text}");
        }
        assert_eq!(Written::read("1e80").unwrap().rounded(0), None);
        assert_eq!(Written::read("1e75").unwrap().rounded(2), None);
    }
}

//! Numbers with digits behind the point: whole ones in two's complement, the highest byte first, of any length.

use arrow::datatypes::i256;

/// What the lowest nine digits of a number are less than.
const NINE_DIGITS: u64 = 1_000_000_000;

/// The number of the bytes; none where there are no bytes, or too many.
pub(super) fn number(bytes: &[u8]) -> Option<i128> {
    let start = if bytes.first()? & 0x80 == 0 { 0_i128 } else { -1 };
    bytes.iter().try_fold(start, |value, byte| value.checked_mul(256)?.checked_add(i128::from(*byte)))
}

/// The same of up to 32 bytes that count.
pub(super) fn wide_number(bytes: &[u8]) -> Option<i256> {
    let (sign, counting) = parts(bytes)?;
    let begin = 32_usize.checked_sub(counting.len())?;
    let mut filled = [sign; 32];
    filled.get_mut(begin..)?.copy_from_slice(counting);
    let value = i256::from_be_bytes(filled);
    // Where all bytes count, the first one says the sign only if it agrees.
    (value.is_negative() == (sign != 0)).then_some(value)
}

/// The number's digits, `scale` of them behind the point; none where there are no bytes, or more digits than `precision`.
pub(super) fn digits(bytes: &[u8], precision: usize, scale: usize) -> Option<String> {
    let (sign, counting) = parts(bytes)?;
    // A byte holds more than two digits.
    if counting.len() > precision / 2 + 1 {
        return None;
    }
    let all = decimal(&magnitude(sign, counting));
    if all.len() > precision {
        return None;
    }
    let all = format!("{all:0>width$}", width = scale + 1);
    let (whole, fraction) = all.split_at_checked(all.len() - scale)?;
    let (minus, point) = (if sign == 0 { "" } else { "-" }, if scale == 0 { "" } else { "." });
    Some(format!("{minus}{whole}{point}{fraction}"))
}

/// What the bytes are filled up with at their front, and those of them that are not only that.
fn parts(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let sign = if bytes.first()? & 0x80 == 0 { 0 } else { 0xFF };
    let begin = bytes.iter().position(|byte| *byte != sign).unwrap_or(bytes.len());
    Some((sign, bytes.get(begin..)?))
}

/// The bytes of the number without its sign, the highest first.
fn magnitude(sign: u8, counting: &[u8]) -> Vec<u8> {
    let mut bytes: Vec<u8> = std::iter::once(&sign).chain(counting).map(|byte| byte ^ sign).collect();
    if sign != 0 {
        for byte in bytes.iter_mut().rev() {
            let (sum, carries) = byte.overflowing_add(1);
            *byte = sum;
            if !carries {
                break;
            }
        }
    }
    bytes
}

/// The digits of a number without a sign.
fn decimal(bytes: &[u8]) -> String {
    // Nine digits each, the lowest first.
    let mut groups: Vec<u64> = Vec::new();
    for byte in bytes {
        let mut carried = u64::from(*byte);
        for group in &mut groups {
            let value = *group * 256 + carried;
            *group = value % NINE_DIGITS;
            carried = value / NINE_DIGITS;
        }
        if carried > 0 {
            groups.push(carried);
        }
    }
    let mut groups = groups.iter().rev();
    let first = groups.next().map_or_else(|| "0".to_owned(), u64::to_string);
    groups.fold(first, |digits, group| format!("{digits}{group:09}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_any_length_has_all_its_digits() {
        for value in [0_i128, 1, -1, 127, -128, 128, -129, 255, -256, 65_536, i128::MAX, i128::MIN, 10_i128.pow(18)] {
            let bytes = value.to_be_bytes();
            let filled = [vec![if value < 0 { 0xFF } else { 0 }; 40], bytes.to_vec()].concat();
            assert_eq!(number(&bytes), Some(value));
            assert_eq!(wide_number(&filled), Some(i256::from_i128(value)));
            assert_eq!(digits(&filled, 39, 0).unwrap(), value.to_string());
        }
        let largest = i256::MAX.to_be_bytes();
        assert_eq!(wide_number(&largest), Some(i256::MAX));
        assert_eq!(wide_number(&i256::MIN.to_be_bytes()), Some(i256::MIN));
        assert_eq!(digits(&largest, 77, 0).unwrap(), i256::MAX.to_string());
        assert_eq!(wide_number(&[&[0_u8][..], &[0xFF; 32]].concat()), None);
        assert_eq!(wide_number(&[&[0xFF_u8][..], &[0x7F; 32]].concat()), None);
        for none in [number(&[]).is_none(), wide_number(&[]).is_none(), digits(&[], 9, 0).is_none()] {
            assert!(none);
        }
    }

    #[test]
    fn the_point_stands_where_the_scale_says() {
        assert_eq!(digits(&[5], 3, 3).unwrap(), "0.005");
        assert_eq!(digits(&[0xFF], 3, 2).unwrap(), "-0.01");
        assert_eq!(digits(&[0], 3, 1).unwrap(), "0.0");
        assert_eq!(digits(&[0x27, 0x0F], 4, 2).unwrap(), "99.99");
        assert_eq!(digits(&[0x27, 0x10], 4, 2), None);
        assert_eq!(digits(&[0x7F; 40], 80, 0), None);
    }
}

//! Floats from their texts, as PostgreSQL reads them. Those in hexadecimal, which C's library reads too, are none here.

use std::str::FromStr;

/// Why a text is no number of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoNumber {
    /// It is none of any type.
    Syntax,
    /// It is NaN or an infinity, and the type has none.
    NotFinite,
    /// It is greater than all of the type, has more digits, or is less than the least that is not zero.
    Range,
}

/// A float that has a text.
pub(crate) trait Float: FromStr + Copy + PartialEq + Into<f64> {}

impl Float for f32 {}
impl Float for f64 {}

/// Reads `-1.5e3`, `inf` or `nan`, with white space around it.
pub(crate) fn read_float<F: Float>(text: &str) -> Result<F, NoNumber> {
    let text = text.trim_ascii();
    let float: F = text.parse().map_err(|_| NoNumber::Syntax)?;
    let nearest: f64 = float.into();
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let is_beyond = match nearest {
        nearest if nearest.is_infinite() => text.contains(|letter: char| letter.is_ascii_digit()),
        0.0 => mantissa.contains(|digit: char| ('1'..='9').contains(&digit)),
        _ => false,
    };
    if is_beyond { Err(NoNumber::Range) } else { Ok(float) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As PostgreSQL 15 reads them.
    #[test]
    fn texts_are_floats_or_none() {
        for (text, expected) in [
            (" 12 ", Ok(12.0)),
            ("5e-324", Ok(5e-324)),
            ("1e400", Err(NoNumber::Range)),
            ("-1e400", Err(NoNumber::Range)),
            ("2e-324", Err(NoNumber::Range)),
            ("0e400", Ok(0.0)),
            ("0e-400", Ok(0.0)),
            ("-inf", Ok(f64::NEG_INFINITY)),
            ("Infinity", Ok(f64::INFINITY)),
            (".5", Ok(0.5)),
            ("5.", Ok(5.0)),
            ("", Err(NoNumber::Syntax)),
            (".", Err(NoNumber::Syntax)),
            ("1e", Err(NoNumber::Syntax)),
            ("1_000", Err(NoNumber::Syntax)),
            ("infi", Err(NoNumber::Syntax)),
            ("1.5f", Err(NoNumber::Syntax)),
        ] {
            assert_eq!(read_float::<f64>(text), expected, "{text}");
        }
        assert!(read_float::<f64>("-nan").is_ok_and(f64::is_nan));
        for (text, expected) in [
            ("1e38", Ok(1e38_f32)),
            ("1e40", Err(NoNumber::Range)),
            ("3.4028236e38", Err(NoNumber::Range)),
            ("7e-46", Err(NoNumber::Range)),
        ] {
            assert_eq!(read_float::<f32>(text), expected, "{text}");
        }
    }
}
